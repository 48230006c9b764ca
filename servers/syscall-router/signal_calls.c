/*
 * Calls about signals for which registers are needed: sigaltstack(2).
 */
#include "router.h"

#include "kernel.h"

#include <errno.h>
#include <gen/proc_client.h>
#include <personality/linux/linux_signal.h>

int64_t sys_sigaltstack(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    linux_stack_t new = { .ss_sp = NULL }, old = { .ss_sp = NULL };
    struct ec_state state;
    uint64_t base, bytes;
    uint32_t flags;
    int64_t error;

    (void)nr;
    if (arg[0] && memory_read(thread, &new, arg[0], sizeof new))
        return -EFAULT;
    error = kernel_ec_get_state(thread->ec, &state);
    if (error)
        return error;
    error = proc_signal_stack(&server_proc, thread->slot, state.rsp, arg[0] != 0,
                              (uint64_t)(uintptr_t)new.ss_sp, new.ss_size, (uint32_t)new.ss_flags,
                              &base, &bytes, &flags);
    if (error || !arg[1])
        return error;
    old.ss_sp = (void *)(uintptr_t)base;
    old.ss_size = bytes;
    old.ss_flags = (int)flags;
    return memory_write(thread, arg[1], &old, sizeof old);
}
