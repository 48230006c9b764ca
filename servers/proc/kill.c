/*
 * Who may send which signal to whom: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2).
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>

static bool may_signal(const struct process *sender, const struct process *target, unsigned signal)
{
    const struct id_set *mine = &sender->cred.uid, *theirs = &target->cred.uid;

    if (sender == target || credentials_capable(&sender->cred, CAP_KILL))
        return true;
    if (mine->effective == theirs->real || mine->effective == theirs->saved ||
        mine->real == theirs->real || mine->real == theirs->saved)
        return true;
    return signal == SIGCONT && sender->session == target->session;
}

static siginfo_t info_of(const struct process *sender, unsigned signal, int code)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = (int)signal;
    info.si_code = code;
    info.si_pid = (int)sender->pid;
    info.si_uid = sender->cred.uid.real;
    return info;
}

/* Signal 0 only asks whether it could be sent. */
static int64_t send_checked(const struct process *sender, struct process *process,
                            struct thread *thread, const siginfo_t *info)
{
    unsigned signal = (unsigned)info->si_signo;

    if (!may_signal(sender, process, signal))
        return -EPERM;
    return signal ? signal_send(process, thread, info) : 0;
}

static int64_t to_process(const struct process *sender, uint32_t pid, const siginfo_t *info)
{
    struct process *process = process_find(pid);

    return process ? send_checked(sender, process, NULL, info) : -ESRCH;
}

/* ---- kill(2) -------------------------------------------------------------------------- */

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
static int64_t to_members(const struct process *sender, is_member_fn *is_member, uint32_t group,
                          const siginfo_t *info)
{
    int64_t result = -ESRCH, error;

    for (struct process *process = process_first(); process; process = process->hh.next) {
        if (!is_member(sender, process, group))
            continue;
        error = send_checked(sender, process, NULL, info);
        if (result != 0)
            result = error;
    }
    return result;
}

int64_t sys_kill(struct call *call)
{
    const struct process *self = process_of(call);
    int32_t target = (int32_t)call->arg[0];
    unsigned signal = (unsigned)call->arg[1];
    siginfo_t info;
    int64_t result;

    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (target == INT_MIN)
        return -ESRCH;
    info = info_of(self, signal, SI_USER);
    if (target > 0)
        result = to_process(self, (uint32_t)target, &info);
    else if (target == -1)
        result = to_members(self, is_anybody, 0, &info);
    else
        result = to_members(self, is_in_group, target ? (uint32_t)-target : self->group, &info);
    signals_follow(call);
    return result;
}

/* ---- to a thread ------------------------------------------------------------------------ */

/* pid 0: the thread of any process. */
static int64_t to_thread(struct call *call, uint32_t pid, int32_t tid, const siginfo_t *info)
{
    struct thread *thread = tid > 0 ? thread_find((uint32_t)tid) : NULL;
    int64_t result;

    if (!thread || (pid && thread->process->pid != pid))
        return -ESRCH;
    result = send_checked(process_of(call), thread->process, thread, info);
    signals_follow(call);
    return result;
}

static int64_t thread_kill(struct call *call, uint32_t pid, int32_t tid, unsigned signal)
{
    const siginfo_t info = info_of(process_of(call), signal, SI_TKILL);

    return signal > SIGNAL_COUNT ? -EINVAL : to_thread(call, pid, tid, &info);
}

int64_t sys_tkill(struct call *call)
{
    if ((int32_t)call->arg[0] <= 0)
        return -EINVAL;
    return thread_kill(call, 0, (int32_t)call->arg[0], (unsigned)call->arg[1]);
}

int64_t sys_tgkill(struct call *call)
{
    if ((int32_t)call->arg[0] <= 0 || (int32_t)call->arg[1] <= 0)
        return -EINVAL;
    return thread_kill(call, (uint32_t)call->arg[0], (int32_t)call->arg[1],
                       (unsigned)call->arg[2]);
}

/* ---- with information ----------------------------------------------------------------------- */

/* Only to itself may a process pretend that the kernel or kill(2) sent the signal.
 * Returns 1 when the call can't go on. */
static int64_t info_read(struct call *call, uint64_t at, uint32_t pid, unsigned signal,
                         siginfo_t *info)
{
    if (copy_in(call, info, at, sizeof *info))
        return 1;
    info->si_signo = (int)signal;
    if ((info->si_code >= 0 || info->si_code == SI_TKILL) && pid != process_of(call)->pid)
        return -EPERM;
    return signal > SIGNAL_COUNT ? -EINVAL : 0;
}

int64_t sys_rt_sigqueueinfo(struct call *call)
{
    int32_t pid = (int32_t)call->arg[0];
    siginfo_t info;
    int64_t error = info_read(call, call->arg[2], (uint32_t)pid, (unsigned)call->arg[1], &info);

    if (error)
        return error < 0 ? error : 0;
    error = pid > 0 ? to_process(process_of(call), (uint32_t)pid, &info) : -ESRCH;
    signals_follow(call);
    return error;
}

int64_t sys_rt_tgsigqueueinfo(struct call *call)
{
    int32_t pid = (int32_t)call->arg[0], tid = (int32_t)call->arg[1];
    siginfo_t info;
    int64_t error;

    if (pid <= 0 || tid <= 0)
        return -EINVAL;
    error = info_read(call, call->arg[3], (uint32_t)pid, (unsigned)call->arg[2], &info);
    if (error)
        return error < 0 ? error : 0;
    return to_thread(call, (uint32_t)pid, tid, &info);
}

/* ---- from the kernel --------------------------------------------------------------------------- */

/* The router fetches with signal_notify who must look. */
int64_t proc_op_signal_group(struct call *call, uint32_t group, uint32_t signal)
{
    (void)call;
    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    signal_send_group(group, signal);
    return 0;
}
