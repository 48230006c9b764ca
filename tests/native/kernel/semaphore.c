/*
 * Semaphores.
 */
#include "env.h"

static cap_sel_t sm;
static uint64_t order[8], turn, started, result;

static void test_count(void)
{
    cap_sel_t s = sm_new(3);

    for (unsigned i = 0; i < 3; i++)
        check_eq(hc_sm_down(s, 0), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_TIMEOUT);
    check_eq(hc_sm_up(s), ST_OK);
    check_eq(hc_sm_up(s), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_TIMEOUT);
}

static void test_zero(void)
{
    cap_sel_t s = sm_new(5);

    check_eq(hc_sm_zero(s, 0), ST_OK);
    check_eq(hc_sm_zero(s, 1), ST_TIMEOUT);
    check_eq(hc_sm_down(s, 1), ST_TIMEOUT);
    hc_sm_up(s);
    hc_sm_up(s);
    check_eq(hc_sm_zero(s, 1), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_TIMEOUT);
}

/* The highest count does not wrap. */
static void test_saturates(void)
{
    cap_sel_t s = sm_new(~0ull);

    check_eq(hc_sm_up(s), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_OK);
    check_eq(hc_sm_zero(s, 1), ST_OK);
    check_eq(hc_sm_down(s, 1), ST_TIMEOUT);
}

static void wait_in_line(void *arg)
{
    store(&started, started + 1);
    check_eq(hc_sm_down(sm, 0), ST_OK);
    order[__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED)] = (uint64_t)arg;
}

/* Waiters of one semaphore are served in the order of their coming. */
static void test_fifo(void)
{
    sm = sm_new(0);
    turn = started = 0;
    for (uint64_t i = 0; i < 8; i++) {
        thread_new(ROOT_SEL_PD, 0, 61, wait_in_line, (void *)i);
        need(reaches(&started, i + 1));
    }
    for (unsigned i = 0; i < 8; i++)
        check_eq(hc_sm_up(sm), ST_OK);
    need(reaches(&turn, 8));
    for (uint64_t i = 0; i < 8; i++)
        check_eq(order[i], i);
    check_eq(hc_sm_down(sm, 1), ST_TIMEOUT);
}

/* Zero also takes what comes while it waits: one signal, one waiter. */
static void wait_zero(void *arg)
{
    (void)arg;
    store(&started, 1);
    result = hc_sm_zero(sm, 0);
    store(&turn, 1);
}

static void test_zero_waits(void)
{
    sm = sm_new(0);
    turn = started = 0;
    thread_new(ROOT_SEL_PD, 0, 61, wait_zero, NULL);
    need(reaches(&started, 1));
    check_eq(hc_sm_up(sm), ST_OK);
    need(reaches(&turn, 1));
    check_eq(result, ST_OK);
    check_eq(hc_sm_down(sm, 1), ST_TIMEOUT);
}

/* Never too early, and not late by more than the machine explains. */
static void test_deadline(void)
{
    static const uint64_t waits_us[] = { 100, 1000, 250, 5000, 20000 };
    uint64_t late_us = exact_time ? 100 : 30000;

    for (unsigned i = 0; i < sizeof waits_us / sizeof *waits_us; i++) {
        uint64_t deadline = tsc() + us(waits_us[i]), best = ~0ull;

        for (unsigned tries = 0; tries < 5 && best > us(late_us); tries++) {
            deadline = tsc() + us(waits_us[i]);
            check_eq(hc_sm_down(SEL_NEVER, deadline), ST_TIMEOUT);
            uint64_t now = tsc();

            check(now >= deadline);
            if (now - deadline < best)
                best = now - deadline;
        }
        check(best <= us(late_us));
    }
}

static uint64_t woken[8];

static void wait_until(void *arg)
{
    check_eq(hc_sm_down(SEL_NEVER, (uint64_t)arg), ST_TIMEOUT);
    woken[__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED)] = (uint64_t)arg;
}

