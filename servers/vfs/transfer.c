/*
 * read(2), write(2) and their relatives.
 */
#include <servers/vfs/file.h>
#include <servers/vfs/kinds.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>

enum direction { READ, WRITE };

/* Runs one attempt at file's position, or at *position. */
static int64_t transfer(struct file *file, struct io *io, uint64_t *position,
                        enum direction direction)
{
    int (*run)(struct file *, struct io *, uint64_t *) =
        direction == READ ? file->ops->read : file->ops->write;
    int status;

    if (!run)
        return S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
    io->nonblock = io->nonblock || (file->flags & O_NONBLOCK);
    status = run(file, io, position);
    return io_answer(io, status, direction == READ);
}

static int file_allows(const struct file *file, enum direction direction)
{
    if (!file)
        return -EBADF;
    return (direction == READ ? file->can_read : file->can_write) ? 0 : -EBADF;
}

/* read, write, readv, writev: at the position of the open file. */
static int64_t transfer_at_file(struct call *call, bool is_vector, enum direction direction)
{
    struct file *file = call_file(call, call->arg[0]);
    struct io    io;
    int64_t      answer;
    int          error = file_allows(file, direction);

    if (io_is_over(call, &answer))
        return answer;
    if (error)
        return error;
    if (is_vector) {
        error = io_vector(&io, call, call->arg[1], call->arg[2]);
        if (error)
            return error;
    } else {
        io_buffer(&io, call, call->arg[1], call->arg[2]);
    }
    return transfer(file, &io, &file->position, direction);
}

/* pread and the like: at the offset in argument 3. */
static int64_t transfer_at_offset(struct call *call, bool is_vector, bool nonblock,
                                  enum direction direction)
{
    struct file *file = call_file(call, call->arg[0]);
    int64_t      offset = (int64_t)call->arg[3];
    uint64_t     position = (uint64_t)offset + call->slot->done;
    struct io    io;
    int64_t      answer;
    int          error = file_allows(file, direction);

    if (io_is_over(call, &answer))
        return answer;
    if (offset < 0)
        return -EINVAL;
    if (error)
        return error;
    if (!file->ops->seek && (file->ops->read || file->ops->anonymous))
        return -ESPIPE;
    if (is_vector) {
        error = io_vector(&io, call, call->arg[1], call->arg[2]);
        if (error)
            return error;
    } else {
        io_buffer(&io, call, call->arg[1], call->arg[2]);
    }
    io.nonblock = nonblock;
    return transfer(file, &io, &position, direction);
}

int64_t sys_read(struct call *call) { return transfer_at_file(call, false, READ); }
int64_t sys_write(struct call *call) { return transfer_at_file(call, false, WRITE); }
int64_t sys_readv(struct call *call) { return transfer_at_file(call, true, READ); }
int64_t sys_writev(struct call *call) { return transfer_at_file(call, true, WRITE); }
int64_t sys_pread64(struct call *call) { return transfer_at_offset(call, false, false, READ); }
int64_t sys_pwrite64(struct call *call) { return transfer_at_offset(call, false, false, WRITE); }
int64_t sys_preadv(struct call *call) { return transfer_at_offset(call, true, false, READ); }
int64_t sys_pwritev(struct call *call) { return transfer_at_offset(call, true, false, WRITE); }

/* preadv2, pwritev2: argument 5 is RWF_*; offset -1 means the file's position. */
static int64_t transfer_with_flags(struct call *call, enum direction direction)
{
    const uint64_t known = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT;
    struct file   *file = call_file(call, call->arg[0]);
    uint64_t       flags = call->arg[5];

    if (flags & ~known)
        return -EOPNOTSUPP;
    if ((int64_t)call->arg[3] != -1)
        return transfer_at_offset(call, true, flags & RWF_NOWAIT, direction);
    if (file && (flags & RWF_NOWAIT) && !S_ISREG(file->inode->mode))
        return -EOPNOTSUPP;
    return transfer_at_file(call, true, direction);
}

int64_t sys_preadv2(struct call *call) { return transfer_with_flags(call, READ); }
int64_t sys_pwritev2(struct call *call) { return transfer_with_flags(call, WRITE); }

int64_t sys_lseek(struct call *call)
{
    struct file *file = call_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    if (!file->ops->seek)
        return file->ops->anonymous ? 0 : -ESPIPE; /* as Linux has it */
    return file->ops->seek(file, (int64_t)call->arg[1], (unsigned)call->arg[2]);
}
