/*
 * Inodes: what a file is, apart from its names.
 *
 * An inode lives while something refers to it: a directory entry, an open file, a process's
 * directory, a mapping. nlink counts names only.
 */
#pragma once

#include <lib/server/server.h>
#include <servers/vfs/directory.h>
#include <servers/vfs/linux.h>
#include <servers/vfs/pages.h>

struct pipe;
struct range_lock;

struct inode {
    uint64_t ino;
    uint32_t refs;
    uint32_t mode, uid, gid, nlink;
    uint32_t rdev;                          /* device files */
    uint64_t size;
    int64_t  atime, mtime, ctime, btime;    /* ns since 1970 */
    union {
        struct page_store pages;            /* S_IFREG */
        struct directory  directory;        /* S_IFDIR */
        char             *target;           /* S_IFLNK */
        struct pipe      *pipe;             /* S_IFIFO; made when it is first opened */
    };
    uint32_t writers;                       /* open for writing */
    uint32_t executions;                    /* running as a program: not open for writing */
    bool     linkable;                      /* made by O_TMPFILE: link(2) may give it a name */
    struct range_lock *range_locks, *whole_locks; /* fcntl(2), flock(2) */
    struct wait_queue  lock_waiters;
};

/* A new inode without names and with one reference, owned by the caller's. Returns NULL when
 * memory is out. */
struct inode *inode_create(uint32_t mode, uint32_t uid, uint32_t gid);
/* The same for a symbolic link; target is copied. */
struct inode *inode_create_symlink(const char *target, uint32_t uid, uint32_t gid);

struct inode *inode_get(struct inode *inode);
/* Frees the inode with the last reference. NULL is allowed. */
void inode_put(struct inode *inode);

/* mtime and ctime, ctime alone, or atime (as "relatime" has it) become now. */
void inode_modified(struct inode *inode);
void inode_changed(struct inode *inode);
void inode_accessed(struct inode *inode);

/* Changes the length of a regular file. Returns 0 or -ENOMEM. */
int inode_resize(struct inode *inode, uint64_t size) __attribute__((warn_unused_result));

/* For leak tests. */
uint64_t inode_count(void);
