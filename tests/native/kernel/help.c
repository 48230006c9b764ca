/*
 * Calls to a handler that is busy: the caller's time helps it to get done.
 */
#include "env.h"

static cap_sel_t first, second, gate;
static uint64_t entered, left, spins, status[2], ready, go;

static void spin(void *arg)
{
    (void)arg;
    for (;;)
        store(&spins, spins + 1);
}

/* Goes on when it is told to. */
static void work(struct msg *m)
{
    store(&entered, entered + 1);
    while (!load(&go))
        relax();
    store(&left, left + 1);
    m->w[0] = left;
}

static void call_first(void *arg)
{
    uint64_t word = 0, at = (uint64_t)arg;

    store(&status[at], 1000 + (call_word(first, &word) & 0xff));
    store(&ready, ready + 1);
}

static void setup(void)
{
    entered = left = spins = ready = go = 0;
    status[0] = status[1] = 0;
    gate = sm_new(0);
}

/* A caller of low priority is preempted in the handler; one of middle priority
 * has something to do; then one of high priority calls the same portal. */
static void test_inversion(void)
{
    uint64_t word = 0;

    setup();
    first = service_new(ROOT_SEL_PD, work);
    thread_new(ROOT_SEL_PD, 0, 10, call_first, NULL);
    while (!load(&entered))
        hc_sm_down(SEL_NEVER, tsc() + us(50));
    thread_new(ROOT_SEL_PD, 0, 20, spin, NULL);
    store(&go, 1);
    check_eq(call_word(first, &word), ST_OK);
    check_eq(word, 2); /* ours was the second that was done */
    check_eq(spins, 0);
    check_eq(ready, 0); /* the low one has its reply, and no time to take it */
}

/* Through a chain: the handler itself waits for a handler. */
static void work_second(struct msg *m) { check_eq(call_word(second, &m->w[0]), ST_OK); }

static void test_chain(void)
{
    uint64_t word = 0;

    setup();
    second = service_new(ROOT_SEL_PD, work);
    first = service_new(ROOT_SEL_PD, work_second);
    thread_new(ROOT_SEL_PD, 0, 10, call_first, NULL);
    while (!load(&entered))
        hc_sm_down(SEL_NEVER, tsc() + us(50));
    thread_new(ROOT_SEL_PD, 0, 20, spin, NULL);
    store(&go, 1);
    check_eq(call_word(first, &word), ST_OK);
    check_eq(word, 2);
    check_eq(spins, 0);
}

/* The helped handler waits for a semaphore: so does who helps. */
static void pass_gate(struct msg *m)
{
    store(&entered, entered + 1);
    check_eq(hc_sm_down(gate, 0), ST_OK);
    m->w[0] = 1;
}

static void test_blocked(void)
{
    setup();
    first = service_new(ROOT_SEL_PD, pass_gate);
    thread_new(ROOT_SEL_PD, 0, 61, call_first, NULL);
    thread_new(ROOT_SEL_PD, 0, 61, call_first, (void *)1);
    check_eq(entered, 1);
    hc_sm_up(gate);
    check_eq(entered, 2);
    check_eq(ready, 1);
    hc_sm_up(gate);
    check_eq(ready, 2);
    check_eq(status[0], 1000 + ST_OK);
    check_eq(status[1], 1000 + ST_OK);
}

/* Many wait for one handler: all are served. */
static void test_many(void)
{
    setup();
    first = service_new(ROOT_SEL_PD, pass_gate);
    for (unsigned i = 0; i < 20; i++)
        thread_new(ROOT_SEL_PD, 0, 40 + i % 3, call_first, NULL);
    sleep_us(500);
    for (unsigned i = 0; i < 20; i++) {
        hc_sm_up(gate);
        sleep_us(50);
    }
    need(reaches(&ready, 20));
    check_eq(entered, 20);
}

