/*
 * The three timers that each process has: setitimer(2), getitimer(2), alarm(2).
 */
#include "timers.h"

#include "clock.h"
#include "platform.h"

#include <gen/linux_calls_proc.h>
#include <string.h>

#define NS_PER_US 1000ull
#define US_PER_SECOND 1000000
#define SECONDS_MAX (INT64_MAX / (int64_t)NS_PER_SECOND)
/* As long as nobody has taken the last signal, no more come than this. */
#define INTERVAL_MIN_NS 1000000ull

static const unsigned signals[ITIMER_COUNT] = {
    [ITIMER_REAL] = SIGALRM, [ITIMER_VIRTUAL] = SIGVTALRM, [ITIMER_PROF] = SIGPROF,
};

static struct itimers *itimers_of(struct process *process) { return &process->sig.itimers; }

static void timer_again(struct timer *timer)
{
    uint64_t soon = timer_now(timer) + INTERVAL_MIN_NS;

    timer_advance(timer);
    if (timer->interval < INTERVAL_MIN_NS && timer->expiry < soon)
        timer->expiry = soon;
    must(timer_arm(timer) == 0); /* there is room: it has just left */
}

static void itimer_fire(struct timer *timer)
{
    struct process *process = timer->process;
    long which = timer - itimers_of(process)->timer;
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = (int)signals[which];
    info.si_code = SI_KERNEL;
    (void)signal_send(process, NULL, &info); /* a standard signal always finds room */
    timer->expiry = timer->interval ? timer->expiry : 0;
    if (timer->interval)
        timer_again(timer);
}

void itimers_init(struct process *process)
{
    for (int i = 0; i < ITIMER_COUNT; i++)
        itimers_of(process)->timer[i] = (struct timer){
            .clock = i == ITIMER_REAL ? TIMER_MONOTONIC : TIMER_PROCESS_CPU,
            .process = process, .fire = itimer_fire,
        };
}

void itimers_free(struct process *process)
{
    for (int i = 0; i < ITIMER_COUNT; i++) {
        timer_disarm(&itimers_of(process)->timer[i]);
        itimers_of(process)->timer[i].expiry = 0;
    }
}

/* value, interval in ns; value 0 ends it. */
static int itimer_set(struct timer *timer, uint64_t value, uint64_t interval)
{
    struct timer before = *timer;
    int error = 0;

    if (!value) {
        timer_disarm(timer);
        timer->expiry = 0;
        return 0;
    }
    timer->interval = interval;
    timer->expiry = timer_now(timer) + value;
    error = timer_arm(timer);
    if (error) {
        timer->interval = before.interval;
        timer->expiry = before.expiry;
    }
    return error;
}

/* ---- times in memory ---------------------------------------------------------------- */

static struct __kernel_old_timeval timeval_of(uint64_t ns)
{
    return (struct __kernel_old_timeval){
        .tv_sec = (__kernel_long_t)(ns / NS_PER_SECOND),
        .tv_usec = (__kernel_suseconds_t)(ns % NS_PER_SECOND / NS_PER_US),
    };
}

static bool timeval_valid(const struct __kernel_old_timeval *time)
{
    return time->tv_sec >= 0 && time->tv_usec >= 0 && time->tv_usec < US_PER_SECOND;
}

static uint64_t timeval_ns(const struct __kernel_old_timeval *time)
{
    int64_t seconds = time->tv_sec < SECONDS_MAX ? time->tv_sec : SECONDS_MAX;

    return (uint64_t)seconds * NS_PER_SECOND + (uint64_t)time->tv_usec * NS_PER_US;
}

struct times { struct __kernel_old_timeval interval, value; }; /* struct itimerval */

/* One that is about to expire still has a microsecond. */
static struct times times_of(const struct timer *timer)
{
    uint64_t left = timer_left(timer);

    if (timer->expiry && left < NS_PER_US)
        left = NS_PER_US;
    return (struct times){ timeval_of(timer->expiry ? timer->interval : 0), timeval_of(left) };
}

/* ---- calls ------------------------------------------------------------------------------ */

int64_t sys_getitimer(struct call *call)
{
    struct times times;

    if (call->arg[0] >= ITIMER_COUNT)
        return -EINVAL;
    times = times_of(&itimers_of(process_of(call))->timer[call->arg[0]]);
    copy_out(call, call->arg[1], &times, sizeof times);
    return 0;
}

int64_t sys_setitimer(struct call *call)
{
    struct times new = { { 0, 0 }, { 0, 0 } }, old;
    struct timer *timer;
    int64_t error;

    if (call->arg[0] >= ITIMER_COUNT)
        return -EINVAL;
    timer = &itimers_of(process_of(call))->timer[call->arg[0]];
    if (call->arg[1] && copy_in(call, &new, call->arg[1], sizeof new))
        return 0;
    if (!timeval_valid(&new.value) || !timeval_valid(&new.interval))
        return -EINVAL;
    old = times_of(timer);
    if (call->arg[2] && copy_out(call, call->arg[2], &old, sizeof old))
        return 0;
    error = itimer_set(timer, timeval_ns(&new.value), timeval_ns(&new.interval));
    timers_follow(call);
    return error;
}

/* Seconds that are left are rounded, but never to none. */
int64_t sys_alarm(struct call *call)
{
    struct timer *timer = &itimers_of(process_of(call))->timer[ITIMER_REAL];
    uint64_t left = timer_left(timer), seconds = (left + NS_PER_SECOND / 2) / NS_PER_SECOND;
    int64_t error = itimer_set(timer, (uint64_t)(uint32_t)call->arg[0] * NS_PER_SECOND, 0);

    if (error)
        return error;
    timers_follow(call);
    return left && !seconds ? 1 : (int64_t)seconds;
}
