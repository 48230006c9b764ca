/*
 * Process groups and sessions: credentials(7), setpgid(2), setsid(2).
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>

void process_set_group(struct process *process, uint32_t group)
{
    id_ref(group);
    id_unref(process->group);
    process->group = group;
}

void process_set_session(struct process *process, uint32_t session)
{
    id_ref(session);
    id_unref(process->session);
    process->session = session;
}

static const struct process *group_member(uint32_t group)
{
    const struct process *process = process_first();

    while (process && process->group != group)
        process = process->hh.next;
    return process;
}

/* A group may be joined if it is one's own new one or exists in the same session. */
static bool group_may_join(const struct process *process, uint32_t group)
{
    const struct process *member;

    if (group == process->pid)
        return true;
    member = group_member(group);
    return member && member->session == process->session;
}

int64_t sys_setpgid(struct call *call)
{
    struct process *self = process_of(call), *process = process_named(call, call->arg[0]);
    int32_t group = (int32_t)call->arg[1];

    if (group < 0)
        return -EINVAL;
    if (!process || (process != self && process->parent != self->pid))
        return -ESRCH;
    if (process != self && process->session != self->session)
        return -EPERM;
    if (process != self && process->has_execed)
        return -EACCES;
    if (process->session == process->pid)
        return -EPERM;
    if (group == 0)
        group = (int32_t)process->pid;
    if (!group_may_join(process, (uint32_t)group))
        return -EPERM;
    process_set_group(process, (uint32_t)group);
    return 0;
}

int64_t sys_getpgid(struct call *call)
{
    const struct process *process = process_named(call, call->arg[0]);

    return process ? (int64_t)process->group : -ESRCH;
}

int64_t sys_getpgrp(struct call *call) { return process_of(call)->group; }

int64_t sys_getsid(struct call *call)
{
    const struct process *process = process_named(call, call->arg[0]);

    return process ? (int64_t)process->session : -ESRCH;
}

int64_t sys_setsid(struct call *call)
{
    struct process *process = process_of(call);

    if (process->session == process->pid || group_member(process->pid))
        return -EPERM;
    process_set_group(process, process->pid);
    process_set_session(process, process->pid);
    return process->pid;
}
