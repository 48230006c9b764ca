/*
 * Several CPUs: portals, semaphores, recall, the end of threads, the TLB, and all
 * CPUs creating and destroying at once.
 */
#include "foreign.h"

#include <string.h>

enum { MOST = 16 };

static uint64_t counts[MOST], done, errors;
static cap_sel_t ping, pong, portal;

static unsigned apic_id(void)
{
    uint32_t a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b >> 24;
}

static void add(uint64_t *p, uint64_t n) { __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST); }

static void begin(void)
{
    memset(counts, 0, sizeof counts);
    done = errors = 0;
}

/* ---- threads and portals everywhere ------------------------------------------------------- */

static uint64_t ids[MOST];

static void note_id(void *arg)
{
    ids[(uint64_t)arg] = 1 + apic_id();
    add(&done, 1);
}

static void test_threads(void)
{
    begin();
    for (uint64_t i = 0; i < cpu_count; i++)
        thread_new(i % 2 ? pd_new() : ROOT_SEL_PD, (unsigned)i, 61, note_id, (void *)i);
    need(reaches(&done, cpu_count));
    for (unsigned i = 0; i < cpu_count; i++)
        for (unsigned j = 0; j < i; j++)
            check(ids[i] != ids[j]);
}

static void answer_id(struct msg *m) { m->w[0] += 1000 + apic_id(); }

static void call_often(void *arg)
{
    unsigned own = apic_id();

    for (uint64_t i = 0; i < 500; i++) {
        uint64_t word = i;

        if (call_word(portal, &word) != ST_OK || word != i + 1000 + own)
            add(&errors, 1);
    }
    (void)arg;
    add(&done, 1);
}

/* Each CPU's calls are answered by its own handler. */
static void test_handlers(void)
{
    begin();
    portal = portal_new(handler_new(ROOT_SEL_PD, 0), answer_id);
    for (unsigned i = 1; i < cpu_count; i++)
        need_ok(hc_pt_add_handler(portal, handler_new(i % 2 ? pd_new() : ROOT_SEL_PD, i)));
    for (unsigned i = 0; i < 2 * cpu_count; i++)
        thread_sliced(ROOT_SEL_PD, i % cpu_count, 50, call_often, NULL);
    need(reaches(&done, 2 * cpu_count));
    check_eq(errors, 0);
}

static void test_no_handler(void)
{
    cap_sel_t pt = portal_new(handler_new(ROOT_SEL_PD, 1), answer_id);

    check_eq(call(pt), ST_ABORTED);
    need_ok(hc_pt_add_handler(pt, handler_new(ROOT_SEL_PD, 0)));
    check_eq(call(pt), ST_OK);
}

static void test_other_cpu(void)
{
    cap_sel_t ec = thread_stopped(ROOT_SEL_PD, 1, note_id, NULL);

    check_eq(hc_ec(ec, EC_OP_GET_STATE, 0), ST_BAD_CPU);
    check_eq(hc_ec(ec, EC_OP_SET_STATE, 0), ST_BAD_CPU);
    check_eq(hc_ec(ec, EC_OP_GET_FPU, 0), ST_BAD_CPU);
    check_eq(hc_ec(ec, EC_OP_SET_FPU, 0), ST_BAD_CPU);
    check_eq(hc_ec(ec, EC_OP_SET_BADGE, 0), ST_OK);
}

/* ---- semaphores ------------------------------------------------------------------------------ */

enum { ROUNDS = 1000 };

static void answer_ping(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (hc_sm_down(ping, 0) != ST_OK)
            add(&errors, 1);
        hc_sm_up(pong);
    }
    add(&done, 1);
}

