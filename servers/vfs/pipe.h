/*
 * Pipes and FIFOs: pipe(7), fifo(7).
 */
#pragma once

#include <lib/server/server.h>

#define PIPE_PAGES_DEFAULT 16u  /* 64 KiB */
#define PIPE_PAGES_MAX     256u /* 1 MiB, as /proc/sys/fs/pipe-max-size has it */

struct credentials;
struct file;
struct file_ops;
struct inode;
struct io;
struct pipe;

extern const struct file_ops pipe_ops;

/* The pipe of a FIFO's inode; made on the first use. NULL: memory is out. */
struct pipe *pipe_of(struct inode *fifo);
/* NULL is allowed. Nobody has it open any more. */
void pipe_free(struct pipe *pipe);

/* file was created on a FIFO's inode: counts it as an end of the pipe. */
void pipe_attach(struct file *file);
/* Whether open(2) has to wait for the other end. */
bool pipe_open_must_wait(struct file *file, uint64_t seen_opens, struct wait_queue **queue);
/* How often the other end has been opened, for seen_opens. */
uint64_t pipe_opens_of_other_end(const struct file *file);
/* Whether anybody has the FIFO open for reading. */
bool pipe_has_readers(const struct pipe *pipe);

/* For splice(2) and its relatives; end is an open file on a pipe. */
/* Returns 0: there is something to read, or never will be; IO_WAIT if io (which may only wait
 * when nothing was moved before) must wait for it. */
int pipe_await_data(struct file *end, struct io *io);
/* Returns 0: there is room; -EPIPE with the signal, or IO_WAIT. */
int pipe_await_room(struct file *end, struct io *io);
/* The next bytes after the first skip of them, *run of them in one piece; NULL: no more. */
const void *pipe_peek(struct file *end, uint64_t skip, size_t *run);
void pipe_consume(struct file *end, size_t bytes);
/* Where the next bytes go, *run of them in one piece; NULL: no room, or memory is out. */
void *pipe_space(struct file *end, size_t *run);
void pipe_commit(struct file *end, size_t bytes);

/* F_GETPIPE_SZ, F_SETPIPE_SZ of fcntl(2). Bytes, or -EINVAL, -EBUSY, -EPERM, -ENOMEM. */
int64_t pipe_capacity(const struct file *file);
int64_t pipe_set_capacity(struct file *file, uint64_t bytes, const struct credentials *who);
