/*
 * timer_create(2), timer_settime(2), timer_getoverrun(2), timer_delete(2).
 */
#include "timers.h"

#include "clock.h"
#include "platform.h"
#include "timespec.h"

#include <gen/linux_calls_proc.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* An interval shorter than this is not kept up with while the signal is ignored. */
#define IGNORED_PAUSE_NS 1000000ull
#define ABSOLUTE_TIME 1u /* TIMER_ABSTIME of timer_settime(2) */

struct posix_timer {
    struct timer timer; /* must be the first member */
    struct posix_timer *next; /* of the same process */
    int id;
    int32_t clock_id;
    int notify;               /* SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID */
    struct thread *receiver;  /* SIGEV_THREAD_ID; NULL: it is gone, or the whole process */
    bool is_queued;           /* its signal pends */
    int  overrun;             /* of the signal that was taken last */
    struct queued_signal entry;
};

static struct posix_timer *timer_find(struct process *process, uint64_t id)
{
    struct posix_timer *timer = process->sig.posix_timers;

    while (timer && timer->id != (int32_t)id)
        timer = timer->next;
    return timer;
}

/* ---- expiring ----------------------------------------------------------------------- */

static void timer_go_on(struct posix_timer *timer, uint64_t not_before)
{
    if (!timer->timer.interval || !timer->timer.expiry)
        return;
    timer_advance(&timer->timer);
    if (timer->timer.expiry < not_before)
        timer->timer.expiry = not_before;
    if (timer_arm(&timer->timer))
        timer->timer.expiry = 0; /* no memory: it stops */
}

static void posix_timer_fire(struct timer *base)
{
    struct posix_timer *timer = (struct posix_timer *)base;

    if (timer->notify == SIGEV_THREAD_ID && !timer->receiver)
        return;
    if (timer->is_queued)
        return;
    timer->entry.info.si_overrun = 0;
    timer->is_queued = signal_send_entry(base->process, timer->receiver, &timer->entry);
    if (!timer->is_queued)
        timer_go_on(timer, timer_now(base) + IGNORED_PAUSE_NS);
}

void timer_signal_taken(struct posix_timer *timer)
{
    uint64_t times = 0;

    timer->is_queued = false;
    if (timer->timer.interval && timer->timer.expiry) {
        times = timer_advance(&timer->timer);
        if (timer_arm(&timer->timer))
            timer->timer.expiry = 0;
    }
    timer->overrun = times < INT_MAX ? (int)times : INT_MAX;
    timer->entry.info.si_overrun = timer->overrun;
}

void timer_signal_dropped(struct posix_timer *timer)
{
    timer->is_queued = false;
    timer_go_on(timer, timer_now(&timer->timer) + IGNORED_PAUSE_NS);
}

/* ---- coming and going ------------------------------------------------------------------ */

static void timer_stop(struct posix_timer *timer)
{
    struct process *process = timer->timer.process;

    timer_disarm(&timer->timer);
    timer->timer.expiry = 0;
    if (timer->is_queued)
        signal_queue_remove_entry(timer->receiver ? &timer->receiver->sig.pending
                                                  : &process->sig.pending, &timer->entry);
    timer->is_queued = false;
}

static void timer_free(struct posix_timer *timer)
{
    struct posix_timer **link = &timer->timer.process->sig.posix_timers;

    timer_stop(timer);
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    signal_entry_release(timer->timer.process);
    free(timer);
}

void posix_timers_free(struct process *process)
{
    while (process->sig.posix_timers)
        timer_free(process->sig.posix_timers);
}

void posix_timers_thread_gone(struct thread *thread)
{
    struct posix_timer *timer = thread->process->sig.posix_timers;

    for (; timer; timer = timer->next) {
        if (timer->receiver == thread || timer->timer.thread == thread)
            timer_stop(timer);
        if (timer->receiver == thread)
            timer->receiver = NULL;
        if (timer->timer.thread == thread)
            timer->timer.thread = NULL;
    }
}

/* Ids go up, so that one that was just freed is not given again. */
static int id_choose(struct process *process)
{
    do
        process->sig.timer_id_next = (process->sig.timer_id_next + 1) & INT_MAX;
    while (timer_find(process, (uint64_t)process->sig.timer_id_next));
    return process->sig.timer_id_next;
}

/* -EINVAL: no such clock; -EOPNOTSUPP: none that can have timers. */
static int64_t clock_choose(struct call *call, struct posix_timer *timer)
{
    uint64_t now;

    timer->timer.clock = TIMER_MONOTONIC;
    switch (timer->clock_id) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI: return 0;
    case CLOCK_PROCESS_CPUTIME_ID: timer->timer.clock = TIMER_PROCESS_CPU; return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        timer->timer.clock = TIMER_THREAD_CPU;
        timer->timer.thread = thread_of(call);
        return 0;
    default: return clock_read(call, timer->clock_id, &now) ? -EINVAL : -EOPNOTSUPP;
    }
}

