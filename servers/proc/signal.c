/*
 * Dispositions, masks, pending signals and alternate stacks: what a process has
 * said about signals. rt_sigaction(2), rt_sigprocmask(2), sigaltstack(2).
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <string.h>

#define SA_KNOWN                                                                                  \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |             \
     SA_RESETHAND | SA_EXPOSE_TAGBITS | SA_RESTORER)
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static uint64_t handler_of(const struct process *process, unsigned signal)
{
    return (uint64_t)(uintptr_t)process->actions[signal - 1].sa_handler;
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

void signals_after_exec(struct process *process, struct thread *thread)
{
    for (unsigned signal = 1; signal <= SIGNAL_COUNT; signal++) {
        struct linux_sigaction *action = &process->actions[signal - 1];
        bool ignored = handler_of(process, signal) == (uint64_t)(uintptr_t)SIG_IGN;

        memset(action, 0, sizeof *action);
        if (ignored)
            action->sa_handler = SIG_IGN;
    }
    thread->alt_stack = (linux_stack_t){ .ss_flags = SS_DISABLE };
}

/* Ignored signals that pend are dropped; those with handlers stay. */
void signals_check(struct call *call)
{
    struct thread *thread = thread_of(call);
    struct process *process = thread->process;

    for (unsigned signal = 1; signal <= SIGNAL_COUNT; signal++) {
        signal_set_t bit = signal_bit(signal);

        if (!((thread->pending | process->pending) & ~thread->mask & bit))
            continue;
        switch (signal_effect(process, signal)) {
        case SIGNAL_FATAL:
            call->answer_word[0] = FOLLOW_DEATH;
            call->answer_word[1] = signal;
            return;
        case SIGNAL_IGNORED:
            thread->pending &= ~bit;
            process->pending &= ~bit;
            break;
        case SIGNAL_STOPS:
        case SIGNAL_HANDLED: break;
        }
    }
}

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
    struct linux_sigaction *stored = &process->actions[signal - 1];

    *stored = *action;
    stored->sa_flags &= SA_KNOWN;
    stored->sa_mask &= ~SIGNALS_FORCED;
    if (signal_effect(process, signal) != SIGNAL_IGNORED)
        return;
    process->pending &= ~signal_bit(signal);
    for (struct thread *thread = process->threads; thread; thread = thread->next)
        thread->pending &= ~signal_bit(signal);
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
        copy_out(call, call->arg[2], &process->actions[signal - 1], sizeof action))
        return 0;
    if (call->arg[1])
        action_set(process, signal, &action);
    return 0;
}

static int64_t mask_change(signal_set_t old, uint64_t how, signal_set_t set, signal_set_t *new)
{
    set &= ~SIGNALS_FORCED;
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
    signal_set_t set, old = thread->mask, new = old;
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
    thread->mask = new;
    signals_check(call);
    return 0;
}

int64_t sys_rt_sigpending(struct call *call)
{
    const struct thread *thread = thread_of(call);
    signal_set_t set = (thread->pending | thread->process->pending) & thread->mask;

    if (call->arg[1] > sizeof set)
        return -EINVAL;
    copy_out(call, call->arg[0], &set, call->arg[1]);
    return 0;
}

static int64_t alt_stack_check(linux_stack_t *stack)
{
    uint32_t mode = (uint32_t)stack->ss_flags & ~SS_AUTODISARM;

    if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        stack->ss_sp = NULL;
        stack->ss_size = 0;
    } else if (stack->ss_size < MINSIGSTKSZ) {
        return -ENOMEM;
    }
    return 0;
}

/* No handler runs yet, so the thread is never on its alternate stack. */
int64_t sys_sigaltstack(struct call *call)
{
    struct thread *thread = thread_of(call);
    linux_stack_t new;
    int64_t error;

    if (call->arg[0]) {
        if (copy_in(call, &new, call->arg[0], sizeof new))
            return 0;
        error = alt_stack_check(&new);
        if (error)
            return error;
    }
    if (call->arg[1] && copy_out(call, call->arg[1], &thread->alt_stack, sizeof new))
        return 0;
    if (call->arg[0])
        thread->alt_stack = new;
    return 0;
}