/* Many deadlines at once, set out of order, come in order. */
static void test_deadline_order(void)
{
    static const uint8_t at[8] = { 5, 2, 7, 1, 6, 3, 8, 4 };
    uint64_t base = tsc() + ms(exact_time ? 20 : 200);

    turn = 0;
    for (unsigned i = 0; i < 8; i++)
        thread_new(ROOT_SEL_PD, 0, 61, wait_until, (void *)(base + ms(2) * at[i]));
    need(reaches(&turn, 8));
    for (uint64_t i = 0; i < 8; i++)
        check_eq(woken[i], base + ms(2) * (i + 1));
}

/* A deadline in the past, and one that never comes, with a unit there to take. */
static void test_deadline_edges(void)
{
    cap_sel_t s = sm_new(2);

    check_eq(hc_sm_down(s, 1), ST_OK);
    check_eq(hc_sm_down(s, ~0ull), ST_OK);
    check_eq(hc_sm_down(s, tsc() - 1), ST_TIMEOUT);
    check_eq(hc_sm_down(s, tsc()), ST_TIMEOUT);
}

/* A signal comes before the deadline: the deadline is forgotten. */
static void signal_later(void *arg)
{
    (void)arg;
    sleep_us(1000);
    hc_sm_up(sm);
}

static void test_signal_before_deadline(void)
{
    sm = sm_new(0);
    thread_new(ROOT_SEL_PD, 0, 61, signal_later, NULL);
    check_eq(hc_sm_down(sm, tsc() + ms(2000)), ST_OK);
    check_eq(hc_sm_down(SEL_NEVER, tsc() + us(500)), ST_TIMEOUT);
    check_eq(hc_sm_down(sm, 1), ST_TIMEOUT);
}

static void wait_aborted(void *arg)
{
    cap_sel_t s = (cap_sel_t)(uint64_t)arg;

    __atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
    result = hc_sm_down(s, 0);
    __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
}

static void test_destroyed(void)
{
    turn = started = 0;
    sm = sm_new(0);
    for (unsigned i = 0; i < 3; i++)
        thread_new(ROOT_SEL_PD, 0, 61, wait_aborted, (void *)(uint64_t)sm);
    need(reaches(&started, 3));
    drop(sm);
    need(reaches(&turn, 3));
    check_eq(result, ST_ABORTED);
}

/* While another capability is left, the waiters wait. */
static void test_one_of_two_deleted(void)
{
    cap_sel_t copy = sel_new();

    turn = started = 0;
    sm = sm_new(0);
    need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, copy, 1, RIGHTS_ALL));
    thread_new(ROOT_SEL_PD, 0, 61, wait_aborted, (void *)(uint64_t)copy);
    need(reaches(&started, 1));
    drop(copy);
    sleep_us(500);
    check_eq(turn, 0);
    check_eq(hc_sm_up(sm), ST_OK);
    need(reaches(&turn, 1));
    check_eq(result, ST_OK);
}

/* A thread that ends while it waits takes no unit with it. */
static void test_waiter_ends(void)
{
    cap_sel_t thread;

    turn = started = 0;
    sm = sm_new(0);
    thread = thread_new(ROOT_SEL_PD, 0, 61, wait_aborted, (void *)(uint64_t)sm);
    need(reaches(&started, 1));
    check_eq(hc_revoke(thread, 2, REVOKE_SELF), ST_OK);
    check_eq(hc_sm_up(sm), ST_OK);
    check_eq(hc_sm_down(sm, 1), ST_OK);
    check_eq(turn, 0);
}

const struct test sm_tests[] = {
    { "count", test_count, 0 },
    { "zero", test_zero, 0 },
    { "saturates", test_saturates, 0 },
    { "fifo", test_fifo, 0 },
    { "zero-waits", test_zero_waits, 0 },
    { "deadline", test_deadline, 0 },
    { "deadline-order", test_deadline_order, 0 },
    { "deadline-edges", test_deadline_edges, 0 },
    { "signal-before-deadline", test_signal_before_deadline, 0 },
    { "destroyed", test_destroyed, 0 },
    { "one-of-two-deleted", test_one_of_two_deleted, 0 },
    { "waiter-ends", test_waiter_ends, 0 },
    { NULL, NULL, 0 },
};
