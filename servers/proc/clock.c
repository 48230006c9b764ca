/*
 * Clocks and the CPU time of threads: clock_gettime(2).
 */
#include "clock.h"

#include "platform.h"

#include <gen/linux_calls_proc.h>
#include <linux/capability.h>
#include <linux/time_types.h>
#include <string.h>

#define NS_PER_US 1000ull

/* A negative clock id names the CPU-time clock of a process or thread:
 * the complement of its id, then three bits (clock_getcpuclockid(3)). */
#define CPU_CLOCK_KIND_MASK 3
#define CPU_CLOCK_FD 3
#define CPU_CLOCK_THREAD 4

uint64_t thread_time_ns(const struct thread *thread)
{
    uint64_t ns = thread->time_ns;

    if (thread->time_source != SEL_NONE)
        ns += platform_time_used_ns(thread->time_source);
    return ns;
}

uint64_t process_time_ns(const struct process *process)
{
    uint64_t ns = process->time_ns;

    for (const struct thread *thread = process->threads; thread; thread = thread->next)
        ns += thread_time_ns(thread);
    return ns;
}

static uint64_t realtime_ns(void)
{
    return platform_now_ns() + (uint64_t)platform_realtime_offset_ns();
}

static int64_t cpu_clock_read(const struct call *call, int32_t clock, uint64_t *ns)
{
    uint32_t id = ~(uint32_t)(clock >> 3);
    const struct process *process;
    const struct thread *thread;

    if ((clock & CPU_CLOCK_KIND_MASK) == CPU_CLOCK_FD)
        return -EINVAL;
    if (clock & CPU_CLOCK_THREAD) {
        thread = thread_named(call, id);
        if (!thread || thread->process != process_of(call))
            return -EINVAL;
        *ns = thread_time_ns(thread);
        return 0;
    }
    process = process_named(call, id);
    if (!process)
        return -EINVAL;
    *ns = process_time_ns(process);
    return 0;
}

int64_t clock_read(const struct call *call, int32_t clock, uint64_t *ns)
{
    if (clock < 0)
        return cpu_clock_read(call, clock, ns);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: *ns = realtime_ns(); return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *ns = platform_now_ns(); return 0;
    case CLOCK_PROCESS_CPUTIME_ID: *ns = process_time_ns(process_of(call)); return 0;
    case CLOCK_THREAD_CPUTIME_ID: *ns = thread_time_ns(thread_of(call)); return 0;
    default: return -EINVAL;
    }
}

int64_t sys_clock_gettime(struct call *call)
{
    struct __kernel_timespec time;
    uint64_t ns;
    int64_t error = clock_read(call, (int32_t)call->arg[0], &ns);

    if (error)
        return error;
    time.tv_sec = (int64_t)(ns / NS_PER_SECOND);
    time.tv_nsec = (int64_t)(ns % NS_PER_SECOND);
    copy_out(call, call->arg[1], &time, sizeof time);
    return 0;
}

/* All clocks count single nanoseconds. */
int64_t sys_clock_getres(struct call *call)
{
    const struct __kernel_timespec resolution = { .tv_nsec = 1 };
    uint64_t ns;
    int64_t error = clock_read(call, (int32_t)call->arg[0], &ns);

    if (error)
        return error;
    if (call->arg[1])
        copy_out(call, call->arg[1], &resolution, sizeof resolution);
    return 0;
}

int64_t sys_gettimeofday(struct call *call)
{
    const uint64_t now = realtime_ns();
    const struct __kernel_old_timeval time = {
        .tv_sec = (__kernel_long_t)(now / NS_PER_SECOND),
        .tv_usec = (__kernel_long_t)(now % NS_PER_SECOND / NS_PER_US),
    };
    const int32_t zone[2] = { 0, 0 }; /* struct timezone: minutes west of UTC, no DST */

    if (call->arg[0] && copy_out(call, call->arg[0], &time, sizeof time))
        return 0;
    if (call->arg[1])
        copy_out(call, call->arg[1], zone, sizeof zone);
    return 0;
}

int64_t sys_time(struct call *call)
{
    int64_t seconds = (int64_t)(realtime_ns() / NS_PER_SECOND);

    if (call->arg[0] && copy_out(call, call->arg[0], &seconds, sizeof seconds))
        return 0;
    return seconds;
}
