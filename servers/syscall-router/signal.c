/*
 * Signals: proc says what they ask of a thread, its own handler does it.
 */
#include "router.h"

#include "kernel.h"

#include <errno.h>
#include <gen/proc_client.h>
#include <proto/signals.h>
#include <signal.h>

#define NOTIFY_BYTES 1024u
#define SYSCALL_BYTES 2u /* length of the instruction */
#define CODE_KERNEL 0x80 /* SI_KERNEL */

/* ---- who must look ------------------------------------------------------------------ */

void signals_fetch(void)
{
    uint32_t slots[NOTIFY_BYTES / sizeof(uint32_t)];
    int64_t result;
    size_t bytes;

    do {
        bytes = sizeof slots;
        result = proc_signal_notify(&server_proc, slots, &bytes);
        for (size_t i = 0; i < bytes / sizeof *slots; i++)
            slot_signal(slots[i]);
    } while (result > 0);
}

static void look_later(struct thread *thread) { atomic_store(&thread->signalled, true); }

void signals_follow_up(struct thread *thread, uint64_t slot, bool more)
{
    if (slot == thread->slot)
        look_later(thread);
    else
        slot_signal((uint32_t)slot);
    if (more)
        signals_fetch();
}

/* ---- taking ---------------------------------------------------------------------------- */

static enum signal_order take(struct thread *thread)
{
    struct signal_taken *taken = &thread->taken;
    size_t bytes = sizeof taken->info;
    uint32_t more;
    int64_t order;

    atomic_store(&thread->signalled, false);
    order = proc_signal_take(&server_proc, thread->slot, &taken->signal, &taken->handler,
                             &taken->flags, &taken->restorer, &taken->mask, &taken->stack,
                             &taken->stack_bytes, &taken->stack_flags, &more, taken->info, &bytes);
    if (order < 0) {
        log_line("thread %u: no signals from proc, error %d", thread->tid, (int)-order);
        return SIGNAL_NONE;
    }
    if (more)
        look_later(thread);
    return (enum signal_order)order;
}

/* Does what the next signal asks for. Returns whether that is to run a handler. */
static bool take_and_do(struct thread *thread)
{
    switch (take(thread)) {
    case SIGNAL_NONE: break;
    case SIGNAL_HANDLE: thread->taken.is_there = true; return true;
    case SIGNAL_END: process_kill(thread->process->pid, status_killed(thread->taken.signal)); break;
    case SIGNAL_STOP:
        while (!thread_has_news(thread))
            if (!kernel_sem_wait(thread->sem, 0))
                break;
        break;
    }
    return false;
}

/* A handler that is to run is kept until the call has an answer. */
static bool has_handler(struct thread *thread)
{
    while (!thread->taken.is_there && !thread_doomed(thread) &&
           atomic_load_explicit(&thread->signalled, memory_order_acquire))
        if (take_and_do(thread))
            break;
    return thread->taken.is_there;
}

bool thread_interrupted(struct thread *thread)
{
    bool result = has_handler(thread);

    if (result)
        look_later(thread); /* so that it is not forgotten */
    return result || thread_doomed(thread);
}

bool thread_interrupted_fatally(struct thread *thread)
{
    int64_t signal;

    if (thread_doomed(thread))
        return true;
    if (!atomic_load_explicit(&thread->signalled, memory_order_acquire))
        return false;
    signal = proc_signal_fatal(&server_proc, thread->slot);
    if (signal > 0)
        process_kill(thread->process->pid, status_killed((unsigned)signal));
    return thread_doomed(thread);
}

/* ---- bringing about ---------------------------------------------------------------------- */

void signal_fault(struct thread *thread, uint32_t signal, int32_t code, uint64_t address)
{
    if (proc_signal_fault(&server_proc, thread->slot, signal, code, address) < 0)
        thread_doom(thread, status_killed(signal));
    look_later(thread);
}

void signal_raise(struct thread *thread, uint32_t signal)
{
    if (proc_signal_raise(&server_proc, thread->slot, signal) > 0)
        look_later(thread);
}

void signal_mask_set(struct thread *thread, uint64_t mask)
{
    if (proc_signal_mask(&server_proc, thread->slot, mask) > 0)
        look_later(thread);
}

void signal_mask_back(struct thread *thread)
{
    if (!thread->taken.is_there && proc_signal_mask_back(&server_proc, thread->slot) > 0)
        look_later(thread);
}

/* ---- running handlers ----------------------------------------------------------------------- */

/* What the call's answer makes of the registers. A call that was interrupted before it
 * did anything is made again when the handler has ended, if that wants it so. */
static void answer_apply(struct ec_state *state, unsigned nr, int64_t result, uint64_t flags)
{
    if (result != -CALL_RESTARTS) {
        state->rax = (uint64_t)result;
    } else if (flags & SA_RESTART) {
        state->rax = nr;
        state->rip -= SYSCALL_BYTES;
    } else {
        state->rax = (uint64_t)(int64_t)-EINTR;
    }
}

/* The handler can't run: its mask is undone, and SIGSEGV comes instead. */
static void frame_failed(struct thread *thread, const struct ec_state *state)
{
    const struct signal_taken *taken = &thread->taken;

    if (proc_signal_return(&server_proc, thread->slot, taken->mask, state->rsp, taken->stack,
                           taken->stack_bytes, taken->stack_flags) < 0 ||
        taken->signal == SIGSEGV)
        process_kill(thread->process->pid, status_killed(SIGSEGV));
    else
        signal_fault(thread, SIGSEGV, CODE_KERNEL, 0);
}

/* Frames of all handlers that are to run, the last one uppermost. */
static bool handlers_push(struct thread *thread, struct ec_state *state)
{
    bool pushed = false;

    do {
        if (sigframe_push(thread, state, &thread->taken))
            frame_failed(thread, state);
        else
            pushed = true;
        thread->taken.is_there = false;
    } while (has_handler(thread));
    return pushed;
}

unsigned signal_finish(struct thread *thread, unsigned kind, unsigned nr, int64_t *result)
{
    bool is_answered = kind == MSG_FOREIGN && !thread->registers_set;
    unsigned flags = thread->registers_set ? REPLY_KEEP : 0;
    struct ec_state state;

    thread->registers_set = false;
    if (!has_handler(thread))
        return flags;
    if (kernel_ec_get_state(thread->ec, &state)) {
        look_later(thread); /* it has not begun: then it will look */
        return flags;
    }
    if (is_answered)
        answer_apply(&state, nr, *result, thread->taken.flags);
    if (!handlers_push(thread, &state) && thread_doomed(thread))
        return flags;
    if (kernel_ec_set_state(thread->ec, &state))
        process_kill(thread->process->pid, status_killed(SIGSEGV));
    return REPLY_KEEP;
}
