/*
 * Calls that concern the processor: arch_prctl(2), sched_yield(2), getcpu(2).
 */
#include "router.h"

#include "kernel.h"

#include <asm/prctl.h>
#include <errno.h>

static int64_t base_set(struct thread *thread, int code, uint64_t address)
{
    struct ec_state state;
    int error;

    if (address >= USER_END)
        return -EPERM;
    error = kernel_ec_get_state(thread->ec, &state);
    if (error)
        return error;
    *(code == ARCH_SET_FS ? &state.fs_base : &state.gs_base) = address;
    return kernel_ec_set_state(thread->ec, &state);
}

static int64_t base_get(struct thread *thread, int code, uint64_t to)
{
    struct ec_state state;
    int error = kernel_ec_get_state(thread->ec, &state);

    if (error)
        return error;
    return memory_write(thread, to, code == ARCH_GET_FS ? &state.fs_base : &state.gs_base,
                        sizeof state.fs_base);
}

int64_t sys_arch_prctl(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)nr;
    switch ((int)arg[0]) {
    case ARCH_SET_FS:
    case ARCH_SET_GS: return base_set(thread, (int)arg[0], arg[1]);
    case ARCH_GET_FS:
    case ARCH_GET_GS: return base_get(thread, (int)arg[0], arg[1]);
    default: return -EINVAL;
    }
}

int64_t sys_sched_yield(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)thread;
    (void)nr;
    (void)arg;
    kernel_yield();
    return 0;
}

/* There is one node. */
int64_t sys_getcpu(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const uint32_t cpu = thread->cpu, node = 0;

    (void)nr;
    if (arg[0] && memory_write(thread, arg[0], &cpu, sizeof cpu))
        return -EFAULT;
    if (arg[1] && memory_write(thread, arg[1], &node, sizeof node))
        return -EFAULT;
    return 0;
}