/* The handler ends while others wait for it. */
static void test_handler_ends(void)
{
    cap_sel_t ec = handler_new(ROOT_SEL_PD, 0);

    setup();
    first = portal_new(ec, pass_gate);
    thread_new(ROOT_SEL_PD, 0, 61, call_first, NULL);
    thread_new(ROOT_SEL_PD, 0, 61, call_first, (void *)1);
    drop(ec);
    need(reaches(&ready, 2));
    check_eq(status[0], 1000 + ST_ABORTED);
    check_eq(status[1], 1000 + ST_ABORTED);
}

/* Two handlers that call each other for two callers: one is told, none hangs. */
static uint64_t crossed[2];

static void cross_second(struct msg *m)
{
    hc_sm_down(gate, 0);
    crossed[0] = call(second);
    m->w[0] = 1;
}

static void cross_first(struct msg *m)
{
    crossed[1] = call(first);
    m->w[0] = 1;
}

static void call_second(void *arg)
{
    (void)arg;
    call(second);
    store(&ready, ready + 1);
}

static void test_cross(void)
{
    setup();
    first = service_new(ROOT_SEL_PD, cross_second);
    second = service_new(ROOT_SEL_PD, cross_first);
    thread_new(ROOT_SEL_PD, 0, 61, call_first, NULL);
    thread_new(ROOT_SEL_PD, 0, 61, call_second, NULL);
    hc_sm_up(gate);
    hc_sm_up(gate);
    hc_sm_up(gate);
    need(reaches(&ready, 2));
    check((crossed[0] == ST_BAD_STATE) + (crossed[1] == ST_BAD_STATE) >= 1);
}

/* In a chain of two handlers the first ends: its caller is told at once, though the
 * second still waits; and the second can be called again when it is done. */
static void test_middle_ends(void)
{
    cap_sel_t ec = handler_new(ROOT_SEL_PD, 0);

    setup();
    second = service_new(ROOT_SEL_PD, pass_gate);
    first = portal_new(ec, work_second);
    thread_new(ROOT_SEL_PD, 0, 61, call_first, NULL);
    check_eq(entered, 1);
    drop(ec);
    need(reaches(&ready, 1));
    check_eq(status[0], 1000 + ST_ABORTED);
    hc_sm_up(gate);
    hc_sm_up(gate);
    check_eq(call(second), ST_OK);
    check_eq(entered, 2);
}

/* A caller ends: its handler goes on with the time it was given, without help. */
static void test_caller_ends(void)
{
    cap_sel_t thread;

    setup();
    first = service_new(ROOT_SEL_PD, work);
    thread = thread_new(ROOT_SEL_PD, 0, 10, call_first, NULL);
    while (!load(&entered))
        hc_sm_down(SEL_NEVER, tsc() + us(50));
    check_eq(hc_revoke(thread, 1, REVOKE_SELF), ST_OK);
    store(&go, 1);
    need(reaches(&left, 1));
    check_eq(ready, 0);
}

/* The same when all of the caller goes, its SC too. */
static void test_caller_pd_ends(void)
{
    cap_sel_t pd = pd_new(), thread;

    setup();
    first = service_new(ROOT_SEL_PD, work);
    give(pd, first, PT_CALL);
    thread = thread_new(pd, 0, 10, call_first, NULL);
    while (!load(&entered))
        hc_sm_down(SEL_NEVER, tsc() + us(50));
    check_eq(hc_revoke(thread, 2, REVOKE_SELF), ST_OK);
    drop(pd);
    store(&go, 1);
    need(reaches(&left, 1));
    check_eq(call(first), ST_OK);
}

const struct test help_tests[] = {
    { "inversion", test_inversion, 0 },
    { "chain", test_chain, 0 },
    { "blocked", test_blocked, 0 },
    { "many", test_many, 0 },
    { "handler-ends", test_handler_ends, 0 },
    { "cross", test_cross, 0 },
    { "middle-ends", test_middle_ends, 0 },
    { "caller-ends", test_caller_ends, 0 },
    { "caller-pd-ends", test_caller_pd_ends, 0 },
    { NULL, NULL, 0 },
};