static void test_ping_pong(void)
{
    cap_sel_t pd;

    begin();
    ping = sm_new(0);
    pong = sm_new(0);
    pd = pd_new();
    give(pd, ping, SM_ALL);
    give(pd, pong, SM_ALL);
    thread_new(pd, 1, 50, answer_ping, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        hc_sm_up(ping);
        if (hc_sm_down(pong, soon()) != ST_OK) {
            check(!"pong");
            return;
        }
    }
    need(reaches(&done, 1));
    check_eq(errors, 0);
}

static void take(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 200; i++) {
        if (hc_sm_down(ping, 0) != ST_OK)
            add(&errors, 1);
        add(&counts[0], 1);
    }
    add(&done, 1);
}

/* Waiters on all CPUs: no signal is lost, none is doubled. */
static void test_many_waiters(void)
{
    begin();
    ping = sm_new(0);
    for (unsigned i = 0; i < 2 * cpu_count; i++)
        thread_sliced(ROOT_SEL_PD, i % cpu_count, 50, take, NULL);
    for (unsigned i = 0; i < 400 * cpu_count; i++)
        hc_sm_up(ping);
    need(reaches(&done, 2 * cpu_count));
    check_eq(counts[0], 400 * cpu_count);
    check_eq(hc_sm_down(ping, 1), ST_TIMEOUT);
    check_eq(errors, 0);
}

/* Deadlines and signals that meet: either is fine, but none may be lost. */
static void take_or_time_out(void *arg)
{
    uint64_t got = 0;

    (void)arg;
    while (!load(&counts[1]))
        got += hc_sm_down(ping, tsc() + us(20)) == ST_OK;
    while (hc_sm_down(ping, tsc() + us(20)) == ST_OK)
        got++;
    add(&counts[0], got);
    add(&done, 1);
}

static void test_deadline_race(void)
{
    begin();
    ping = sm_new(0);
    for (unsigned i = 1; i < cpu_count; i++)
        thread_new(ROOT_SEL_PD, i, 50, take_or_time_out, NULL);
    for (unsigned i = 0; i < 2000; i++) {
        hc_sm_up(ping);
        for (unsigned n = 0; n < i % 64 * 20; n++)
            relax();
    }
    store(&counts[1], 1);
    need(reaches(&done, cpu_count - 1));
    check_eq(counts[0], 2000);
}

static void wait_aborted(void *arg)
{
    (void)arg;
    add(&counts[0], 1);
    if (hc_sm_down(ping, 0) != ST_ABORTED)
        add(&errors, 1);
    add(&done, 1);
}

static void test_destroyed(void)
{
    begin();
    ping = sm_new(0);
    for (unsigned i = 0; i < cpu_count; i++)
        thread_new(ROOT_SEL_PD, i, 61, wait_aborted, NULL);
    need(reaches(&counts[0], cpu_count));
    sleep_us(500);
    drop(ping);
    need(reaches(&done, cpu_count));
    check_eq(errors, 0);
}

/* ---- recall and end ------------------------------------------------------------------------- */

static uint64_t recalls;

static void count_recalls(struct msg *m)
{
    if (msg_kind(m) == MSG_RECALL)
        store(&recalls, recalls + 1);
}

static void spin_on_cpu1(void)
{
    cap_sel_t pt;

    recalls = 0;
    foreign_new(count_recalls);
    pt = portal_new(handler_new(ROOT_SEL_PD, 1), count_recalls);
    check_eq(hc_revoke_in(foreign.pd, F_EVENT, 1, REVOKE_SELF), ST_OK);
    check_eq(hc_delegate(SEL_SELF, pt, foreign.pd, F_EVENT, 1, PT_CALL), ST_OK);
    foreign_start_on(f_spin, 1, 30);
    check(reaches(foreign_data, 100));
}

static void test_recall(void)
{
    spin_on_cpu1();
    for (uint64_t i = 1; i <= 50; i++) {
        need_ok(hc_ec(foreign.ec, EC_OP_RECALL, 0));
        need(reaches(&recalls, i));
    }
    sleep_us(500);
    check_eq(recalls, 50);
}

