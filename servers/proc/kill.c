/*
 * Sending signals: kill(2), tgkill(2) and what terminals and the kernel send.
 * The router ends the processes that a signal kills; handlers do not run yet.
 */
#include "proc.h"

#include <gen/proc_server.h>
#include <linux/capability.h>
#include <string.h>

struct deaths {
    uint32_t *pid;
    size_t    count, room;
};

static bool may_signal(const struct process *sender, const struct process *target, unsigned signal)
{
    const struct id_set *mine, *theirs = &target->cred.uid;

    if (!sender || sender == target || credentials_capable(&sender->cred, CAP_KILL))
        return true;
    mine = &sender->cred.uid;
    if (mine->effective == theirs->real || mine->effective == theirs->saved ||
        mine->real == theirs->real || mine->real == theirs->saved)
        return true;
    return signal == SIGCONT && sender->session == target->session;
}

static bool all_threads_block(const struct process *process, unsigned signal)
{
    for (const struct thread *thread = process->threads; thread; thread = thread->next)
        if (!(thread->mask & signal_bit(signal)))
            return false;
    return true;
}

static bool is_blocked(const struct process *process, const struct thread *thread, unsigned signal)
{
    if (signal_bit(signal) & SIGNALS_FORCED)
        return false;
    return thread ? thread->mask & signal_bit(signal) : all_threads_block(process, signal);
}

/* thread: NULL for a signal to the process as a whole. */
static int64_t signal_one(struct process *process, struct thread *thread, unsigned signal,
                          struct deaths *deaths)
{
    enum signal_effect effect;

    if (signal == 0 || process->zombie || process->dying)
        return 0;
    effect = signal_effect(process, signal);
    if (effect == SIGNAL_HANDLED || effect == SIGNAL_STOPS)
        return -ENOSYS;
    if (is_blocked(process, thread, signal)) {
        *(thread ? &thread->pending : &process->pending) |= signal_bit(signal);
        return 0;
    }
    if (effect == SIGNAL_IGNORED || deaths->count == deaths->room)
        return 0;
    process->dying = true;
    deaths->pid[deaths->count++] = process->pid;
    return 0;
}

static int64_t signal_thread(const struct process *sender, int32_t target, uint32_t tid,
                             unsigned signal, struct deaths *deaths)
{
    struct thread *thread = thread_find(tid);

    if (!thread || (target > 0 && thread->process->pid != (uint32_t)target))
        return -ESRCH;
    if (!may_signal(sender, thread->process, signal))
        return -EPERM;
    return signal_one(thread->process, thread, signal, deaths);
}

typedef bool is_member_fn(const struct process *sender, const struct process *process,
                          uint32_t group);

/* kill(-1): all but the sender and the first process. */
static bool is_anybody(const struct process *sender, const struct process *process, uint32_t group)
{
    (void)group;
    return process != sender && process->parent != 0;
}

static bool is_in_group(const struct process *sender, const struct process *process,
                        uint32_t group)
{
    (void)sender;
    return process->group == group;
}

/* Good if it reached one; else the last error. */
static int64_t signal_members(const struct process *sender, is_member_fn *is_member,
                              uint32_t group, unsigned signal, struct deaths *deaths)
{
    int64_t result = -ESRCH, error;

    for (struct process *process = process_first(); process; process = process->hh.next) {
        if (!is_member(sender, process, group))
            continue;
        error = may_signal(sender, process, signal) ? signal_one(process, NULL, signal, deaths)
                                                    : -EPERM;
        if (result != 0)
            result = error;
    }
    return result;
}

static int64_t signal_process(const struct process *sender, uint32_t pid, unsigned signal,
                              struct deaths *deaths)
{
    struct process *process = process_find(pid);

    if (!process)
        return -ESRCH;
    if (!may_signal(sender, process, signal))
        return -EPERM;
    return signal_one(process, NULL, signal, deaths);
}

static int64_t signal_target(const struct process *sender, int32_t target, unsigned signal,
                             struct deaths *deaths)
{
    if (target > 0)
        return signal_process(sender, (uint32_t)target, signal, deaths);
    if (target == -1)
        return signal_members(sender, is_anybody, 0, signal, deaths);
    if (target == 0 && !sender)
        return -ESRCH;
    return signal_members(sender, is_in_group, target ? (uint32_t)-(int64_t)target : sender->group,
                          signal, deaths);
}

int64_t proc_op_signal_send(struct call *call, uint32_t sender_pid, int32_t target, uint32_t tid,
                            uint32_t signal, void *deaths_data, size_t *deaths_bytes)
{
    const struct process *sender = process_find(sender_pid);
    struct deaths deaths = { deaths_data, 0, *deaths_bytes / sizeof(uint32_t) };
    int64_t result;

    (void)call;
    *deaths_bytes = 0;
    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (sender_pid && !sender)
        return -ESRCH;
    result = tid ? signal_thread(sender, target, tid, signal, &deaths)
                 : signal_target(sender, target, signal, &deaths);
    *deaths_bytes = deaths.count * sizeof(uint32_t);
    return result;
}

int64_t proc_op_signal_group(struct call *call, uint32_t group, uint32_t signal, void *deaths_data,
                             size_t *deaths_bytes)
{
    struct deaths deaths = { deaths_data, 0, *deaths_bytes / sizeof(uint32_t) };
    int64_t result;

    (void)call;
    *deaths_bytes = 0;
    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    result = signal_members(NULL, is_in_group, group, signal, &deaths);
    *deaths_bytes = deaths.count * sizeof(uint32_t);
    return result;
}
