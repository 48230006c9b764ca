/*
 * One attempt at moving data between a file and the caller's memory (or ours).
 *
 * A file's read and write functions see a struct io only: io_put and io_take move the next
 * bytes. Progress is kept in call->slot->done from one attempt to the next, so that a call
 * that is interrupted or meets bad memory half-way answers what it did.
 */
#pragma once

#include <lib/server/server.h>
#include <servers/vfs/linux.h>

#define IO_WAIT 1 /* nothing more to move now: wait on io->queue or until io->deadline_ns */

#define IO_BYTES_MAX 0x7ffff000u /* MAX_RW_COUNT of read(2) */

struct io {
    struct call        *call;
    uint8_t            *memory;        /* our memory, instead of the caller's */
    const struct iovec *segments;
    size_t              segment_count;
    size_t              in_segment;    /* bytes of the first segment that are done */
    struct iovec        single;        /* the only segment, when there is one buffer */
    size_t              left;          /* bytes still to move */
    size_t              moved;         /* in this attempt */
    size_t              before;        /* in the attempts before it */
    bool                nonblock;
    bool                faulted;       /* the caller's memory must be faulted in ... */
    uint64_t            fault_address; /* ... here */
    size_t              fault_bytes;
    struct wait_queue  *queue;         /* for IO_WAIT */
    uint64_t            deadline_ns;
};

/* For each call that moves data, first of all: whether it must end now because it was
 * interrupted or its memory is bad; then *answer is its result. Needs SERVER_SELF_CANCEL. */
bool io_is_over(struct call *call, int64_t *answer);

/* One buffer of the caller. */
void io_buffer(struct io *io, struct call *call, uint64_t address, uint64_t bytes);
/* An array of struct iovec of the caller. Returns 0, 1 (fault in), or -EINVAL. */
int io_vector(struct io *io, struct call *call, uint64_t address, uint64_t count);
/* A buffer of ours. */
void io_memory(struct io *io, struct call *call, const void *at, size_t bytes);

/* Moves up to bytes to the reader, or from the writer. Returns how many; fewer than asked for
 * only when io->left is less or memory must be faulted in (io->faulted). */
size_t io_put(struct io *io, const void *from, size_t bytes);
size_t io_take(struct io *io, void *to, size_t bytes);
size_t io_put_zeros(struct io *io, size_t bytes);
/* The same for something that must not be divided. Return false, and nothing was moved, if
 * memory must be faulted in. */
bool io_put_whole(struct io *io, const void *from, size_t bytes);
bool io_take_whole(struct io *io, void *to, size_t bytes);
/* Takes back bytes that were moved last. */
void io_untake(struct io *io, size_t bytes);

/* What a call answers after its file's function returned status. Sets progress, waits or asks
 * for memory as needed. */
int64_t io_answer(struct io *io, int status, bool writes_memory);
