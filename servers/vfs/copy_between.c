/*
 * From file to file without a detour: sendfile(2), copy_file_range(2).
 */
#include <servers/vfs/copy_between.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>

/* From a regular file, until everything has gone, it ends, or the target takes no more. */
static int64_t copy_run(struct copy *copy)
{
    const struct inode *source = copy->from->inode;
    struct slot        *slot = copy->call->slot;

    while (copy->left && copy->from_position < source->size) {
        uint64_t    to_end = source->size - copy->from_position;
        const void *at;
        struct io   io;
        size_t      run = pages_read_run(&source->pages, copy->from_position,
                                         copy->left < to_end ? copy->left : to_end, &at);
        int         status;

        io_memory(&io, copy->call, at, run);
        io.nonblock = copy->to->flags & O_NONBLOCK;
        status = copy->to->ops->write(copy->to, &io, &copy->to_position);
        copy->from_position += io.moved;
        copy->left -= io.moved;
        if (status || io.left)
            return io_answer(&io, status, false);
        slot->done += io.moved;
    }
    return (int64_t)slot->done;
}

/* An offset in the caller's memory, advanced by what former attempts moved. Without one, the
 * file's own position. Returns 0, 1 (fault in) or -EINVAL. */
static int offset_read(struct call *call, uint64_t address, const struct file *file,
                       uint64_t *position)
{
    int64_t offset;

    *position = file->position;
    if (!address)
        return 0;
    if (copy_in(call, &offset, address, sizeof offset))
        return 1;
    if (offset < 0)
        return -EINVAL;
    *position = (uint64_t)offset + call->slot->done;
    return 0;
}

/* The call ends: the caller learns its offset. That can't fail any more. */
static void offset_write(struct call *call, uint64_t address, struct file *file,
                         uint64_t position)
{
    if (!address)
        file->position = position;
    else if (call->answer == ANSWER_DONE)
        (void)copy_out_some(call, address, &position, sizeof position);
}

static bool ends_interrupted(struct call *call, int64_t *answer)
{
    if (call->reason != CALL_INTERRUPTED && call->reason != CALL_FAULTED)
        return false;
    *answer = call->reason == CALL_FAULTED ? -EFAULT : -CALL_RESTARTS;
    if (call->slot->done)
        *answer = (int64_t)call->slot->done;
    return true;
}

/* After an interruption, offsets are brought up to date as well. */
int64_t copy_between(struct copy *copy, uint64_t from_address, uint64_t to_address, uint64_t bytes)
{
    struct call *call = copy->call;
    int64_t      answer = 0;
    int          error = offset_read(call, from_address, copy->from, &copy->from_position);

    if (!error)
        error = offset_read(call, to_address, copy->to, &copy->to_position);
    if (error == 1 && (call->reason == CALL_FAULTED || call->reason == CALL_INTERRUPTED)) {
        call->answer = ANSWER_DONE;
        error = -EFAULT;
    }
    if (error)
        return error;
    if (bytes > IO_BYTES_MAX)
        bytes = IO_BYTES_MAX;
    copy->left = bytes > call->slot->done ? bytes - call->slot->done : 0;
    if (!ends_interrupted(call, &answer))
        answer = copy->run(copy);
    offset_write(call, from_address, copy->from, copy->from_position);
    offset_write(call, to_address, copy->to, copy->to_position);
    return answer;
}

int64_t sys_sendfile(struct call *call)
{
    struct copy copy = { .call = call,
                         .run = copy_run,
                         .to = call_file(call, call->arg[0]),
                         .from = call_file(call, call->arg[1]) };

    if (!copy.from || !copy.to || !copy.from->can_read || !copy.to->can_write)
        return -EBADF;
    if (!S_ISREG(copy.from->inode->mode) || !copy.to->ops->write ||
        (copy.to->flags & O_APPEND))
        return -EINVAL;
    return copy_between(&copy, call->arg[2], 0, call->arg[3]);
}

static int check_copy_range(const struct copy *copy, uint64_t flags)
{
    if (flags)
        return -EINVAL;
    if (!copy->from || !copy->to)
        return -EBADF;
    if (S_ISDIR(copy->from->inode->mode) || S_ISDIR(copy->to->inode->mode))
        return -EISDIR;
    if (!S_ISREG(copy->from->inode->mode) || !S_ISREG(copy->to->inode->mode))
        return -EINVAL;
    if (!copy->from->can_read || !copy->to->can_write || (copy->to->flags & O_APPEND))
        return -EBADF;
    return 0;
}

/* Ranges of one file must not overlap; checked at the first attempt. */
static int check_overlap(struct call *call, const struct copy *copy)
{
    uint64_t from, to, bytes = call->arg[4];
    int      error;

    if (copy->from->inode != copy->to->inode || call->slot->done)
        return 0;
    error = offset_read(call, call->arg[1], copy->from, &from);
    if (!error)
        error = offset_read(call, call->arg[3], copy->to, &to);
    if (error)
        return error;
    return from < to ? (to - from < bytes ? -EINVAL : 0) : (from - to < bytes ? -EINVAL : 0);
}

int64_t sys_copy_file_range(struct call *call)
{
    struct copy copy = { .call = call,
                         .run = copy_run,
                         .from = call_file(call, call->arg[0]),
                         .to = call_file(call, call->arg[2]) };
    int         error = check_copy_range(&copy, call->arg[5]);

    if (!error && call->reason != CALL_FAULTED)
        error = check_overlap(call, &copy);
    if (error)
        return error;
    return copy_between(&copy, call->arg[1], call->arg[3], call->arg[4]);
}