/* what: its EC or its PD, the objects 1 and 0 of the statistics. */
static void ends(cap_sel_t *what, unsigned type)
{
    uint64_t count, objects;

    spin_on_cpu1();
    objects = kernel_memory().objects[type];
    drop(*what);
    for (unsigned i = 0; i < 10000 && kernel_memory().objects[type] == objects; i++)
        sleep_us(100);
    count = load(foreign_data);
    sleep_us(2000);
    check_eq(load(foreign_data), count);
}

static void test_end(void)    { ends(&foreign.ec, 1); }
static void test_pd_end(void) { ends(&foreign.pd, 0); }

/* ---- TLB ------------------------------------------------------------------------------------ */

static uint64_t *volatile page;
static uint64_t epoch, progress, last_seen;

/* What is read must be as new as the epoch that was seen before. */
static void read_page(void *arg)
{
    (void)arg;
    while (!load(&done)) {
        uint64_t at_least = load(&epoch), seen = *(volatile uint64_t *)page;

        if (seen < at_least)
            add(&errors, 1);
        last_seen = seen;
        store(&progress, progress + 1);
    }
    add(&done, 1);
}

static void test_shootdown_remap(void)
{
    uint64_t *frames = pages_new(2);
    unsigned readers = cpu_count - 1, rounds = exact_time ? 5 : 60;

    begin();
    epoch = progress = 0;
    page = pages_new(1);
    for (unsigned i = 1; i < cpu_count; i++)
        thread_new(ROOT_SEL_PD, i, 50, read_page, NULL);
    need(reaches(&progress, 100));
    for (uint64_t i = 1; i <= rounds; i++) {
        uint64_t *frame = frames + i % 2 * 512;

        *frame = i;
        need_ok(hc_map(SEL_SELF, (vaddr_t)frame, ROOT_SEL_PD, (vaddr_t)page, 1, MEM_R | MEM_W, 0,
                       NULL));
        store(&epoch, i);
        for (unsigned n = 0; n < i % 50 * 10; n++)
            relax();
    }
    store(&done, 1);
    need(reaches(&done, 1 + readers));
    check_eq(errors, 0);
    check_eq(hc_map_phys(ROOT_SEL_PD, pool_phys(page), (vaddr_t)page, 1, MEM_R | MEM_W), ST_OK);
}

/* A thread that writes for ever: stopped by a page that is not there, or read-only. */
static void write_page(void *arg)
{
    (void)arg;
    for (;;)
        (*(volatile uint64_t *)page)++;
}

static void shot_down(unsigned rights)
{
    cap_sel_t pd = pd_new();
    uint64_t count, *view;

    begin();
    page = (uint64_t *)0x5000000000;
    view = pages_new(1);
    need_ok(hc_map(SEL_SELF, (vaddr_t)view, pd, (vaddr_t)page, 1, MEM_R | MEM_W, 0, NULL));
    thread_new(pd, 1, 50, write_page, NULL);
    need(reaches(view, 1000));
    need_ok(hc_protect(pd, (vaddr_t)page, 1, rights));
    count = load(view);
    for (unsigned n = 0; n < 10000; n++)
        relax();
    check_eq(load(view), count);
}

static void test_shootdown_unmap(void)     { shot_down(0); }
static void test_shootdown_read_only(void) { shot_down(MEM_R); }

/* Two address spaces, mapped into each other by two CPUs: locks in one order. */
static cap_sel_t left_pd, right_pd;

static void map_across(void *arg)
{
    bool right = (uint64_t)arg % 2;
    vaddr_t at = 0x6000000000 + (uint64_t)arg * 0x10000;
    uint64_t copied;

    for (unsigned i = 0; i < 300; i++) {
        cap_sel_t from = right ? right_pd : left_pd, to = right ? left_pd : right_pd;

        if (hc_map(from, 0x400000, to, at, 2, MEM_R, 0, NULL) != ST_OK ||
            hc_copy(to, COPY_FROM, &copied, at + 4092, 8, &copied) != ST_OK ||
            hc_protect(to, at & ~0x1fffffull, 512, 0) != ST_OK)
            add(&errors, 1);
    }
    add(&done, 1);
}

