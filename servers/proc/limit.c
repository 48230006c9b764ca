/*
 * Resource limits: getrlimit(2).
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>
#include <linux/capability.h>

#define NOFILE_CEILING (1024u * 1024u) /* /proc/sys/fs/nr_open */
#define STACK_DEFAULT (8u * 1024 * 1024)
#define MEMLOCK_DEFAULT (8u * 1024 * 1024)
#define MSGQUEUE_DEFAULT 819200u

/* As Linux begins (include/asm-generic/resource.h); the number of processes is ours. */
void limits_init(struct rlimit64 *limits)
{
    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        limits[i] = (struct rlimit64){ RLIM64_INFINITY, RLIM64_INFINITY };
    limits[RLIMIT_STACK].rlim_cur = STACK_DEFAULT;
    limits[RLIMIT_CORE].rlim_cur = 0;
    limits[RLIMIT_NPROC] = (struct rlimit64){ MAX_SLOTS - 1, MAX_SLOTS - 1 };
    limits[RLIMIT_NOFILE] = (struct rlimit64){ 1024, 4096 };
    limits[RLIMIT_MEMLOCK] = (struct rlimit64){ MEMLOCK_DEFAULT, MEMLOCK_DEFAULT };
    limits[RLIMIT_SIGPENDING] = (struct rlimit64){ MAX_SLOTS - 1, MAX_SLOTS - 1 };
    limits[RLIMIT_MSGQUEUE] = (struct rlimit64){ MSGQUEUE_DEFAULT, MSGQUEUE_DEFAULT };
    limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (struct rlimit64){ 0, 0 };
}

/* Another process's limits are for its owner and for CAP_SYS_RESOURCE. */
static bool may_access(const struct process *self, const struct process *other)
{
    const struct credentials *mine = &self->cred, *theirs = &other->cred;

    if (self == other || credentials_capable(mine, CAP_SYS_RESOURCE))
        return true;
    return mine->uid.real == theirs->uid.real && mine->uid.real == theirs->uid.effective &&
           mine->uid.real == theirs->uid.saved && mine->gid.real == theirs->gid.real &&
           mine->gid.real == theirs->gid.effective && mine->gid.real == theirs->gid.saved;
}

static int64_t limit_check(const struct process *self, const struct rlimit64 *old,
                           const struct rlimit64 *new, unsigned resource)
{
    if (new->rlim_cur > new->rlim_max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && new->rlim_max > NOFILE_CEILING)
        return -EPERM;
    if (new->rlim_max > old->rlim_max && !credentials_capable(&self->cred, CAP_SYS_RESOURCE))
        return -EPERM;
    return 0;
}

/* new_at, old_at: addresses in the caller's memory, 0 for none. */
static int64_t limit_exchange(struct call *call, struct process *process, unsigned resource,
                              uint64_t new_at, uint64_t old_at)
{
    struct rlimit64 new, old;
    int64_t error;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    old = process->limits[resource];
    if (new_at) {
        if (copy_in(call, &new, new_at, sizeof new))
            return 0;
        error = limit_check(process_of(call), &old, &new, resource);
        if (error)
            return error;
    }
    if (old_at && copy_out(call, old_at, &old, sizeof old))
        return 0;
    if (new_at)
        process->limits[resource] = new;
    return 0;
}

int64_t sys_prlimit64(struct call *call)
{
    struct process *process = process_named(call, call->arg[0]);

    if ((uint32_t)call->arg[1] >= RLIM_NLIMITS)
        return -EINVAL;
    if (!process)
        return -ESRCH;
    if (!may_access(process_of(call), process))
        return -EPERM;
    return limit_exchange(call, process, (unsigned)call->arg[1], call->arg[2], call->arg[3]);
}

/* On x86_64, struct rlimit is struct rlimit64. A null pointer is a bad address here. */
int64_t sys_getrlimit(struct call *call)
{
    unsigned resource = (unsigned)call->arg[0];

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    copy_out(call, call->arg[1], &process_of(call)->limits[resource], sizeof(struct rlimit64));
    return 0;
}

int64_t sys_setrlimit(struct call *call)
{
    struct rlimit64 new;

    if (copy_in(call, &new, call->arg[1], sizeof new))
        return 0;
    return limit_exchange(call, process_of(call), (unsigned)call->arg[0], call->arg[1], 0);
}

int64_t proc_op_limit(struct call *call, uint32_t pid, uint32_t resource, uint64_t *soft,
                      uint64_t *hard)
{
    const struct process *process = process_find(pid);

    (void)call;
    if (!process)
        return -ESRCH;
    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    *soft = process->limits[resource].rlim_cur;
    *hard = process->limits[resource].rlim_max;
    return 0;
}
