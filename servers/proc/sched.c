/*
 * Scheduling parameters: sched(7), getpriority(2). All threads are SCHED_OTHER.
 */
#include "platform.h"
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <string.h>

#define NICE_LOWEST 19
#define NICE_HIGHEST (-20)
#define QUANTUM_NS 10000000 /* of the router's scheduling contexts */

_Static_assert(MAX_CPUS <= 64, "one word holds the set of CPUs");

int64_t sys_sched_getaffinity(struct call *call)
{
    unsigned cpus = platform_cpu_count();
    uint64_t bytes = (uint32_t)call->arg[1], set = cpus < 64 ? (1ull << cpus) - 1 : UINT64_MAX;

    if (bytes * 8 < cpus || bytes % sizeof set)
        return -EINVAL;
    if (!thread_named(call, call->arg[0]))
        return -ESRCH;
    if (copy_out(call, call->arg[2], &set, sizeof set))
        return 0;
    return sizeof set;
}

int64_t sys_sched_getscheduler(struct call *call)
{
    if ((int32_t)call->arg[0] < 0)
        return -EINVAL;
    return thread_named(call, call->arg[0]) ? SCHED_NORMAL : -ESRCH;
}

int64_t sys_sched_getparam(struct call *call)
{
    const int32_t priority = 0;

    if ((int32_t)call->arg[0] < 0 || !call->arg[1])
        return -EINVAL;
    if (!thread_named(call, call->arg[0]))
        return -ESRCH;
    copy_out(call, call->arg[1], &priority, sizeof priority);
    return 0;
}

int64_t sys_sched_get_priority_max(struct call *call)
{
    switch ((int32_t)call->arg[0]) {
    case SCHED_FIFO:
    case SCHED_RR: return 99;
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE: return 0;
    default: return -EINVAL;
    }
}

int64_t sys_sched_get_priority_min(struct call *call)
{
    int64_t highest = sys_sched_get_priority_max(call);

    return highest > 0 ? 1 : highest;
}

int64_t sys_sched_rr_get_interval(struct call *call)
{
    const struct __kernel_timespec interval = { .tv_nsec = QUANTUM_NS };

    if ((int32_t)call->arg[0] < 0)
        return -EINVAL;
    if (!thread_named(call, call->arg[0]))
        return -ESRCH;
    copy_out(call, call->arg[1], &interval, sizeof interval);
    return 0;
}

/* ---- niceness: kept and inherited; the kernel gives equal shares --------------------- */

static bool is_named(struct call *call, const struct process *process)
{
    const struct process *self = process_of(call);
    uint32_t who = (uint32_t)call->arg[1];

    switch ((int32_t)call->arg[0]) {
    case PRIO_PROCESS: return process->pid == (who ? who : self->pid);
    case PRIO_PGRP: return process->group == (who ? who : self->group);
    default: return process->cred.uid.real == (who ? who : self->cred.uid.real);
    }
}

static bool selector_valid(struct call *call)
{
    return (int32_t)call->arg[0] >= PRIO_PROCESS && (int32_t)call->arg[0] <= PRIO_USER;
}

/* Returns 20 minus the best niceness, as the system call (not the libc function) does. */
int64_t sys_getpriority(struct call *call)
{
    int best = NICE_LOWEST + 1;

    if (!selector_valid(call))
        return -EINVAL;
    for (const struct process *process = process_first(); process; process = process->hh.next) {
        if (!is_named(call, process))
            continue;
        for (const struct thread *thread = process->threads; thread; thread = thread->next)
            if (thread->nice < best)
                best = thread->nice;
    }
    return best > NICE_LOWEST ? -ESRCH : 20 - best;
}

static int64_t nice_check(struct call *call, const struct process *process, int nice)
{
    const struct credentials *mine = &process_of(call)->cred, *theirs = &process->cred;
    uint64_t ceiling = process->limits[RLIMIT_NICE].rlim_cur;

    if (credentials_capable(mine, CAP_SYS_NICE))
        return 0;
    if (mine->uid.effective != theirs->uid.real && mine->uid.effective != theirs->uid.effective)
        return -EPERM;
    if (process->threads && nice < process->threads->nice && (uint64_t)(20 - nice) > ceiling)
        return -EACCES;
    return 0;
}

int64_t sys_setpriority(struct call *call)
{
    int nice = (int32_t)call->arg[2];
    int64_t result = -ESRCH, error;

    if (!selector_valid(call))
        return -EINVAL;
    nice = nice < NICE_HIGHEST ? NICE_HIGHEST : nice > NICE_LOWEST ? NICE_LOWEST : nice;
    for (struct process *process = process_first(); process; process = process->hh.next) {
        if (!is_named(call, process))
            continue;
        error = nice_check(call, process, nice);
        for (struct thread *thread = process->threads; thread && !error; thread = thread->next)
            thread->nice = nice;
        if (error || result == -ESRCH)
            result = error;
    }
    return result;
}