static void test_map_across(void)
{
    begin();
    left_pd = pd_new();
    right_pd = pd_new();
    for (uint64_t i = 0; i < cpu_count; i++)
        thread_new(ROOT_SEL_PD, (unsigned)i, 50, map_across, (void *)(i << 8 | (i & 1)));
    need(reaches(&done, cpu_count));
    check_eq(errors, 0);
}

/* ---- create and destroy everywhere ---------------------------------------------------------- */

static cap_sel_t churn_slots;

static void churn(void *arg)
{
    unsigned cpu = (unsigned)(uint64_t)arg;
    cap_sel_t first = churn_slots + 16 * cpu;
    vaddr_t utcb = 0x30000000;

    for (unsigned i = 0; i < 150; i++) {
        bool good = hc_create_pd(first, ROOT_SEL_PD, 60, 0) == ST_OK;

        good &= hc_create_ec(first + 1, first, EC_LOCAL, cpu, 0, utcb, 0, 0, 0) == ST_OK;
        good &= hc_create_pt(first + 2, first, first + 1, 0x400000, 0) == ST_OK;
        good &= hc_create_ec(first + 3, first, EC_FOREIGN, (cpu + 1) % cpu_count, 5,
                             utcb + PAGE_BYTES, 0, 0, 0) == ST_OK;
        good &= hc_create_sm(first + 4, first, 0) == ST_OK;
        good &= hc_create_sc(first + 5, first, first + 3, 1, QUANTUM) == ST_OK;
        good &= hc_delegate(SEL_SELF, first, first, 10, 6, RIGHTS_ALL) == ST_OK;
        hc_revoke(first + i % 6, 6 - i % 6, REVOKE_SELF);
        hc_revoke(first, 6, REVOKE_SELF);
        if (!good)
            add(&errors, 1);
    }
    add(&done, 1);
}

static void test_churn(void)
{
    begin();
    churn_slots = sel_range(16 * MOST);
    for (uint64_t i = 0; i < cpu_count; i++)
        thread_new(ROOT_SEL_PD, (unsigned)i, 50, churn, (void *)i);
    need(reaches(&done, cpu_count));
    check_eq(errors, 0);
}

/* One CPU copies a capability and its copies, another revokes what it finds. */
static void copy_around(void *arg)
{
    cap_sel_t sm = (cap_sel_t)(uint64_t)arg;

    for (unsigned i = 0; !load(&done); i++) {
        hc_simple(ctl_make(HC_DELEGATE, 0, 0), SEL_SELF, sm + i % 7, SEL_SELF, sm + 1 + i * 5 % 30,
                  1, RIGHTS_ALL);
        hc_sm_up(sm + i % 30);
        add(&counts[0], 1);
    }
    add(&done, 1);
}

static void test_delegate_race(void)
{
    cap_sel_t sm = sel_range(32);

    begin();
    need_ok(hc_create_sm(sm, ROOT_SEL_PD, 0));
    for (unsigned i = 1; i < cpu_count; i++)
        thread_new(ROOT_SEL_PD, i, 50, copy_around, (void *)(uint64_t)sm);
    need(reaches(&counts[0], 100));
    for (unsigned i = 0; i < 2000; i++)
        hc_revoke(sm + i % 30, 1, i % 30 ? REVOKE_SELF : 0);
    store(&done, 1);
    need(reaches(&done, cpu_count));
    check_eq(hc_sm_up(sm), ST_OK);
    check_eq(hc_revoke(sm, 1, 0), ST_OK);
    for (unsigned i = 1; i < 32; i++)
        check_eq(hc_sm_up(sm + i), ST_BAD_CAP);
}

