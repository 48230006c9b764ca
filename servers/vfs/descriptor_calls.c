/*
 * Calls on descriptors: close(2), dup(2), fcntl(2), ioctl(2).
 */
#include <servers/vfs/file.h>

#include "gen/linux_calls_vfs.h"

#include <asm/ioctls.h>
#include <lib/native/native.h>
#include <linux/close_range.h>
#include <servers/vfs/lock_calls.h>
#include <servers/vfs/pipe.h>
#include <servers/vfs/process.h>

#define SETFL_FLAGS ((unsigned)(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME))

int64_t sys_close(struct call *call)
{
    struct process *process = call_process(call);

    return descriptors_close(&process->descriptors, (int)call->arg[0], process);
}

int64_t sys_close_range(struct call *call)
{
    struct process     *process = call_process(call);
    struct descriptors *all = &process->descriptors;
    unsigned            first = (unsigned)call->arg[0], last = (unsigned)call->arg[1];
    uint64_t            flags = call->arg[2];

    if (first > last || flags & ~(uint64_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
        return -EINVAL;
    for (unsigned fd = first; fd <= last && fd < all->room; fd++) {
        if (!all->table[fd].file)
            continue;
        if (flags & CLOSE_RANGE_CLOEXEC)
            all->table[fd].close_on_exec = true;
        else
            must(descriptors_close(all, (int)fd, process) == 0);
    }
    return 0;
}

static int64_t duplicate_from(struct process *process, struct file *file, unsigned first,
                              bool close_on_exec)
{
    int fd = descriptors_reserve(&process->descriptors, first);

    if (fd >= 0)
        descriptors_set(&process->descriptors, fd, file_get(file), close_on_exec);
    return fd;
}

int64_t sys_dup(struct call *call)
{
    struct file *file = call_file_or_path(call, call->arg[0]);

    return file ? duplicate_from(call_process(call), file, 0, false) : -EBADF;
}

static int64_t duplicate_to(struct call *call, struct file *file, int to, bool close_on_exec)
{
    struct process *process = call_process(call);
    int             fd = descriptors_reserve_exactly(&process->descriptors, (unsigned)to);

    if (fd < 0)
        return fd;
    file_get(file);
    if (descriptors_find(&process->descriptors, fd))
        must(descriptors_close(&process->descriptors, fd, process) == 0);
    descriptors_set(&process->descriptors, fd, file, close_on_exec);
    return fd;
}

int64_t sys_dup2(struct call *call)
{
    struct file *file = call_file_or_path(call, call->arg[0]);
    int          from = (int)call->arg[0], to = (int)call->arg[1];

    if (!file)
        return -EBADF;
    return from == to ? to : duplicate_to(call, file, to, false);
}

int64_t sys_dup3(struct call *call)
{
    struct file *file = call_file_or_path(call, call->arg[0]);
    int          from = (int)call->arg[0], to = (int)call->arg[1];

    if (call->arg[2] & ~(uint64_t)O_CLOEXEC || from == to)
        return -EINVAL;
    return file ? duplicate_to(call, file, to, call->arg[2] & O_CLOEXEC) : -EBADF;
}

/* ---- fcntl ------------------------------------------------------------------------------ */

static int64_t descriptor_flags(struct call *call, bool set)
{
    struct descriptor *descriptor =
        &call_process(call)->descriptors.table[(int)call->arg[0]];

    if (!set)
        return descriptor->close_on_exec ? FD_CLOEXEC : 0;
    descriptor->close_on_exec = call->arg[2] & FD_CLOEXEC;
    return 0;
}

static int64_t status_flags_set(struct file *file, uint64_t flags)
{
    file->flags = (file->flags & ~SETFL_FLAGS) | ((unsigned)flags & SETFL_FLAGS);
    return 0;
}

int64_t sys_fcntl(struct call *call)
{
    struct file *file = call_file_or_path(call, call->arg[0]);
    unsigned     command = (unsigned)call->arg[1];

    if (!file)
        return -EBADF;
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return duplicate_from(call_process(call), file, (unsigned)call->arg[2],
                              command == F_DUPFD_CLOEXEC);
    case F_GETFD: return descriptor_flags(call, false);
    case F_SETFD: return descriptor_flags(call, true);
    case F_GETFL: return file->flags;
    default: break;
    }
    if (file->flags & O_PATH)
        return -EBADF;
    switch (command) {
    case F_SETFL: return status_flags_set(file, call->arg[2]);
    case F_GETLK:
    case F_OFD_GETLK: return lock_query(call, file);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: return lock_change(call, file);
    case F_GETPIPE_SZ: return file->ops == &pipe_ops ? pipe_capacity(file) : -EBADF;
    case F_SETPIPE_SZ:
        return file->ops != &pipe_ops ? -EBADF
                                      : pipe_set_capacity(file, (unsigned)call->arg[2],
                                                          &call_process(call)->credentials);
    default: return -EINVAL;
    }
}

/* ---- ioctl ------------------------------------------------------------------------------- */

static int64_t ioctl_nonblock(struct call *call, struct file *file)
{
    int on;

    if (copy_in(call, &on, call->arg[2], sizeof on))
        return 0;
    return status_flags_set(file, (file->flags & ~(unsigned)O_NONBLOCK) | (on ? O_NONBLOCK : 0));
}

/* No file here sends SIGIO. */
static int64_t ioctl_async(struct call *call)
{
    int on;

    if (copy_in(call, &on, call->arg[2], sizeof on))
        return 0;
    return on ? -ENOTTY : 0;
}

static int64_t ioctl_readable(struct call *call, const struct file *file)
{
    int bytes = (int)((int64_t)file->inode->size - (int64_t)file->position);

    (void)copy_out(call, call->arg[2], &bytes, sizeof bytes);
    return 0;
}

int64_t sys_ioctl(struct call *call)
{
    struct file       *file = call_file(call, call->arg[0]);
    struct descriptor *descriptor;

    if (!file)
        return -EBADF;
    descriptor = &call_process(call)->descriptors.table[(int)call->arg[0]];
    switch ((unsigned)call->arg[1]) {
    case FIOCLEX: descriptor->close_on_exec = true; return 0;
    case FIONCLEX: descriptor->close_on_exec = false; return 0;
    case FIONBIO: return ioctl_nonblock(call, file);
    case FIOASYNC: return ioctl_async(call);
    default: break;
    }
    if (S_ISREG(file->inode->mode) && (unsigned)call->arg[1] == FIONREAD)
        return ioctl_readable(call, file);
    if (!file->ops->ioctl)
        return -ENOTTY;
    return file->ops->ioctl(file, call, (unsigned)call->arg[1], call->arg[2]);
}
