/*
 * Open file descriptions: what open(2) makes and dup(2), fork(2) share.
 */
#pragma once

#include <servers/vfs/inode.h>
#include <servers/vfs/io.h>

struct file;
struct epoll_item;

/* What a kind of file can do. An entry that is missing answers as the comment says. */
struct file_ops {
    /* Move bytes from the file to io, or to the file from io; *position advances (files that
     * have none ignore it). Return 0 (io->moved tells), IO_WAIT, or -errno. EINVAL. */
    int (*read)(struct file *file, struct io *io, uint64_t *position);
    int (*write)(struct file *file, struct io *io, uint64_t *position);
    /* Returns the POLL* events that are true now, and the queues that are woken when more
     * come: queues[0] for those of reading, queues[1] for those of writing, both for POLLHUP
     * and POLLERR; one that is left NULL is not needed. Missing: always readable and
     * writable, epoll(7) refuses it. */
    unsigned (*poll)(struct file *file, struct wait_queue *queues[2]);
    /* When poll may answer more because time has passed, in ns of CLOCK_MONOTONIC; 0: never.
     * A change is told with file_deadline_changed. Missing: never. */
    uint64_t (*deadline)(struct file *file);
    int64_t (*ioctl)(struct file *file, struct call *call, unsigned request, uint64_t argument);
                                                                      /* missing: ENOTTY */
    int64_t (*seek)(struct file *file, int64_t offset, unsigned whence); /* missing: ESPIPE */
    void (*release)(struct file *file);                               /* the last reference */
    const char *anonymous; /* what it is called without a name: anon_inode:... in proc(5) */
};

struct file {
    unsigned               refs;
    const struct file_ops *ops;
    struct inode          *inode;     /* never NULL; holds a reference */
    unsigned               flags;     /* access mode and status, as F_GETFL */
    bool                   can_read, can_write;
    uint64_t               position;
    struct directory_cursor cursor;   /* directories */
    void                  *data;      /* the kind's own */
    struct epoll_item     *watches;   /* where it is registered with epoll_ctl(2) */
};

/* A new open file with one reference. access: O_ACCMODE and status flags. Takes a reference
 * to the inode of its own. NULL: memory is out. */
struct file *file_create(struct inode *inode, const struct file_ops *ops, unsigned flags);
struct file *file_get(struct file *file);
void file_put(struct file *file);

/* The open file behind the descriptor of the calling process, or NULL. call_file: not those
 * opened with O_PATH. */
struct file *call_file(const struct call *call, uint64_t fd);
struct file *call_file_or_path(const struct call *call, uint64_t fd);

/* For leak tests. */
uint64_t file_count(void);
