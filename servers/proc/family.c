/*
 * Parents and children: how a process ends, who inherits its children, what a
 * zombie leaves. wait(2), "Notes"; prctl(2), PR_SET_CHILD_SUBREAPER; setpgid(2).
 */
#include "proc.h"

#include <gen/proc_server.h>
#include <string.h>

/* ---- the list of children, oldest first ---------------------------------------- */

void child_add(struct process *parent, struct process *child)
{
    child->parent = parent->pid;
    child->sibling_next = NULL;
    child->sibling_prev = parent->child_last;
    *(parent->child_last ? &parent->child_last->sibling_next : &parent->child_first) = child;
    parent->child_last = child;
}

/* Does nothing for who has no parent. */
void child_remove(struct process *child)
{
    struct process *parent = process_find(child->parent);

    if (!parent)
        return;
    *(child->sibling_prev ? &child->sibling_prev->sibling_next : &parent->child_first) =
        child->sibling_next;
    *(child->sibling_next ? &child->sibling_next->sibling_prev : &parent->child_last) =
        child->sibling_prev;
    child->sibling_next = child->sibling_prev = NULL;
    child->parent = 0;
}

/* ---- the end ------------------------------------------------------------------------ */

/* The parent has taken note of it. */
void process_reap(struct process *parent, struct process *zombie)
{
    parent->children_time_ns += zombie->time_ns + zombie->children_time_ns;
    process_free(zombie);
}

/* Tells the parent; without one that wants to know, the zombie is gone at once. */
static void zombie_announce(struct process *zombie)
{
    const struct process *parent = process_find(zombie->parent);
    unsigned signal = zombie->status & WAIT_SIGNAL_MASK;
    bool is_unwanted = !parent || (zombie->sig.exit_signal == SIGCHLD &&
                                   parent_ignores_children(parent));

    if (signal)
        signal_parent(zombie, zombie->status & WAIT_CORE ? CLD_DUMPED : CLD_KILLED, (int)signal);
    else
        signal_parent(zombie, CLD_EXITED, (int)(zombie->status >> 8 & 0xff));
    if (is_unwanted)
        process_free(zombie);
}

static bool group_has_stopped(uint32_t group)
{
    for (const struct process *process = process_first(); process; process = process->hh.next)
        if (process->group == group && !process->zombie && process->sig.stop_signal)
            return true;
    return false;
}

/* The process has lost this parent, or is a zombie: was that what kept its group from
 * being orphaned? Then nobody could continue its stopped members. */
static void group_lost_parent(const struct process *process, const struct process *parent)
{
    uint32_t group = process->group;

    if (!parent || parent->group == group || parent->session != process->session)
        return;
    if (!group_has_stopped(group) || !group_is_orphaned(group))
        return;
    signal_send_group(group, SIGHUP);
    signal_send_group(group, SIGCONT);
}

/* The nearest ancestor that asked for it, else the first process; NULL: process is that. */
static struct process *reaper_of(const struct process *process)
{
    struct process *reaper = process_find(process->parent);

    while (reaper && reaper->parent && (!reaper->subreaper || reaper->zombie))
        reaper = process_find(reaper->parent);
    return reaper && !reaper->zombie ? reaper : NULL;
}

static void death_signal_send(struct process *child, const struct process *parent)
{
    siginfo_t info;

    if (!child->death_signal || child->zombie)
        return;
    memset(&info, 0, sizeof info);
    info.si_signo = (int)child->death_signal;
    info.si_code = SI_USER;
    info.si_pid = (int)parent->pid;
    info.si_uid = parent->cred.uid.real;
    (void)signal_send(child, NULL, &info); /* one that finds no room is lost, as in Linux */
}

static void children_leave(struct process *parent)
{
    struct process *reaper = reaper_of(parent), *child;

    while ((child = parent->child_first)) {
        death_signal_send(child, parent);
        child_remove(child);
        if (reaper)
            child_add(reaper, child);
        child->sig.exit_signal = SIGCHLD;
        group_lost_parent(child, parent);
        if (child->zombie)
            zombie_announce(child);
    }
}

/* What a zombie does not need. */
static void process_retire(struct process *process, uint32_t status)
{
    signals_process_free(process);
    threads_free(process);
    ipc_cap_drop(process->space);
    process->space = SEL_NONE;
    process->status = status;
    process->zombie = true;
}

int64_t proc_op_process_exit(struct call *call, uint32_t pid, uint32_t status)
{
    struct process *process = process_find(pid);

    (void)call;
    if (!process || process->zombie)
        return -ESRCH;
    process_retire(process, status);
    children_leave(process);
    group_lost_parent(process, process_find(process->parent));
    zombie_announce(process);
    return 0;
}

int64_t proc_op_process_abort(struct call *call, uint32_t pid)
{
    struct process *process = process_find(pid);

    (void)call;
    if (!process || process->zombie || process->child_first)
        return -ESRCH;
    process_free(process);
    return 0;
}
