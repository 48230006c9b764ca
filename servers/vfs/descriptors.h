/*
 * The table of file descriptors of a process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DESCRIPTORS_MAX 1024u /* RLIMIT_NOFILE */

struct file;
struct process;

struct descriptor {
    struct file *file;          /* NULL: free */
    bool         close_on_exec;
};

struct descriptors {
    struct descriptor *table;
    unsigned           room;    /* elements of table */
    uint64_t           used[DESCRIPTORS_MAX / 64];
};

/* The open file behind fd, or NULL. The reference stays the table's. */
struct file *descriptors_find(const struct descriptors *all, int fd);
/* The lowest free descriptor from first on, with room in the table for it, so that
 * descriptors_set can't fail. Returns it, -EMFILE, -EINVAL (first is too high) or -ENOMEM. */
int descriptors_reserve(struct descriptors *all, unsigned first)
    __attribute__((warn_unused_result));
/* The same for one given number, free or not. Returns fd, -EBADF or -ENOMEM. */
int descriptors_reserve_exactly(struct descriptors *all, unsigned fd)
    __attribute__((warn_unused_result));
/* Puts a file at a reserved free place; takes the reference. */
void descriptors_set(struct descriptors *all, int fd, struct file *file, bool close_on_exec);
/* Empties the place; drops the process's locks on the file (fcntl(2)). 0 or -EBADF. */
int descriptors_close(struct descriptors *all, int fd, const struct process *process);
int descriptors_copy(struct descriptors *to, const struct descriptors *from)
    __attribute__((warn_unused_result));
void descriptors_close_marked(struct descriptors *all, const struct process *process);
void descriptors_close_all(struct descriptors *all, const struct process *process);
