/*
 * Waiting for a time: nanosleep(2), clock_nanosleep(2).
 */
#include "clock.h"

#include "platform.h"
#include "timespec.h"

#include <gen/linux_calls_proc.h>

/* slot->aux of a sleeping call */
enum { AUX_DEADLINE = 0 };

/* Absolute times of the real-time clock become monotonic ones. */
static uint64_t deadline_of(int32_t clock, bool absolute, uint64_t ns)
{
    int64_t offset = platform_realtime_offset_ns();

    if (!absolute)
        return deadline_after(ns);
    if (clock != CLOCK_REALTIME && clock != CLOCK_TAI)
        return ns;
    if (offset >= 0 && ns < (uint64_t)offset)
        return 0;
    return ns - (uint64_t)offset;
}

static int64_t sleep_begin(struct call *call, int32_t clock, bool absolute, uint64_t request)
{
    struct __kernel_timespec time;
    uint64_t deadline;

    if (copy_in(call, &time, request, sizeof time))
        return 0;
    if (!timespec_valid(&time))
        return -EINVAL;
    deadline = deadline_of(clock, absolute, timespec_ns(&time));
    if (deadline <= platform_now_ns())
        return 0;
    call->slot->aux[AUX_DEADLINE] = deadline;
    return call_sleep(call, deadline);
}

/* A signal came: what is left of the time, except of an absolute one. */
static int64_t sleep_interrupted(struct call *call, bool absolute, uint64_t remaining)
{
    uint64_t now = platform_now_ns(), deadline = call->slot->aux[AUX_DEADLINE];
    uint64_t left = deadline > now ? deadline - now : 0;
    const struct __kernel_timespec time = timespec_of(left);

    if (!absolute && remaining && copy_out(call, remaining, &time, sizeof time))
        return 0;
    return -EINTR;
}

static int64_t sleep_step(struct call *call, int32_t clock, bool absolute, uint64_t request,
                          uint64_t remaining)
{
    uint64_t deadline = call->slot->aux[AUX_DEADLINE];

    switch (call->reason) {
    case CALL_FAULTED: return -EFAULT;
    case CALL_TIMED_OUT: return 0;
    case CALL_INTERRUPTED:
        return deadline ? sleep_interrupted(call, absolute, remaining) : -EINTR;
    case CALL_FIRST:
    case CALL_RETRY:
    case CALL_MASKED: break;
    }
    if (!deadline)
        return sleep_begin(call, clock, absolute, request);
    return deadline <= platform_now_ns() ? 0 : call_sleep(call, deadline);
}

int64_t sys_nanosleep(struct call *call)
{
    return sleep_step(call, CLOCK_MONOTONIC, false, call->arg[0], call->arg[1]);
}

int64_t sys_clock_nanosleep(struct call *call)
{
    int32_t clock = (int32_t)call->arg[0];
    bool absolute = call->arg[1] & TIMER_ABSTIME;

    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI: return sleep_step(call, clock, absolute, call->arg[2], call->arg[3]);
    case CLOCK_PROCESS_CPUTIME_ID: return -EOPNOTSUPP;
    default: return -EINVAL;
    }
}
