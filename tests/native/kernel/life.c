/*
 * Creating and destroying, a thousand times each, in every state that a thread can
 * have: nothing may be left over.
 */
#include "env.h"

enum { CYCLES = 1000 };

static cap_sel_t pd, gate, portal, second;
static cap_sel_t slots; /* for what a cycle makes */
static uint64_t arrived;

/* Nothing new may exist afterwards, and no more pages than one cycle needs. */
static void cycles(void (*cycle)(void))
{
    struct kmem_stat before = kernel_memory(), now;

    slots = sel_range(16);
    for (unsigned i = 0; i < 20; i++) /* slabs grow to what is in use at once */
        cycle();
    objects_settle(&before);
    before = kernel_memory();
    for (unsigned i = 0; i < CYCLES && !test_has_failed(); i++) {
        cycle();
        if (cpu_count > 1 && i % 16 == 15) /* memory comes back when all CPUs agree */
            objects_settle(&before);
    }
    objects_settle(&before);
    now = kernel_memory();
    check(now.pages_free + 4 >= before.pages_free);
}

/* A thread of pd that has got to its place when this returns; then it ends. */
static void thread_cycle(thread_fn *fn, unsigned priority)
{
    static struct tcb *stack_top;
    cap_sel_t ec = slots;
    vaddr_t utcb = UTCB_AREA_VA + 0x80000;

    if (!arrived)
        stack_top = (struct tcb *)((char *)pages_new(4) + 4 * PAGE_BYTES - 64);
    *stack_top = (struct tcb){ (struct utcb *)utcb, fn, NULL };
    check_eq(hc_create_ec(ec, pd, 0, 0, MAX_CAPS - 1, utcb, (vaddr_t)stack_top,
                          (vaddr_t)thread_entry, 0),
             ST_OK);
    check_eq(hc_create_sc(ec + 1, pd, ec, priority, QUANTUM), ST_OK);
    if (priority < MAIN_PRIORITY)
        hc_sm_down(SEL_NEVER, tsc() + us(5));
    arrived++;
    check_eq(hc_revoke(ec, 2, REVOKE_SELF), ST_OK);
}

static void setup(void)
{
    arrived = 0;
    pd = pd_new();
    gate = sm_new(0);
    give(pd, gate, SM_ALL);
}

static void spin(void *arg)
{
    (void)arg;
    for (;;)
        __asm__ volatile("");
}

static void block(void *arg)
{
    (void)arg;
    hc_sm_down(gate, 0);
}

static void block_with_deadline(void *arg)
{
    (void)arg;
    hc_sm_down(gate, tsc() + ms(100000));
}

static void call_portal(void *arg)
{
    (void)arg;
    call(portal);
}

static void cycle_ready(void)    { thread_cycle(spin, 1); }
static void cycle_blocked(void)  { thread_cycle(block, 61); }
static void cycle_deadline(void) { thread_cycle(block_with_deadline, 61); }

static void test_ready(void)
{
    setup();
    cycles(cycle_ready);
}

static void test_blocked(void)
{
    setup();
    cycles(cycle_blocked);
}

static void test_deadline(void)
{
    setup();
    cycles(cycle_deadline);
}

/* The thread ends while its call is handled; the handler then replies to nobody. */
static void wait_for_gate(struct msg *m)
{
    (void)m;
    hc_sm_down(gate, 0);
}

static void cycle_calling(void)
{
    thread_cycle(call_portal, 61);
    hc_sm_up(gate);
}

static void test_calling(void)
{
    setup();
    portal = service_new(ROOT_SEL_PD, wait_for_gate);
    give(pd, portal, PT_CALL);
    cycles(cycle_calling);
}

/* The thread waits for a handler that is busy with another's call. */
static void cycle_helping(void) { thread_cycle(call_portal, 61); }

static void test_helping(void)
{
    setup();
    portal = service_new(ROOT_SEL_PD, wait_for_gate);
    give(pd, portal, PT_CALL);
    thread_new(ROOT_SEL_PD, 0, 62, call_portal, NULL);
    cycles(cycle_helping);
}

/* The handler ends while it has a call. */
static void call_for_ever(void *arg)
{
    (void)arg;
    for (;;) {
        hc_sm_down(second, 0);
        call(portal);
        arrived++;
    }
}

static void cycle_called(void)
{
    vaddr_t utcb = UTCB_AREA_VA + 0x90000;
    cap_sel_t ec = slots;
    static struct tcb *stack_top;
    uint64_t before = load(&arrived);

    if (!arrived)
        stack_top = (struct tcb *)((char *)pages_new(4) + 4 * PAGE_BYTES - 64);
    *stack_top = (struct tcb){ (struct utcb *)utcb, NULL, NULL };
    check_eq(hc_create_ec(ec, pd, EC_LOCAL, 0, MAX_CAPS - 1, utcb, (vaddr_t)stack_top, 0, 0),
             ST_OK);
    portal = ec + 1;
    check_eq(hc_create_pt(portal, pd, ec, (vaddr_t)handler_entry, (uint64_t)wait_for_gate), ST_OK);
    hc_sm_up(second); /* the caller has a higher priority: it is in the call now */
    check_eq(load(&arrived), before);
    check_eq(hc_revoke(ec, 1, REVOKE_SELF), ST_OK);
    check_eq(load(&arrived), before + 1);
    drop(portal);
}

