/*
 * Time used: times(2), getrusage(2), and what wait4(2) says about a child.
 */
#include "rusage.h"

#include "clock.h"
#include "platform.h"

#include <gen/linux_calls_proc.h>
#include <linux/times.h>
#include <string.h>

#define TICKS_PER_SECOND 100u /* USER_HZ */
#define NS_PER_TICK (NS_PER_SECOND / TICKS_PER_SECOND)
#define NS_PER_US 1000u

/* Time is not split between user and system: all of it counts as the user's. What is not
 * counted is 0, as getrusage(2) allows. */
void rusage_fill(struct rusage *usage, uint64_t ns)
{
    memset(usage, 0, sizeof *usage);
    usage->ru_utime.tv_sec = (__kernel_long_t)(ns / NS_PER_SECOND);
    usage->ru_utime.tv_usec = (__kernel_long_t)(ns % NS_PER_SECOND / NS_PER_US);
}

int64_t sys_times(struct call *call)
{
    const struct process *process = process_of(call);
    const struct tms times = {
        .tms_utime = (__kernel_clock_t)(process_time_ns(process) / NS_PER_TICK),
        .tms_cutime = (__kernel_clock_t)(process->children_time_ns / NS_PER_TICK),
    };

    if (call->arg[0] && copy_out(call, call->arg[0], &times, sizeof times))
        return 0;
    return (int64_t)(platform_now_ns() / NS_PER_TICK);
}

int64_t sys_getrusage(struct call *call)
{
    struct rusage usage;
    uint64_t ns;

    switch ((int32_t)call->arg[0]) {
    case RUSAGE_SELF: ns = process_time_ns(process_of(call)); break;
    case RUSAGE_CHILDREN: ns = process_of(call)->children_time_ns; break;
    case RUSAGE_THREAD: ns = thread_time_ns(thread_of(call)); break;
    default: return -EINVAL;
    }
    rusage_fill(&usage, ns);
    copy_out(call, call->arg[1], &usage, sizeof usage);
    return 0;
}
