/*
 * Directories: names to inodes, with a stable order for getdents(2).
 *
 * Entries are hashed, so cost does not grow with their number, and form a list in the order
 * in which they were made. Each has a cookie that only grows: a reader's position means "the
 * first entry with at least this cookie", whatever comes and goes in between.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct inode;

struct dentry {
    UT_hash_handle hh;     /* in parent->directory.entries */
    struct inode  *parent;
    struct inode  *inode;
    uint64_t       cookie;
    uint8_t        name_bytes;
    char           name[]; /* with a zero byte at the end */
};

struct directory {
    struct dentry *entries;
    struct dentry *self;          /* the entry that names this directory; NULL: root or removed */
    struct inode  *parent;        /* ".."; NULL: root */
    struct directory_cursor *cursors; /* of open files */
    uint64_t       next_cookie;
    bool           removed;
};

/* Cookies of the two entries that are not stored. */
enum { COOKIE_DOT = 0, COOKIE_DOT_DOT = 1, COOKIE_FIRST = 2 };

/* Where a reader is. Entries made after the last rewind are not shown, so reading ends. */
struct directory_cursor {
    struct directory_cursor *next;
    struct dentry *entry;         /* to be shown next; NULL: at or before "..", or at the end */
    uint64_t       position;      /* cookie */
    uint64_t       limit;         /* first cookie that is not shown */
};

struct dentry *directory_find(const struct inode *dir, const char *name, size_t bytes);
bool directory_is_empty(const struct inode *dir);

/* Gives inode the name. Counts the link, and the parent's if inode is a directory. The name
 * must be new. Returns 0 or -ENOMEM. */
int directory_add(struct inode *dir, const char *name, size_t bytes, struct inode *inode)
    __attribute__((warn_unused_result));
/* Takes the entry out; the inode loses a link (a directory both). */
void directory_remove(struct dentry *entry);
/* Moves what from names to the name in dir. target: the entry that has that name now, and
 * loses what it named, or NULL. Returns 0 or -ENOMEM. */
int directory_move(struct dentry *from, struct inode *dir, const char *name, size_t bytes,
                   struct dentry *target) __attribute__((warn_unused_result));
/* Two entries change their inodes. */
void directory_exchange(struct dentry *a, struct dentry *b);
/* Whether dir lies below ancestor, or is it. */
bool directory_is_below(const struct inode *dir, const struct inode *ancestor);

void cursor_open(struct inode *dir, struct directory_cursor *cursor);
void cursor_close(struct inode *dir, struct directory_cursor *cursor);
void cursor_seek(struct inode *dir, struct directory_cursor *cursor, uint64_t position);
/* Steps past the entry at the cursor. */
void cursor_advance(struct inode *dir, struct directory_cursor *cursor);
/* What is at the cursor: name, inode and the position after it. false: the end. */
bool cursor_look(struct inode *dir, struct directory_cursor *cursor, const char **name,
                 size_t *bytes, struct inode **inode, uint64_t *after);