static void test_called(void)
{
    setup();
    second = sm_new(0);
    thread_new(ROOT_SEL_PD, 0, 61, call_for_ever, NULL);
    cycles(cycle_called);
}

/* Whole PDs with a thread, handlers, portals, semaphores, and mappings. */
static void cycle_pd(void)
{
    cap_sel_t first = slots, i = 0;
    vaddr_t utcb = 0x30000000;

    check_eq(hc_create_pd(first + i++, ROOT_SEL_PD, 50, 0), ST_OK);
    check_eq(hc_map(SEL_SELF, 0x400000, first, 0x400000, 4, MEM_R | MEM_X, 0, NULL), ST_OK);
    check_eq(hc_create_ec(first + i++, first, EC_LOCAL, 0, 0, utcb, 0, 0x400000, 0), ST_OK);
    check_eq(hc_create_pt(first + i++, first, first + 1, 0x400000, 0), ST_OK);
    check_eq(hc_create_ec(first + i++, first, EC_FOREIGN, 0, 5, utcb + PAGE_BYTES, 0, 0, 0), ST_OK);
    check_eq(hc_create_sm(first + i++, first, 0), ST_OK);
    check_eq(hc_delegate(SEL_SELF, first, first, 10, 5, RIGHTS_ALL), ST_OK);
    check_eq(hc_pd(first, PD_OP_SET_ROUTE, 0, 100, 12), ST_OK);
    check_eq(hc_create_sc(first + i++, first, first + 3, 1, QUANTUM), ST_OK);
    check_eq(hc_revoke(first, i, REVOKE_SELF), ST_OK);
}

static void test_pd(void) { cycles(cycle_pd); }

/* Threads that are destroyed with their PD only, while they run. */
static void cycle_pd_running(void)
{
    cap_sel_t first = slots;

    check_eq(hc_create_pd(first, ROOT_SEL_PD, 50, 0), ST_OK);
    check_eq(hc_map(SEL_SELF, (vaddr_t)spin & ~0xfffull, first, (vaddr_t)spin & ~0xfffull, 2,
                    MEM_R | MEM_X, 0, NULL),
             ST_OK);
    check_eq(hc_create_ec(first + 1, first, 0, cpu_count - 1, 0, 0x30000000, 0x10000, (vaddr_t)spin,
                          0),
             ST_OK);
    check_eq(hc_create_sc(first + 2, first, first + 1, MAIN_PRIORITY - 1, QUANTUM), ST_OK);
    hc_sm_down(SEL_NEVER, tsc() + us(10));
    check_eq(hc_delegate(SEL_SELF, first, first, 0, 3, RIGHTS_ALL), ST_OK);
    check_eq(hc_revoke(first, 1, REVOKE_SELF), ST_OK);
    check_eq(hc_revoke(first + 1, 2, REVOKE_SELF), ST_OK);
}

static void test_pd_running(void) { cycles(cycle_pd_running); }

/* Objects whose names are taken, quotas that are too small: undone as well. */
static void cycle_failing(void)
{
    vaddr_t utcb = UTCB_AREA_VA + 0xa0000;

    check_eq(hc_create_pd(SEL_NEVER, ROOT_SEL_PD, 50, 0), ST_EXISTS);
    check_eq(hc_create_pd(slots, ROOT_SEL_PD, 2, 0), ST_NO_MEMORY);
    check_eq(hc_create_ec(SEL_NEVER, ROOT_SEL_PD, 0, cpu_count - 1, 0, utcb, 0, 0, 0), ST_EXISTS);
    check_eq(hc_create_ec(slots, ROOT_SEL_PD, 0, cpu_count - 1, 0, (vaddr_t)utcb_self(), 0, 0, 0),
             ST_EXISTS);
    check_eq(hc_create_sm(SEL_NEVER, ROOT_SEL_PD, 0), ST_EXISTS);
    hc_sm_down(SEL_NEVER, tsc() + us(20));
}

static void test_failing(void) { cycles(cycle_failing); }

const struct test life_tests[] = {
    { "ready", test_ready, 0 },
    { "blocked", test_blocked, 0 },
    { "deadline", test_deadline, 0 },
    { "calling", test_calling, 0 },
    { "helping", test_helping, 0 },
    { "called", test_called, 0 },
    { "pd", test_pd, 0 },
    { "pd-running", test_pd_running, 0 },
    { "failing", test_failing, 0 },
    { NULL, NULL, 0 },
};
