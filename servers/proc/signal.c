/*
 * Dispositions and masks: rt_sigaction(2), rt_sigprocmask(2), rt_sigpending(2).
 */
#include "proc.h"

#include "timers.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>
#include <string.h>

#define SA_KNOWN                                                                                  \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |             \
     SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER)

static uint64_t handler_of(const struct process *process, unsigned signal)
{
    return (uint64_t)(uintptr_t)process->sig.actions[signal - 1].sa_handler;
}

/* signal(7), the table of standard signals. */
static enum signal_effect default_effect(unsigned signal)
{
    switch (signal) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH: return SIGNAL_IGNORED;
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return SIGNAL_STOPS;
    default: return SIGNAL_FATAL;
    }
}

enum signal_effect signal_effect(const struct process *process, unsigned signal)
{
    switch (handler_of(process, signal)) {
    case (uint64_t)(uintptr_t)SIG_DFL: return default_effect(signal);
    case (uint64_t)(uintptr_t)SIG_IGN: return SIGNAL_IGNORED;
    default: return SIGNAL_HANDLED;
    }
}

/* ---- coming and going ---------------------------------------------------------------- */

static const linux_stack_t no_stack = { .ss_flags = SS_DISABLE };

void signals_inherit(struct process *child, const struct process *parent)
{
    child->sig.exit_signal = SIGCHLD;
    if (parent)
        memcpy(child->sig.actions, parent->sig.actions, sizeof child->sig.actions);
}

void signals_thread_init(struct thread *thread, const struct thread *creator, bool own_memory)
{
    thread->sig.stack = creator && own_memory ? creator->sig.stack : no_stack;
    thread->sig.mask = creator ? creator->sig.mask : 0;
}

/* The mask and what pends stay. */
void signals_after_exec(struct process *process, struct thread *thread)
{
    for (unsigned signal = 1; signal <= SIGNAL_COUNT; signal++) {
        struct linux_sigaction *action = &process->sig.actions[signal - 1];
        bool ignored = handler_of(process, signal) == (uint64_t)(uintptr_t)SIG_IGN;

        memset(action, 0, sizeof *action);
        if (ignored)
            action->sa_handler = SIG_IGN;
    }
    process->sig.exit_signal = SIGCHLD;
    thread->sig.stack = no_stack;
    posix_timers_free(process);
}

void signals_thread_free(struct thread *thread)
{
    thread_need_not_look(thread);
    wake_all(&thread->sig.waiting);
    signal_queue_drop(&thread->sig.pending, thread->process, UINT64_MAX);
    posix_timers_thread_gone(thread);
}

void signals_process_free(struct process *process)
{
    posix_timers_free(process);
    itimers_free(process);
    signal_queue_drop(&process->sig.pending, process, UINT64_MAX);
    process->sig.stop_signal = 0;
}

/* ---- dispositions ---------------------------------------------------------------------- */

static int64_t action_check(const struct linux_sigaction *action, unsigned signal)
{
    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    if (action && signal_bit(signal) & SIGNALS_FORCED)
        return -EINVAL;
    return 0;
}

static void action_set(struct process *process, unsigned signal,
                       const struct linux_sigaction *action)
{
    struct linux_sigaction *stored = &process->sig.actions[signal - 1];

    *stored = *action;
    stored->sa_flags &= SA_KNOWN;
    stored->sa_mask &= ~SIGNALS_FORCED;
    if (signal_effect(process, signal) != SIGNAL_IGNORED)
        return;
    signal_queue_drop(&process->sig.pending, process, signal_bit(signal));
    for (struct thread *thread = process->threads; thread; thread = thread->next)
        signal_queue_drop(&thread->sig.pending, process, signal_bit(signal));
}

int64_t sys_rt_sigaction(struct call *call)
{
    struct process *process = process_of(call);
    struct linux_sigaction action;
    unsigned signal = (unsigned)call->arg[0];
    int64_t error;

    if (call->arg[3] != sizeof(signal_set_t))
        return -EINVAL;
    if (call->arg[1] && copy_in(call, &action, call->arg[1], sizeof action))
        return 0;
    error = action_check(call->arg[1] ? &action : NULL, signal);
    if (error)
        return error;
    if (call->arg[2] &&
        copy_out(call, call->arg[2], &process->sig.actions[signal - 1], sizeof action))
        return 0;
    if (call->arg[1])
        action_set(process, signal, &action);
    return 0;
}

/* ---- masks -------------------------------------------------------------------------------- */

signal_set_t signals_deliverable(const struct thread *thread)
{
    return (thread->sig.pending.set | thread->process->sig.pending.set) & ~thread->sig.mask;
}

void signals_set_mask(struct thread *thread, signal_set_t mask)
{
    signal_set_t blocked = mask & ~SIGNALS_FORCED & ~thread->sig.mask;

    thread->sig.mask = mask & ~SIGNALS_FORCED;
    if (blocked & thread->process->sig.pending.set)
        signal_redirect(thread->process, blocked);
}

static int64_t mask_change(signal_set_t old, uint64_t how, signal_set_t set, signal_set_t *new)
{
    switch ((int32_t)how) {
    case SIG_BLOCK: *new = old | set; return 0;
    case SIG_UNBLOCK: *new = old & ~set; return 0;
    case SIG_SETMASK: *new = set; return 0;
    default: return -EINVAL;
    }
}

int64_t sys_rt_sigprocmask(struct call *call)
{
    struct thread *thread = thread_of(call);
    signal_set_t set, old = thread->sig.mask, new = old;
    int64_t error;

    if (call->arg[3] != sizeof set)
        return -EINVAL;
    if (call->arg[1]) {
        if (copy_in(call, &set, call->arg[1], sizeof set))
            return 0;
        error = mask_change(old, call->arg[0], set, &new);
        if (error)
            return error;
    }
    if (call->arg[2] && copy_out(call, call->arg[2], &old, sizeof old))
        return 0;
    signals_set_mask(thread, new);
    if (signals_deliverable(thread))
        thread_must_look(thread);
    signals_follow(call);
    return 0;
}

int64_t sys_rt_sigpending(struct call *call)
{
    const struct thread *thread = thread_of(call);
    signal_set_t set =
        (thread->sig.pending.set | thread->process->sig.pending.set) & thread->sig.mask;

    if (call->arg[1] > sizeof set)
        return -EINVAL;
    copy_out(call, call->arg[0], &set, call->arg[1]);
    return 0;
}

/* For a call of the router that has its own mask while it waits. */
int64_t proc_op_signal_mask(struct call *call, uint32_t slot, uint64_t mask)
{
    struct thread *thread = thread_on(call, slot);

    if (!thread)
        return -ESRCH;
    thread->sig.saved_mask = thread->sig.mask;
    thread->sig.mask_saved = true;
    signals_set_mask(thread, mask);
    return signals_deliverable(thread) != 0;
}

int64_t proc_op_signal_mask_back(struct call *call, uint32_t slot)
{
    struct thread *thread = thread_on(call, slot);

    if (!thread)
        return -ESRCH;
    if (!thread->sig.mask_saved)
        return 0;
    thread->sig.mask_saved = false;
    signals_set_mask(thread, thread->sig.saved_mask);
    return signals_deliverable(thread) != 0;
}
