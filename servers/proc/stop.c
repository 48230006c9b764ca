/*
 * Stopping and continuing processes, and what their parents learn: signal(7),
 * "Standard signals", setpgid(2), "orphaned process group".
 */
#include "proc.h"

#include <string.h>

#define NS_PER_TICK 10000000ull /* of the times in siginfo: 100 in a second */

void process_stop(struct process *process, unsigned signal)
{
    struct process_signals *sig = &process->sig;

    if (sig->stop_signal)
        return;
    sig->stop_signal = signal;
    sig->stop_complete = false;
    sig->continue_unwaited = false;
    for (struct thread *thread = process->threads; thread; thread = thread->next)
        thread_must_look(thread);
}

void process_stop_check(struct process *process)
{
    struct process_signals *sig = &process->sig;

    if (!sig->stop_signal || sig->stop_complete)
        return;
    for (const struct thread *thread = process->threads; thread; thread = thread->next)
        if (thread->slot && !thread->sig.stopped)
            return;
    sig->stop_complete = true;
    sig->stop_unwaited = sig->stop_signal;
    signal_parent(process, CLD_STOPPED, (int)sig->stop_signal);
}

void process_resume(struct process *process, bool continued)
{
    struct process_signals *sig = &process->sig;
    bool was_complete = sig->stop_complete;

    if (!sig->stop_signal)
        return;
    sig->stop_signal = sig->stop_unwaited = 0;
    sig->stop_complete = false;
    for (struct thread *thread = process->threads; thread; thread = thread->next) {
        thread->sig.stopped = false;
        thread_must_look(thread);
    }
    if (!continued || !was_complete)
        return;
    sig->continue_unwaited = true;
    signal_parent(process, CLD_CONTINUED, SIGCONT);
}

/* ---- the parent ---------------------------------------------------------------------- */

bool parent_ignores_children(const struct process *parent)
{
    const struct linux_sigaction *action = &parent->sig.actions[SIGCHLD - 1];

    return action->sa_handler == SIG_IGN || action->sa_flags & SA_NOCLDWAIT;
}

static bool is_end(int code) { return code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED; }

static unsigned signal_for_parent(const struct process *child, const struct process *parent,
                                  int code)
{
    const struct linux_sigaction *action = &parent->sig.actions[SIGCHLD - 1];

    if (is_end(code))
        return child->sig.exit_signal;
    return action->sa_flags & SA_NOCLDSTOP ? 0 : SIGCHLD;
}

void signal_parent(struct process *process, int code, int status)
{
    struct process *parent = process_find(process->parent);
    siginfo_t info;

    if (!parent || parent->zombie)
        return;
    wake_all(&parent->child_events);
    memset(&info, 0, sizeof info);
    info.si_signo = (int)signal_for_parent(process, parent, code);
    info.si_code = code;
    info.si_pid = (int)process->pid;
    info.si_uid = process->cred.uid.real;
    info.si_status = status;
    info.si_utime = (__kernel_clock_t)(process_time_ns(process) / NS_PER_TICK);
    if (info.si_signo)
        (void)signal_send(parent, NULL, &info); /* a standard signal always finds room */
}

/* ---- orphaned groups -------------------------------------------------------------------- */

bool group_is_orphaned(uint32_t group)
{
    for (const struct process *process = process_first(); process; process = process->hh.next) {
        const struct process *parent = process_find(process->parent);

        if (process->group == group && !process->zombie && parent && parent->group != group &&
            parent->session == process->session)
            return false;
    }
    return true;
}