/* A PD ends while its threads on all CPUs create and destroy in it: nothing may be
 * put where nobody clears up any more. */
static void create_for_ever(void *arg)
{
    cap_sel_t first = 1000 + 128 * (cap_sel_t)(uint64_t)arg;

    for (;;) {
        for (unsigned i = 0; i < 8; i++)
            hc_simple(ctl_make(HC_CREATE_SM, 0, first + i), 100, 0, 0, 0, 0, 0);
        add(&counts[0], 1);
        hc_revoke(first, 8, REVOKE_SELF);
    }
}

static void test_end_while_creating(void)
{
    struct kmem_stat before = kernel_memory();

    for (unsigned round = 0; round < 30; round++) {
        cap_sel_t pd, threads[MOST];

        begin();
        pd = pd_new();
        need_ok(hc_delegate(SEL_SELF, pd, pd, 100, 1, PD_ALL));
        for (uint64_t i = 1; i < cpu_count; i++)
            threads[i] = thread_stopped(pd, (unsigned)i, create_for_ever, (void *)i);
        for (unsigned i = 1; i < cpu_count; i++)
            check_eq(hc_create_sc(threads[i] + 1, ROOT_SEL_PD, threads[i], 50, QUANTUM), ST_OK);
        need(reaches(&counts[0], 20));
        drop(pd);
        env_reset();
        need(objects_settle(&before));
    }
}

/* Threads of one CPU are destroyed by another in whatever state they happen to be. */
static void call_and_wait(void *arg)
{
    (void)arg;
    for (;;) {
        call(portal);
        hc_sm_down(ping, tsc() + us(5));
        hc_sm_up(pong);
        hc_yield();
    }
}

static void handle_slowly(struct msg *m)
{
    hc_sm_down(pong, tsc() + us(10));
    m->w[0] = 0;
}

static void test_kill_remote(void)
{
    struct kmem_stat before = kernel_memory();

    for (unsigned round = 0; round < 15; round++) {
        cap_sel_t threads[8], handler;

        ping = sm_new(0);
        pong = sm_new(0);
        handler = handler_new(ROOT_SEL_PD, 1);
        portal = portal_new(handler, handle_slowly);
        for (unsigned i = 0; i < 8; i++)
            threads[i] = thread_sliced(ROOT_SEL_PD, 1, 40 + i % 3, call_and_wait, NULL);
        sleep_us(300 + round * 37);
        for (unsigned i = 0; i < 4; i++)
            check_eq(hc_revoke(threads[i], 2, REVOKE_SELF), ST_OK);
        sleep_us(100);
        drop(handler);
        env_reset();
        need(objects_settle(&before));
    }
}

const struct test smp_tests[] = {
    { "threads", test_threads, TEST_SMP },
    { "handlers", test_handlers, TEST_SMP },
    { "no-handler", test_no_handler, TEST_SMP },
    { "other-cpu", test_other_cpu, TEST_SMP },
    { "ping-pong", test_ping_pong, TEST_SMP },
    { "many-waiters", test_many_waiters, TEST_SMP },
    { "deadline-race", test_deadline_race, TEST_SMP },
    { "destroyed", test_destroyed, TEST_SMP },
    { "recall", test_recall, TEST_SMP },
    { "end", test_end, TEST_SMP },
    { "pd-end", test_pd_end, TEST_SMP },
    { "shootdown-remap", test_shootdown_remap, TEST_SMP },
    { "shootdown-unmap", test_shootdown_unmap, TEST_SMP },
    { "shootdown-read-only", test_shootdown_read_only, TEST_SMP },
    { "map-across", test_map_across, TEST_SMP },
    { "churn", test_churn, TEST_SMP },
    { "delegate-race", test_delegate_race, TEST_SMP },
    { "end-while-creating", test_end_while_creating, TEST_SMP },
    { "kill-remote", test_kill_remote, TEST_SMP },
    { NULL, NULL, 0 },
};
