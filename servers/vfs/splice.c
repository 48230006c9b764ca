/*
 * Data through pipes without a detour through the program: splice(2), tee(2), vmsplice(2).
 * Bytes are copied once; pages are not passed on.
 */
#include <servers/vfs/copy_between.h>
#include <servers/vfs/pipe.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <string.h>

/* splice(2); not in UAPI headers. */
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_FLAGS      15u

static bool is_pipe(const struct file *file) { return file->ops == &pipe_ops; }

static size_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* An io that only carries what a wait needs. */
static struct io waiting_io(const struct copy *copy)
{
    return (struct io){ .call = copy->call,
                        .before = copy->call->slot->done,
                        .nonblock = copy->nonblock || copy->call->slot->done };
}

/* Another piece of left bytes of ours has moved, or not. Returns whether there can be more;
 * otherwise *answer is the call's. */
static bool piece_is_done(struct copy *copy, struct io *io, int status, int64_t *answer)
{
    copy->left -= io->moved;
    if (!status && !io->left) {
        copy->call->slot->done += io->moved;
        return true;
    }
    *answer = io_answer(io, status, false);
    return false;
}

/* As long as there is something in the pipe; waits only for the first byte. */
static int64_t from_pipe(struct copy *copy)
{
    struct io   io = waiting_io(copy);
    int         status = pipe_await_data(copy->from, &io);
    size_t      run;
    const void *at;
    int64_t     answer;

    if (status)
        return io_answer(&io, status, false);
    while (copy->left && (at = pipe_peek(copy->from, 0, &run))) {
        io_memory(&io, copy->call, at, smaller(run, copy->left));
        io.nonblock = copy->to->flags & O_NONBLOCK;
        status = copy->to->ops->write(copy->to, &io, &copy->to_position);
        pipe_consume(copy->from, io.moved);
        if (!piece_is_done(copy, &io, status, &answer))
            return answer;
    }
    return (int64_t)copy->call->slot->done;
}

/* As long as there is room; waits only for the first byte, and for room for it. */
static int64_t to_pipe(struct copy *copy)
{
    while (copy->left) {
        struct io io = waiting_io(copy);
        int       status = pipe_await_room(copy->to, &io);
        size_t    run;
        void     *at = status ? NULL : pipe_space(copy->to, &run);
        int64_t   answer;

        if (!at)
            return io_answer(&io, status ? status : -ENOMEM, false);
        io_memory(&io, copy->call, at, smaller(run, copy->left));
        io.nonblock =
            copy->nonblock || copy->from->flags & O_NONBLOCK || copy->call->slot->done;
        status = copy->from->ops->read(copy->from, &io, &copy->from_position);
        pipe_commit(copy->to, io.moved);
        if (!piece_is_done(copy, &io, status, &answer))
            return answer;
    }
    return (int64_t)copy->call->slot->done;
}

/* From pipe to pipe; keep: what is read stays, and nothing was read in earlier attempts. */
static int64_t between_pipes(struct copy *copy, bool keep)
{
    struct io   io = waiting_io(copy);
    int         status = pipe_await_data(copy->from, &io);
    uint64_t    kept = 0;
    size_t      run, room;
    const void *from;
    void       *to;

    if (!status)
        status = pipe_await_room(copy->to, &io);
    if (status)
        return io_answer(&io, status, false);
    while (copy->left && (from = pipe_peek(copy->from, kept, &run)) &&
           (to = pipe_space(copy->to, &room))) {
        run = smaller(smaller(run, room), copy->left);
        memcpy(to, from, run);
        pipe_commit(copy->to, run);
        if (keep)
            kept += run;
        else
            pipe_consume(copy->from, run);
        copy->left -= run;
        copy->call->slot->done += run;
    }
    return (int64_t)copy->call->slot->done;
}

static int64_t move_between_pipes(struct copy *copy) { return between_pipes(copy, false); }

static int64_t copy_between_pipes(struct copy *copy) { return between_pipes(copy, true); }

/* ---- calls ------------------------------------------------------------------------------- */

/* Whether an end can have the offset, or none. */
static int check_offset(const struct file *file, uint64_t address)
{
    if (!address)
        return 0;
    if (is_pipe(file))
        return -ESPIPE;
    return file->ops->seek ? 0 : -EINVAL;
}

static int check_ends(const struct copy *copy)
{
    if (!copy->from || !copy->to || !copy->from->can_read || !copy->to->can_write)
        return -EBADF;
    if (copy->from->inode == copy->to->inode && is_pipe(copy->from))
        return -EINVAL;
    if (!is_pipe(copy->from) && !is_pipe(copy->to))
        return -EINVAL;
    if (copy->from->ops->anonymous || copy->to->ops->anonymous)
        return -EINVAL;
    if (!copy->from->ops->read || !copy->to->ops->write || (copy->to->flags & O_APPEND))
        return -EINVAL;
    return 0;
}

int64_t sys_splice(struct call *call)
{
    struct copy copy = { .call = call,
                         .from = call_file(call, call->arg[0]),
                         .to = call_file(call, call->arg[2]) };
    unsigned    flags = (unsigned)call->arg[5];
    int         error;

    if (!call->arg[4])
        return 0;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!copy.from || !copy.to)
        return -EBADF;
    error = check_offset(copy.from, call->arg[1]);
    if (!error)
        error = check_offset(copy.to, call->arg[3]);
    if (!error)
        error = check_ends(&copy);
    if (error)
        return error;
    copy.nonblock = flags & SPLICE_F_NONBLOCK;
    if (is_pipe(copy.from))
        copy.nonblock |= (copy.from->flags & O_NONBLOCK) != 0;
    if (is_pipe(copy.to))
        copy.nonblock |= (copy.to->flags & O_NONBLOCK) != 0;
    copy.run = !is_pipe(copy.from) ? to_pipe : is_pipe(copy.to) ? move_between_pipes : from_pipe;
    return copy_between(&copy, call->arg[1], call->arg[3], call->arg[4]);
}

int64_t sys_tee(struct call *call)
{
    struct copy copy = { .call = call,
                         .from = call_file(call, call->arg[0]),
                         .to = call_file(call, call->arg[1]),
                         .run = copy_between_pipes };
    unsigned    flags = (unsigned)call->arg[3];

    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!call->arg[2])
        return 0;
    if (!copy.from || !copy.to || !copy.from->can_read || !copy.to->can_write)
        return -EBADF;
    if (!is_pipe(copy.from) || !is_pipe(copy.to) || copy.from->inode == copy.to->inode)
        return -EINVAL;
    copy.nonblock = flags & SPLICE_F_NONBLOCK || (copy.from->flags | copy.to->flags) & O_NONBLOCK;
    return copy_between(&copy, 0, 0, call->arg[2]);
}

/* Into the pipe or out of it, whichever end it is; waits only for the first byte. */
int64_t sys_vmsplice(struct call *call)
{
    struct file *file = call_file(call, call->arg[0]);
    unsigned     flags = (unsigned)call->arg[3];
    struct io    io;
    int64_t      answer;
    int          error;

    if (io_is_over(call, &answer))
        return answer;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!file || !is_pipe(file))
        return -EBADF;
    error = io_vector(&io, call, call->arg[1], call->arg[2]);
    if (error)
        return error;
    if (file->can_write)
        error = pipe_ops.write(file, &io, &file->position);
    else
        error = pipe_ops.read(file, &io, &file->position);
    io.nonblock = flags & SPLICE_F_NONBLOCK || file->flags & O_NONBLOCK || io.moved || io.before;
    return io_answer(&io, error, !file->can_write);
}
