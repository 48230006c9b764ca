/*
 * prctl(2): the options that concern what this server keeps. Those that nothing
 * here implements answer EINVAL, as a kernel without them does.
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <string.h>

static int64_t name_set(struct call *call)
{
    char name[THREAD_NAME_BYTES] = "";
    int result = copy_in_string(call, name, call->arg[1], sizeof name);

    if (result == 1)
        return 0;
    if (result == -ENAMETOOLONG && copy_in(call, name, call->arg[1], sizeof name - 1))
        return 0;
    name[sizeof name - 1] = '\0';
    memset(thread_of(call)->name, 0, sizeof name);
    memcpy(thread_of(call)->name, name, strlen(name));
    return 0;
}

static int64_t word_out(struct call *call, uint32_t value)
{
    copy_out(call, call->arg[1], &value, sizeof value);
    return 0;
}

/* Sets *flag to the argument, which must be 0 or 1. */
static int64_t flag_set(struct call *call, bool *flag)
{
    if (call->arg[1] > 1)
        return -EINVAL;
    *flag = call->arg[1];
    return 0;
}

static int64_t death_signal_set(struct call *call)
{
    if (call->arg[1] > SIGNAL_COUNT)
        return -EINVAL;
    process_of(call)->death_signal = (uint32_t)call->arg[1];
    return 0;
}

static int64_t bounding_drop(struct call *call)
{
    struct credentials *cred = &process_of(call)->cred;

    if (!credentials_capable(cred, CAP_SETPCAP))
        return -EPERM;
    if (call->arg[1] > CAP_LAST_CAP)
        return -EINVAL;
    cred->cap_bounding &= ~(1ull << call->arg[1]);
    return 0;
}

static int64_t bounding_read(struct call *call)
{
    if (call->arg[1] > CAP_LAST_CAP)
        return -EINVAL;
    return process_of(call)->cred.cap_bounding >> call->arg[1] & 1;
}

static int64_t no_new_privs_set(struct call *call)
{
    if (call->arg[1] != 1 || call->arg[2] || call->arg[3] || call->arg[4])
        return -EINVAL;
    process_of(call)->no_new_privs = true;
    return 0;
}

static int64_t timer_slack_set(struct call *call)
{
    thread_of(call)->timer_slack_ns = call->arg[1] ? call->arg[1] : 50000;
    return 0;
}

int64_t sys_prctl(struct call *call)
{
    struct process *process = process_of(call);
    struct thread *thread = thread_of(call);

    switch ((int32_t)call->arg[0]) {
    case PR_SET_NAME: return name_set(call);
    case PR_GET_NAME: copy_out(call, call->arg[1], thread->name, sizeof thread->name); return 0;
    case PR_SET_PDEATHSIG: return death_signal_set(call);
    case PR_GET_PDEATHSIG: return word_out(call, process->death_signal);
    case PR_SET_DUMPABLE: return flag_set(call, &process->dumpable);
    case PR_GET_DUMPABLE: return process->dumpable;
    case PR_SET_KEEPCAPS: return flag_set(call, &process->cred.keep_caps);
    case PR_GET_KEEPCAPS: return process->cred.keep_caps;
    case PR_SET_NO_NEW_PRIVS: return no_new_privs_set(call);
    case PR_GET_NO_NEW_PRIVS:
        return call->arg[1] || call->arg[2] || call->arg[3] || call->arg[4]
                   ? -EINVAL
                   : (int64_t)process->no_new_privs;
    case PR_CAPBSET_READ: return bounding_read(call);
    case PR_CAPBSET_DROP: return bounding_drop(call);
    case PR_SET_CHILD_SUBREAPER: process->subreaper = call->arg[1] != 0; return 0;
    case PR_GET_CHILD_SUBREAPER: return word_out(call, process->subreaper);
    case PR_SET_TIMERSLACK: return timer_slack_set(call);
    case PR_GET_TIMERSLACK: return (int64_t)thread->timer_slack_ns;
    case PR_GET_TID_ADDRESS:
        copy_out(call, call->arg[1], &thread->clear_tid, sizeof thread->clear_tid);
        return 0;
    case PR_GET_SECCOMP: return 0;
    default: return -EINVAL;
    }
}
