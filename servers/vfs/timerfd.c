/*
 * Timers as files: timerfd_create(2).
 *
 * Nothing runs when a timer expires: how often it has is computed when somebody asks, and who
 * waits for it waits until then.
 */
#include <servers/vfs/anonymous.h>

#include "gen/linux_calls_vfs.h"

#include <asm/poll.h>
#include <lib/native/native.h>
#include <linux/timerfd.h>
#include <servers/vfs/permission.h>
#include <servers/vfs/poll.h>
#include <servers/vfs/realtime.h>
#include <stdlib.h>
#include <time.h>

#define SETTIME_FLAGS ((unsigned)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))

/* All times are ns of CLOCK_MONOTONIC. */
struct timer {
    int64_t           offset_ns;   /* the timer's clock minus CLOCK_MONOTONIC */
    uint64_t          next_ns;     /* the first expiration that was not read; 0: none */
    uint64_t          interval_ns; /* 0: it expires once */
    struct wait_queue changed;
};

/* Expirations that were not read. */
static uint64_t timer_ticks(const struct timer *timer, uint64_t now_ns)
{
    if (!timer->next_ns || now_ns < timer->next_ns)
        return 0;
    return timer->interval_ns ? (now_ns - timer->next_ns) / timer->interval_ns + 1 : 1;
}

/* The expiration after those ticks; 0: none. */
static uint64_t timer_after(const struct timer *timer, uint64_t ticks)
{
    uint64_t elapsed, next;

    if (!ticks)
        return timer->next_ns;
    if (!timer->interval_ns || __builtin_mul_overflow(ticks, timer->interval_ns, &elapsed) ||
        __builtin_add_overflow(timer->next_ns, elapsed, &next))
        return 0;
    return next;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Once expired, a timer is no more news until it was read. */
static uint64_t timer_deadline(struct file *file)
{
    const struct timer *timer = file->data;

    return timer_ticks(timer, clock_ns()) ? 0 : timer->next_ns;
}

static int timer_read(struct file *file, struct io *io, uint64_t *position)
{
    struct timer *timer = file->data;
    uint64_t      ticks = timer_ticks(timer, clock_ns());

    (void)position;
    if (io->left < sizeof ticks)
        return -EINVAL;
    if (!ticks) {
        io->queue = &timer->changed;
        io->deadline_ns = timer->next_ns;
        return IO_WAIT;
    }
    if (!io_put_whole(io, &ticks, sizeof ticks))
        return 0;
    timer->next_ns = timer_after(timer, ticks);
    file_deadline_changed(file);
    return 0;
}

static unsigned timer_poll(struct file *file, struct wait_queue *queues[2])
{
    struct timer *timer = file->data;

    queues[0] = &timer->changed;
    return timer_ticks(timer, clock_ns()) ? POLLIN : 0;
}

static void timer_release(struct file *file) { free(file->data); }

static const struct file_ops timer_ops = {
    .read = timer_read,
    .poll = timer_poll,
    .deadline = timer_deadline,
    .release = timer_release,
    .anonymous = "[timerfd]",
};

/* ---- calls --------------------------------------------------------------------------------- */

/* Whether there is such a clock; *is_real: it is a kind of CLOCK_REALTIME. */
static int clock_check(const struct call *call, int clock, bool *is_real)
{
    const struct credentials *who = &call_process(call)->credentials;

    *is_real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME: return 0;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM: return permission_is_privileged(who) ? 0 : -EPERM;
    default: return -EINVAL;
    }
}

int64_t sys_timerfd_create(struct call *call)
{
    unsigned      flags = (unsigned)call->arg[1];
    bool          is_real;
    int           error = clock_check(call, (int)call->arg[0], &is_real);
    struct timer *timer;
    struct file  *file;

    if (flags & ~(unsigned)(TFD_CLOEXEC | TFD_NONBLOCK))
        return -EINVAL;
    if (error)
        return error;
    timer = calloc(1, sizeof *timer);
    if (!timer)
        return -ENOMEM;
    timer->offset_ns = is_real ? realtime_offset_ns() : 0;
    file = anonymous_create(call, &timer_ops, flags, timer);
    if (!file) {
        free(timer);
        return -ENOMEM;
    }
    return call_install(call, file, flags);
}

/* Sets *file to the timer of argument 0. Returns 0, -EBADF or -EINVAL. */
static int timer_find(const struct call *call, struct file **file)
{
    *file = call_file(call, call->arg[0]);
    if (!*file)
        return -EBADF;
    return (*file)->ops == &timer_ops ? 0 : -EINVAL;
}

static bool timespec_is_valid(const struct __kernel_timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NS_PER_SECOND;
}

/* Times beyond what can be counted become the last that can. */
static uint64_t ns_of(const struct __kernel_timespec *time)
{
    if (time->tv_sec >= INT64_MAX / NS_PER_SECOND)
        return INT64_MAX;
    return (uint64_t)(time->tv_sec * NS_PER_SECOND + time->tv_nsec);
}

static struct __kernel_timespec timespec_of(uint64_t ns)
{
    return (struct __kernel_timespec){ (int64_t)(ns / NS_PER_SECOND),
                                       (int64_t)(ns % NS_PER_SECOND) };
}

static int timer_tell(struct call *call, const struct timer *timer, uint64_t address)
{
    uint64_t now = clock_ns(), next = timer_after(timer, timer_ticks(timer, now));
    struct __kernel_itimerspec value = { .it_interval = timespec_of(timer->interval_ns),
                                         .it_value = timespec_of(next ? next - now : 0) };

    return copy_out(call, address, &value, sizeof value);
}

/* When a timer that is set now expires first; a time that has passed stays in the past. */
static uint64_t first_expiration(const struct timer *timer, uint64_t value_ns, bool absolute)
{
    int64_t at;

    if (!value_ns)
        return 0;
    if (!absolute)
        return __builtin_add_overflow((int64_t)clock_ns(), (int64_t)value_ns, &at) ? INT64_MAX
                                                                                 : (uint64_t)at;
    at = (int64_t)value_ns - timer->offset_ns;
    return at > 0 ? (uint64_t)at : 1;
}

int64_t sys_timerfd_settime(struct call *call)
{
    unsigned                   flags = (unsigned)call->arg[1];
    struct __kernel_itimerspec value;
    struct timer              *timer;
    struct file               *file;
    int                        error;

    if (copy_in(call, &value, call->arg[2], sizeof value))
        return 0;
    if (flags & ~SETTIME_FLAGS || !timespec_is_valid(&value.it_value) ||
        !timespec_is_valid(&value.it_interval))
        return -EINVAL;
    error = timer_find(call, &file);
    if (error)
        return error;
    timer = file->data;
    if (call->arg[3] && timer_tell(call, timer, call->arg[3]))
        return 0;
    timer->next_ns = first_expiration(timer, ns_of(&value.it_value), flags & TFD_TIMER_ABSTIME);
    timer->interval_ns = ns_of(&value.it_interval);
    wake_all(&timer->changed);
    file_deadline_changed(file);
    return 0;
}

int64_t sys_timerfd_gettime(struct call *call)
{
    struct file *file;
    int          error = timer_find(call, &file);

    if (!error)
        (void)timer_tell(call, file->data, call->arg[1]);
    return error;
}
