/*
 * A thread looks for signals, and does what they ask for. The router calls these
 * operations through the thread's own portal.
 */
#include "proc.h"

#include <gen/proc_server.h>
#include <proto/signals.h>
#include <string.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

struct thread *thread_on(const struct call *call, uint32_t slot)
{
    struct slot *found = slot < MAX_SLOTS ? call->server->slots[slot] : NULL;

    return found ? found->data : NULL;
}

/* The reply to signal_take. */
struct taken {
    uint32_t *signal;
    uint64_t *handler, *flags, *restorer, *mask, *stack, *stack_bytes;
    uint32_t *stack_flags, *more;
    siginfo_t *info;
};

/* What of the handler's action concerns the frame; the thread's mask is then the handler's. */
static void handler_begin(struct thread *thread, unsigned signal, const struct taken *taken)
{
    struct linux_sigaction *action = &thread->process->sig.actions[signal - 1];
    struct thread_signals *sig = &thread->sig;
    signal_set_t mask = sig->mask | action->sa_mask;

    *taken->handler = (uint64_t)(uintptr_t)action->sa_handler;
    *taken->flags = action->sa_flags;
    *taken->restorer = (uint64_t)(uintptr_t)action->sa_restorer;
    *taken->mask = sig->mask_saved ? sig->saved_mask : sig->mask;
    *taken->stack = (uint64_t)(uintptr_t)sig->stack.ss_sp;
    *taken->stack_bytes = sig->stack.ss_size;
    *taken->stack_flags = (uint32_t)sig->stack.ss_flags;
    sig->mask_saved = false;
    if (!(action->sa_flags & SA_NODEFER))
        mask |= signal_bit(signal);
    if (action->sa_flags & SA_RESETHAND)
        action->sa_handler = SIG_DFL;
    if ((uint32_t)sig->stack.ss_flags & SS_AUTODISARM)
        sig->stack = (linux_stack_t){ .ss_flags = SS_DISABLE };
    signals_set_mask(thread, mask);
}

static unsigned next_signal(struct thread *thread, siginfo_t *info)
{
    struct process *process = thread->process;
    signal_set_t set = ~thread->sig.mask;
    unsigned signal = signal_queue_take(&thread->sig.pending, process, set, info);

    return signal ? signal : signal_queue_take(&process->sig.pending, process, set, info);
}

/* Stops of a terminal have no effect where no shell could continue the process. */
static bool may_stop(const struct process *process, unsigned signal)
{
    return signal == SIGSTOP || !group_is_orphaned(process->group);
}

static bool must_die(const struct thread *thread)
{
    return signals_deliverable(thread) & signal_bit(SIGKILL);
}

static enum signal_order thread_stop(struct thread *thread)
{
    thread->sig.stopped = true;
    thread_need_not_look(thread);
    process_stop_check(thread->process);
    return SIGNAL_STOP;
}

static enum signal_order take(struct thread *thread, const struct taken *taken)
{
    struct process *process = thread->process;
    unsigned signal;

    if (process->sig.stop_signal && !must_die(thread))
        return thread_stop(thread);
    while ((signal = next_signal(thread, taken->info)) != 0) {
        *taken->signal = signal;
        switch (signal_effect(process, signal)) {
        case SIGNAL_IGNORED: break;
        case SIGNAL_HANDLED: handler_begin(thread, signal, taken); return SIGNAL_HANDLE;
        case SIGNAL_FATAL: return SIGNAL_END;
        case SIGNAL_STOPS:
            if (!may_stop(process, signal))
                break;
            process_stop(process, signal);
            return thread_stop(thread);
        }
    }
    return SIGNAL_NONE;
}

int64_t proc_op_signal_take(struct call *call, uint32_t slot, uint32_t *signal, uint64_t *handler,
                            uint64_t *flags, uint64_t *restorer, uint64_t *mask, uint64_t *stack,
                            uint64_t *stack_bytes, uint32_t *stack_flags, uint32_t *more,
                            void *info, size_t *info_bytes)
{
    const struct taken taken = { signal, handler, flags, restorer, mask, stack, stack_bytes,
                                 stack_flags, more, info };
    struct thread *thread = thread_on(call, slot);
    enum signal_order order;

    *signal = *stack_flags = *more = 0;
    *handler = *flags = *restorer = *mask = *stack = *stack_bytes = 0;
    *info_bytes = 0;
    if (!thread)
        return -ESRCH;
    thread_need_not_look(thread);
    order = take(thread, &taken);
    *more = order == SIGNAL_HANDLE &&
            (signals_deliverable(thread) || thread->process->sig.stop_signal);
    *info_bytes = order == SIGNAL_HANDLE ? sizeof(siginfo_t) : 0;
    return order;
}

int64_t proc_op_signal_fatal(struct call *call, uint32_t slot)
{
    const struct thread *thread = thread_on(call, slot);
    signal_set_t set;

    if (!thread)
        return -ESRCH;
    for (set = signals_deliverable(thread); set; set &= set - 1) {
        unsigned signal = (unsigned)__builtin_ctzll(set) + 1;

        if (signal_effect(thread->process, signal) == SIGNAL_FATAL)
            return signal;
    }
    return 0;
}

/* ---- a frame is left ------------------------------------------------------------------ */

int64_t proc_op_signal_return(struct call *call, uint32_t slot, uint64_t mask, uint64_t sp,
                              uint64_t stack, uint64_t stack_bytes, uint32_t stack_flags)
{
    struct thread *thread = thread_on(call, slot);
    const linux_stack_t *now;

    if (!thread)
        return -ESRCH;
    now = &thread->sig.stack;
    signals_set_mask(thread, mask);
    if ((uint64_t)(uintptr_t)now->ss_sp != stack || now->ss_size != stack_bytes ||
        (uint32_t)now->ss_flags != stack_flags) {
        int64_t ignored = signal_stack_set(thread, sp, stack, stack_bytes, stack_flags);

        (void)ignored; /* as Linux does */
    }
    return signals_deliverable(thread) != 0;
}

/* ---- a thread's own signals -------------------------------------------------------------- */

int64_t proc_op_signal_fault(struct call *call, uint32_t slot, uint32_t signal, int32_t code,
                             uint64_t address)
{
    struct thread *thread = thread_on(call, slot);
    siginfo_t info;

    if (!thread)
        return -ESRCH;
    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    memset(&info, 0, sizeof info);
    info.si_signo = (int)signal;
    info.si_code = code;
    info.si_addr = (void *)(uintptr_t)address;
    signal_force(thread, &info);
    thread_need_not_look(thread);
    return 0;
}

/* What the thread did deserves a signal, SIGPIPE for example. */
int64_t proc_op_signal_raise(struct call *call, uint32_t slot, uint32_t signal)
{
    struct thread *thread = thread_on(call, slot);
    siginfo_t info;

    if (!thread)
        return -ESRCH;
    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    memset(&info, 0, sizeof info);
    info.si_signo = (int)signal;
    info.si_code = SI_USER;
    info.si_pid = (int)thread->process->pid;
    info.si_uid = thread->process->cred.uid.real;
    (void)signal_send(thread->process, thread, &info);
    thread_need_not_look(thread);
    return signals_deliverable(thread) != 0;
}
