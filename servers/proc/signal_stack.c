/*
 * The alternate stack: sigaltstack(2). The router knows the stack pointer.
 */
#include "proc.h"

#include <gen/proc_server.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static bool is_on_stack(const linux_stack_t *stack, uint64_t sp)
{
    uint64_t base = (uint64_t)(uintptr_t)stack->ss_sp;

    return !((uint32_t)stack->ss_flags & SS_AUTODISARM) && sp > base &&
           sp - base <= stack->ss_size;
}

static int64_t stack_check(linux_stack_t *stack)
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

int64_t signal_stack_set(struct thread *thread, uint64_t sp, uint64_t base, uint64_t bytes,
                         uint32_t flags)
{
    linux_stack_t new = { .ss_sp = (void *)(uintptr_t)base, .ss_flags = (int)flags,
                          .ss_size = bytes };
    int64_t error;

    if (is_on_stack(&thread->sig.stack, sp))
        return -EPERM;
    error = stack_check(&new);
    if (!error)
        thread->sig.stack = new;
    return error;
}

int64_t proc_op_signal_stack(struct call *call, uint32_t slot, uint64_t sp, uint32_t set,
                             uint64_t base, uint64_t bytes, uint32_t flags, uint64_t *old_base,
                             uint64_t *old_bytes, uint32_t *old_flags)
{
    struct thread *thread = thread_on(call, slot);
    const linux_stack_t *stack;

    if (!thread)
        return -ESRCH;
    stack = &thread->sig.stack;
    *old_base = (uint64_t)(uintptr_t)stack->ss_sp;
    *old_bytes = stack->ss_size;
    *old_flags = (uint32_t)stack->ss_flags & SS_AUTODISARM;
    if (!stack->ss_size)
        *old_flags |= SS_DISABLE;
    else if (is_on_stack(stack, sp))
        *old_flags |= SS_ONSTACK;
    return set ? signal_stack_set(thread, sp, base, bytes, flags) : 0;
}
