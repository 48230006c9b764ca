/*
 * Sending signals: what they do at once, for whom they pend, and who must look.
 */
#include "proc.h"

#include <gen/proc_server.h>
#include <string.h>

#define SIGNALS_STOPPING                                                                          \
    (signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))

/* Threads that must look, until the router has been told. */
static struct thread *look_first, *look_last;

/* ---- who must look --------------------------------------------------------------- */

void thread_must_look(struct thread *thread)
{
    if (thread->sig.must_look || !thread->slot)
        return;
    thread->sig.must_look = true;
    thread->sig.look_next = NULL;
    if (look_last)
        look_last->sig.look_next = thread;
    else
        look_first = thread;
    look_last = thread;
}

void thread_need_not_look(struct thread *thread)
{
    struct thread **link = &look_first, *last = NULL;

    if (!thread->sig.must_look)
        return;
    while (*link != thread) {
        last = *link;
        link = &last->sig.look_next;
    }
    *link = thread->sig.look_next;
    if (look_last == thread)
        look_last = last;
    thread->sig.must_look = false;
}

static struct thread *look_take(void)
{
    struct thread *thread = look_first;

    if (thread)
        thread_need_not_look(thread);
    return thread;
}

/* The first one goes along with the answer; further ones are fetched. */
void signals_follow(struct call *call)
{
    struct thread *thread = look_take();

    if (!thread)
        return;
    call->answer_word[0] = FOLLOW_SIGNALS;
    call->answer_word[1] = thread->slot->number;
    call->answer_word[2] = look_first != NULL;
}

int64_t proc_op_signal_notify(struct call *call, void *slots, size_t *slots_bytes)
{
    uint32_t *slot = slots;
    size_t room = *slots_bytes / sizeof *slot, count = 0;

    (void)call;
    while (count < room && look_first)
        slot[count++] = look_take()->slot->number;
    *slots_bytes = count * sizeof *slot;
    return look_first != NULL;
}

/* ---- sending ----------------------------------------------------------------------- */

/* What pends and contradicts the signal is forgotten; stopped processes continue. */
static void effect_at_once(struct process *process, unsigned signal)
{
    signal_set_t contrary = 0;

    if (signal_bit(signal) & SIGNALS_STOPPING)
        contrary = signal_bit(SIGCONT);
    else if (signal == SIGCONT)
        contrary = SIGNALS_STOPPING;
    if (contrary) {
        signal_queue_drop(&process->sig.pending, process, contrary);
        for (struct thread *thread = process->threads; thread; thread = thread->next)
            signal_queue_drop(&thread->sig.pending, process, contrary);
    }
    if (signal == SIGCONT || signal == SIGKILL)
        process_resume(process, signal == SIGCONT);
}

static struct thread *main_thread(const struct process *process)
{
    struct thread *thread = thread_find(process->pid);

    return thread && thread->process == process ? thread : process->threads;
}

static bool is_ignored(const struct process *process, const struct thread *thread, unsigned signal)
{
    if (!thread)
        thread = main_thread(process);
    return !(thread->sig.mask & signal_bit(signal)) &&
           signal_effect(process, signal) == SIGNAL_IGNORED;
}

static bool wants(const struct thread *thread, unsigned signal)
{
    return signal_bit(signal) & (~thread->sig.mask | thread->sig.wait_set);
}

static struct thread *thread_choose(struct process *process, unsigned signal)
{
    struct thread *thread = main_thread(process);

    if (thread && wants(thread, signal))
        return thread;
    for (thread = process->threads; thread; thread = thread->next)
        if (wants(thread, signal))
            return thread;
    return NULL;
}

static void thread_wake(struct thread *thread, unsigned signal)
{
    if (thread->sig.wait_set & signal_bit(signal))
        wake_all(&thread->sig.waiting);
    else if (wants(thread, signal))
        thread_must_look(thread);
}

static bool begins(struct process *process, struct thread *thread, unsigned signal)
{
    if (process->zombie || !process->threads)
        return false;
    effect_at_once(process, signal);
    return !is_ignored(process, thread, signal);
}

static void ends(struct process *process, struct thread *thread, unsigned signal)
{
    if (!thread)
        thread = thread_choose(process, signal);
    if (thread)
        thread_wake(thread, signal);
}

int signal_send(struct process *process, struct thread *thread, const siginfo_t *info)
{
    unsigned signal = (unsigned)info->si_signo;
    int error;

    if (!begins(process, thread, signal))
        return 0;
    error = signal_queue_add(thread ? &thread->sig.pending : &process->sig.pending, process, info);
    if (!error)
        ends(process, thread, signal);
    return error;
}

bool signal_send_entry(struct process *process, struct thread *thread, struct queued_signal *entry)
{
    unsigned signal = (unsigned)entry->info.si_signo;

    if (!begins(process, thread, signal))
        return false;
    signal_queue_add_entry(thread ? &thread->sig.pending : &process->sig.pending, entry);
    ends(process, thread, signal);
    return true;
}

void signal_send_group(uint32_t group, unsigned signal)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = (int)signal;
    info.si_code = SI_KERNEL;
    for (struct process *process = process_first(); process; process = process->hh.next)
        if (process->group == group)
            (void)signal_send(process, NULL, &info); /* the kernel's always finds room */
}

void signal_force(struct thread *thread, const siginfo_t *info)
{
    struct process *process = thread->process;
    unsigned signal = (unsigned)info->si_signo;
    struct linux_sigaction *action = &process->sig.actions[signal - 1];

    if (thread->sig.mask & signal_bit(signal) || signal_effect(process, signal) == SIGNAL_IGNORED)
        action->sa_handler = SIG_DFL;
    thread->sig.mask &= ~signal_bit(signal);
    (void)signal_send(process, thread, info);
    thread_must_look(thread);
}

void signal_redirect(struct process *process, signal_set_t set)
{
    set &= process->sig.pending.set;
    while (set) {
        unsigned signal = (unsigned)__builtin_ctzll(set) + 1;

        set &= set - 1;
        ends(process, NULL, signal);
    }
}
