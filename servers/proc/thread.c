/*
 * Calls about the calling thread.
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>

#define ROBUST_LIST_HEAD_BYTES 24u /* sizeof struct robust_list_head of <linux/futex.h> */

int64_t sys_getpid(struct call *call) { return process_of(call)->pid; }
int64_t sys_gettid(struct call *call) { return thread_of(call)->tid; }
int64_t sys_getppid(struct call *call) { return process_of(call)->parent; }

int64_t sys_set_tid_address(struct call *call)
{
    thread_of(call)->clear_tid = call->arg[0];
    return thread_of(call)->tid;
}

int64_t sys_set_robust_list(struct call *call)
{
    if (call->arg[1] != ROBUST_LIST_HEAD_BYTES)
        return -EINVAL;
    thread_of(call)->robust_list = call->arg[0];
    return 0;
}

int64_t sys_get_robust_list(struct call *call)
{
    const struct thread *thread = thread_named(call, call->arg[0]);
    const uint64_t bytes = ROBUST_LIST_HEAD_BYTES;

    if (!thread)
        return -ESRCH;
    if (thread->process != process_of(call))
        return -EPERM;
    if (copy_out(call, call->arg[1], &thread->robust_list, sizeof thread->robust_list) ||
        copy_out(call, call->arg[2], &bytes, sizeof bytes))
        return 0;
    return 0;
}
