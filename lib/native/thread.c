/*
 * Execution contexts in our own protection domain: threads and handlers.
 */
#include <lib/native/runtime.h>
#include <stdatomic.h>

#define QUANTUM_MS 10
#define THREAD_STACK_BYTES (16 * 1024)

extern const char thread_entry[];
_Noreturn void thread_start(struct tcb *tcb);

struct utcb *utcb_reserve(void)
{
    static _Atomic unsigned next = 1; /* 0 is the main EC's */

    return (struct utcb *)(UTCB_AREA_VA + atomic_fetch_add(&next, 1) * PAGE_BYTES);
}

static unsigned order_for(size_t bytes)
{
    unsigned order = 0;

    while (PAGE_BYTES << order < bytes)
        order++;
    return order;
}

/* Creates an EC with a stack of its own at sel; returns its TCB, or NULL. */
static struct tcb *ec_create(cap_sel_t sel, unsigned flags, unsigned cpu, size_t stack_bytes,
                             vaddr_t ip)
{
    unsigned     order = order_for(stack_bytes);
    phys_t       phys = frames_alloc(order);
    struct utcb *utcb = utcb_reserve();
    char        *stack = frame_ptr(phys);
    struct tcb  *tcb = (struct tcb *)(stack + (PAGE_BYTES << order) - TCB_BYTES);

    if (!phys)
        return NULL;
    tcb_init(tcb, stack, utcb);
    if (with_kernel_memory(hc_create_ec(sel, own_pd, flags, cpu, startup_info()->sel_event,
                                        (vaddr_t)utcb, (vaddr_t)tcb, ip, 0)) == ST_OK) {
        receive_window_renew(utcb);
        return tcb;
    }
    frames_free(phys, order);
    return NULL;
}

cap_sel_t handler_create(unsigned cpu, size_t stack_bytes)
{
    cap_sel_t sel = cap_alloc(1);

    if (sel == SEL_NONE || ec_create(sel, EC_LOCAL, cpu, stack_bytes, 0))
        return sel;
    cap_free(sel, 1);
    return SEL_NONE;
}

_Noreturn void thread_start(struct tcb *tcb)
{
    tcb->run(tcb->arg);
    sleep_for_ever();
}

cap_sel_t thread_create(unsigned cpu, thread_fn run, void *arg)
{
    cap_sel_t   sel = cap_alloc(2);
    uint64_t    quantum = kernel_info()->tsc_hz / 1000 * QUANTUM_MS;
    struct tcb *tcb;

    if (sel == SEL_NONE)
        return SEL_NONE;
    tcb = ec_create(sel, 0, cpu, THREAD_STACK_BYTES, (vaddr_t)thread_entry);
    if (tcb) {
        tcb->run = run;
        tcb->arg = arg;
        if (with_kernel_memory(hc_create_sc(sel + 1, own_pd, sel, startup_info()->priority,
                                            quantum)) == ST_OK)
            return sel;
        hc_revoke(sel, 1, REVOKE_SELF); /* the stack stays: a rare failure, no way to know
                                           when the EC is gone */
    }
    cap_free(sel, 2);
    return SEL_NONE;
}
