/*
 * utimensat(2), utimes(2), futimesat(2), utime(2).
 */
#include <servers/vfs/path.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <linux/utime.h>
#include <servers/vfs/file.h>
#include <servers/vfs/permission.h>
#include <servers/vfs/realtime.h>

/* What becomes of one of the two times. */
struct new_time {
    enum { TIME_SET, TIME_NOW, TIME_KEEP } what;
    int64_t ns;
};

struct new_times {
    struct new_time access, modification;
};

static const struct new_times both_now = { { TIME_NOW, 0 }, { TIME_NOW, 0 } };

static int times_check(const struct inode *inode, const struct credentials *who,
                       const struct new_times *times)
{
    bool now = times->access.what == TIME_NOW && times->modification.what == TIME_NOW;

    if (times->access.what == TIME_KEEP && times->modification.what == TIME_KEEP)
        return 0;
    if (permission_is_owner(inode, who))
        return 0;
    return now ? permission_check(inode, who, MAY_WRITE) : -EPERM;
}

static int64_t inode_set_times(const struct call *call, struct inode *inode,
                               const struct new_times *times)
{
    int64_t now = realtime_ns();
    int     error = times_check(inode, &call_process(call)->credentials, times);

    if (error)
        return error;
    if (times->access.what != TIME_KEEP)
        inode->atime = times->access.what == TIME_NOW ? now : times->access.ns;
    if (times->modification.what != TIME_KEEP)
        inode->mtime = times->modification.what == TIME_NOW ? now : times->modification.ns;
    inode_changed(inode);
    return 0;
}

static int64_t set_times_at(struct call *call, uint64_t dirfd, uint64_t path, unsigned flags,
                            const struct new_times *times)
{
    struct walk walk;
    int         error = path_walk_user(call, dirfd, path, flags, &walk);

    return error ? error : inode_set_times(call, walk.inode, times);
}

/* Seconds that don't fit into 64 bits of nanoseconds become the nearest that do. */
static int64_t ns_from(int64_t seconds, int64_t ns)
{
    const int64_t limit = INT64_MAX / NS_PER_SECOND - 1;

    if (seconds > limit)
        seconds = limit;
    if (seconds < -limit)
        seconds = -limit;
    return seconds * NS_PER_SECOND + ns;
}

/* Returns 0 or -EINVAL. */
static int time_from_timespec(struct new_time *time, const struct __kernel_timespec *from)
{
    if (from->tv_nsec == UTIME_OMIT) {
        time->what = TIME_KEEP;
    } else if (from->tv_nsec == UTIME_NOW) {
        time->what = TIME_NOW;
    } else if (from->tv_nsec < 0 || from->tv_nsec >= NS_PER_SECOND) {
        return -EINVAL;
    } else {
        *time = (struct new_time){ TIME_SET, ns_from(from->tv_sec, from->tv_nsec) };
    }
    return 0;
}

int64_t sys_utimensat(struct call *call)
{
    struct __kernel_timespec spec[2];
    struct new_times         times = both_now;
    uint64_t                 flags = call->arg[3];

    if (flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (call->arg[2]) {
        if (copy_in(call, spec, call->arg[2], sizeof spec))
            return 0;
        if (time_from_timespec(&times.access, &spec[0]) ||
            time_from_timespec(&times.modification, &spec[1]))
            return -EINVAL;
    }
    if (!call->arg[1]) { /* the file behind the descriptor itself */
        struct file *file = call_file(call, call->arg[0]);

        if (flags)
            return -EINVAL;
        return file ? inode_set_times(call, file->inode, &times)
                    : (int)call->arg[0] == AT_FDCWD ? -EFAULT : -EBADF;
    }
    return set_times_at(call, call->arg[0], call->arg[1], walk_flags_from_at(flags), &times);
}

/* Times as two struct timeval; 0: now. Returns 0, 1 (fault in) or -EINVAL. */
static int times_from_timevals(struct call *call, uint64_t address, struct new_times *times)
{
    struct __kernel_old_timeval value[2];

    *times = both_now;
    if (!address)
        return 0;
    if (copy_in(call, value, address, sizeof value))
        return 1;
    for (unsigned i = 0; i < 2; i++)
        if (value[i].tv_usec < 0 || value[i].tv_usec >= 1000000)
            return -EINVAL;
    times->access =
        (struct new_time){ TIME_SET, ns_from(value[0].tv_sec, value[0].tv_usec * 1000) };
    times->modification =
        (struct new_time){ TIME_SET, ns_from(value[1].tv_sec, value[1].tv_usec * 1000) };
    return 0;
}

static int64_t timevals_at(struct call *call, uint64_t dirfd, uint64_t path, uint64_t address)
{
    struct new_times times;
    int              error = times_from_timevals(call, address, &times);

    return error ? error : set_times_at(call, dirfd, path, WALK_FOLLOW, &times);
}

int64_t sys_utimes(struct call *call)
{
    return timevals_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1]);
}

int64_t sys_futimesat(struct call *call)
{
    return timevals_at(call, call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_utime(struct call *call)
{
    struct new_times times = both_now;
    struct utimbuf   buffer;

    if (call->arg[1]) {
        if (copy_in(call, &buffer, call->arg[1], sizeof buffer))
            return 0;
        times.access = (struct new_time){ TIME_SET, ns_from(buffer.actime, 0) };
        times.modification = (struct new_time){ TIME_SET, ns_from(buffer.modtime, 0) };
    }
    return set_times_at(call, (uint64_t)AT_FDCWD, call->arg[0], WALK_FOLLOW, &times);
}
