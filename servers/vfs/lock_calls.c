#include <servers/vfs/lock_calls.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/locks.h>
#include <servers/vfs/process.h>

/* Where a range is counted from. Returns it, or -EINVAL. */
static int64_t range_base(const struct file *file, int whence)
{
    switch (whence) {
    case SEEK_SET: return 0;
    case SEEK_CUR: return (int64_t)file->position;
    case SEEK_END: return (int64_t)file->inode->size;
    default: return -EINVAL;
    }
}

/* The bytes that a struct flock means. Returns 0, -EINVAL or -EOVERFLOW. */
static int range_from_flock(const struct file *file, const struct flock *flock,
                            struct range_lock *range)
{
    int64_t base = range_base(file, flock->l_whence);
    int64_t start, end;

    if (base < 0)
        return -EINVAL;
    if (__builtin_add_overflow(base, flock->l_start, &start))
        return -EOVERFLOW;
    if (flock->l_len < 0) {
        end = start;
        if (__builtin_add_overflow(start, flock->l_len, &start))
            return -EINVAL;
    } else if (__builtin_add_overflow(start, flock->l_len, &end)) {
        return -EOVERFLOW;
    }
    if (start < 0)
        return -EINVAL;
    range->first = (uint64_t)start;
    range->last = flock->l_len == 0 ? LOCK_TO_END : (uint64_t)end - 1;
    return 0;
}

static bool is_of_file(unsigned command)
{
    return command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

/* Reads argument 2 and makes a lock of it. Returns 0, 1 (fault in) or -errno. */
static int lock_from_call(struct call *call, struct file *file, struct flock *flock,
                          struct range_lock *lock)
{
    struct process *process = call_process(call);
    bool            of_file = is_of_file((unsigned)call->arg[1]);

    if (copy_in(call, flock, call->arg[2], sizeof *flock))
        return 1;
    if (of_file && flock->l_pid)
        return -EINVAL;
    *lock = (struct range_lock){ .owner = of_file ? (void *)file : (void *)process,
                                 .pid = of_file ? -1 : (int32_t)process->pid,
                                 .exclusive = flock->l_type == F_WRLCK };
    return range_from_flock(file, flock, lock);
}

int64_t lock_query(struct call *call, struct file *file)
{
    const struct range_lock *other;
    struct range_lock        lock;
    struct flock             flock;
    int                      error = lock_from_call(call, file, &flock, &lock);

    if (error)
        return error;
    if (flock.l_type != F_RDLCK && flock.l_type != F_WRLCK)
        return -EINVAL;
    other = locks_conflict(file->inode->range_locks, &lock);
    if (!other) {
        flock.l_type = F_UNLCK;
    } else {
        flock.l_type = other->exclusive ? F_WRLCK : F_RDLCK;
        flock.l_whence = SEEK_SET;
        flock.l_start = (int64_t)other->first;
        flock.l_len = other->last == LOCK_TO_END ? 0 : (int64_t)(other->last - other->first + 1);
        flock.l_pid = other->pid;
    }
    return copy_out(call, call->arg[2], &flock, sizeof flock);
}

int64_t lock_change(struct call *call, struct file *file)
{
    bool              waits = call->arg[1] == F_SETLKW || call->arg[1] == F_OFD_SETLKW;
    struct inode     *inode = file->inode;
    struct range_lock lock;
    struct flock      flock;
    int               error = lock_from_call(call, file, &flock, &lock);

    if (error)
        return error;
    switch (flock.l_type) {
    case F_UNLCK: return locks_clear(inode, &inode->range_locks, &lock);
    case F_RDLCK: error = file->can_read ? 0 : -EBADF; break;
    case F_WRLCK: error = file->can_write ? 0 : -EBADF; break;
    default: return -EINVAL;
    }
    if (error)
        return error;
    if (locks_conflict(inode->range_locks, &lock))
        return waits ? call_wait(call, &inode->lock_waiters, 0) : -EAGAIN;
    return locks_set(inode, &inode->range_locks, &lock);
}

int64_t sys_flock(struct call *call)
{
    struct file      *file = call_file(call, call->arg[0]);
    unsigned          operation = (unsigned)call->arg[1] & ~(unsigned)LOCK_NB;
    struct inode     *inode;
    struct range_lock lock = { .owner = file, .last = LOCK_TO_END };

    if (operation != LOCK_SH && operation != LOCK_EX && operation != LOCK_UN)
        return -EINVAL;
    if (!file)
        return -EBADF;
    inode = file->inode;
    if (operation == LOCK_UN)
        return locks_clear(inode, &inode->whole_locks, &lock);
    lock.exclusive = operation == LOCK_EX;
    if (locks_conflict(inode->whole_locks, &lock))
        return call->arg[1] & LOCK_NB ? -EAGAIN : call_wait(call, &inode->lock_waiters, 0);
    return locks_set(inode, &inode->whole_locks, &lock);
}