/* sigevent: what is to happen, by default SIGALRM with the timer's id. */
static int64_t event_choose(struct call *call, struct posix_timer *timer, const sigevent_t *event)
{
    siginfo_t *info = &timer->entry.info;

    timer->notify = event ? event->sigev_notify : SIGEV_SIGNAL;
    info->si_signo = event ? event->sigev_signo : SIGALRM;
    info->si_code = SI_TIMER;
    info->si_tid = timer->id;
    info->si_value.sival_ptr = NULL;
    if (event)
        info->si_value = event->sigev_value;
    else
        info->si_value.sival_int = timer->id;
    switch (timer->notify) {
    case SIGEV_NONE: return 0;
    case SIGEV_THREAD_ID:
        timer->receiver = thread_find((uint32_t)event->sigev_notify_thread_id);
        if (!timer->receiver || timer->receiver->process != process_of(call))
            return -EINVAL;
        break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD: break;
    default: return -EINVAL;
    }
    return info->si_signo < 1 || info->si_signo > SIGNAL_COUNT ? -EINVAL : 0;
}

static int64_t timer_fill(struct call *call, struct posix_timer *timer, const sigevent_t *event)
{
    struct process *process = process_of(call);
    int64_t error;

    timer->clock_id = (int32_t)call->arg[0];
    timer->timer.process = process;
    timer->timer.fire = posix_timer_fire;
    timer->entry.timer = timer;
    timer->id = id_choose(process);
    error = clock_choose(call, timer);
    return error ? error : event_choose(call, timer, event);
}

int64_t sys_timer_create(struct call *call)
{
    struct process *process = process_of(call);
    struct posix_timer *timer;
    sigevent_t event;
    int64_t error;

    if (call->arg[1] && copy_in(call, &event, call->arg[1], sizeof event))
        return 0;
    timer = calloc(1, sizeof *timer);
    if (!timer)
        return -EAGAIN;
    error = timer_fill(call, timer, call->arg[1] ? &event : NULL);
    if (!error && !signal_entry_reserve(process))
        error = -EAGAIN;
    if (error) {
        free(timer);
        return error;
    }
    timer->next = process->sig.posix_timers;
    process->sig.posix_timers = timer;
    if (copy_out(call, call->arg[2], &timer->id, sizeof timer->id))
        timer_free(timer); /* made again when the memory is there */
    return 0;
}

int64_t sys_timer_delete(struct call *call)
{
    struct posix_timer *timer = timer_find(process_of(call), call->arg[0]);

    if (!timer)
        return -EINVAL;
    timer_free(timer);
    return 0;
}

/* ---- setting and asking -------------------------------------------------------------------- */

struct times { struct __kernel_timespec interval, value; }; /* struct itimerspec */

/* One whose signal has not been taken yet is about to expire. */
static struct times times_of(const struct posix_timer *timer)
{
    uint64_t left = timer_left(&timer->timer);
    bool is_over = !timer->timer.interval && timer_now(&timer->timer) >= timer->timer.expiry;

    if (timer->timer.expiry && !left && !is_over)
        left = 1;
    return (struct times){ timespec_of(timer->timer.interval), timespec_of(left) };
}

/* On the timer's own clock; that of the real-time clock is the monotonic one. */
static uint64_t expiry_of(const struct posix_timer *timer, bool absolute, uint64_t value)
{
    uint64_t expiry;
    int64_t offset = platform_realtime_offset_ns();

    if (!absolute)
        return __builtin_add_overflow(timer_now(&timer->timer), value, &expiry) ? UINT64_MAX
                                                                                : expiry;
    if (timer->clock_id != CLOCK_REALTIME && timer->clock_id != CLOCK_TAI)
        return value;
    return offset >= 0 && value <= (uint64_t)offset ? 1 : value - (uint64_t)offset;
}

static int64_t timer_set(struct posix_timer *timer, bool absolute, const struct times *times)
{
    uint64_t value = timespec_ns(&times->value);

    timer_stop(timer);
    timer->overrun = 0;
    timer->timer.interval = timespec_ns(&times->interval);
    if (!value)
        return 0;
    timer->timer.expiry = expiry_of(timer, absolute, value);
    return timer->notify == SIGEV_NONE ? 0 : timer_arm(&timer->timer);
}

int64_t sys_timer_settime(struct call *call)
{
    struct posix_timer *timer = timer_find(process_of(call), call->arg[0]);
    struct times new, old;
    int64_t error;

    if (!call->arg[2])
        return -EINVAL;
    if (copy_in(call, &new, call->arg[2], sizeof new))
        return 0;
    if (!timespec_valid(&new.interval) || !timespec_valid(&new.value) || !timer)
        return -EINVAL;
    old = times_of(timer);
    if (call->arg[3] && copy_out(call, call->arg[3], &old, sizeof old))
        return 0;
    error = timer_set(timer, call->arg[1] & ABSOLUTE_TIME, &new);
    timers_follow(call);
    return error;
}

int64_t sys_timer_gettime(struct call *call)
{
    const struct posix_timer *timer = timer_find(process_of(call), call->arg[0]);
    struct times times;

    if (!timer)
        return -EINVAL;
    times = times_of(timer);
    copy_out(call, call->arg[1], &times, sizeof times);
    return 0;
}

int64_t sys_timer_getoverrun(struct call *call)
{
    const struct posix_timer *timer = timer_find(process_of(call), call->arg[0]);

    return timer ? timer->overrun : -EINVAL;
}
