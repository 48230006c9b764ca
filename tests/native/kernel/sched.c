/*
 * Scheduling on one CPU: priorities, time slices, yielding.
 */
#include "env.h"

static uint64_t counts[4], trail[32], steps, waiting;
static cap_sel_t sm;

static void note(uint64_t what)
{
    uint64_t at = __atomic_fetch_add(&steps, 1, __ATOMIC_RELAXED);

    if (at < 32)
        trail[at] = what;
}

static void note_arg(void *arg) { note((uint64_t)arg); }

static void note_when_signalled(void *arg)
{
    store(&waiting, 1);
    hc_sm_down(sm, 0);
    note((uint64_t)arg);
}

static void count_for_ever(void *arg)
{
    uint64_t *count = arg;

    for (;;)
        store(count, *count + 1);
}

/* A thread of higher priority runs as soon as it is ready, one of lower or the
 * same priority when the others wait. */
static void test_priority(void)
{
    steps = 0;
    thread_new(ROOT_SEL_PD, 0, MAIN_PRIORITY - 1, note_arg, (void *)1);
    check_eq(steps, 0);
    thread_new(ROOT_SEL_PD, 0, MAIN_PRIORITY + 1, note_arg, (void *)2);
    check_eq(steps, 1);
    thread_new(ROOT_SEL_PD, 0, 0, note_arg, (void *)3);
    check_eq(steps, 1);
    need(reaches(&steps, 3));
    check_eq(trail[0], 2);
    check_eq(trail[1], 1);
    check_eq(trail[2], 3);
}

static void test_wake_priority(void)
{
    steps = waiting = 0;
    sm = sm_new(0);
    thread_new(ROOT_SEL_PD, 0, MAIN_PRIORITY - 1, note_when_signalled, (void *)1);
    need(reaches(&waiting, 1));
    sleep_us(5000); /* so that it does wait */
    thread_new(ROOT_SEL_PD, 0, MAIN_PRIORITY + 1, note_when_signalled, (void *)2);
    hc_sm_up(sm); /* for the first, which came first */
    check_eq(steps, 0);
    hc_sm_up(sm);
    check_eq(steps, 1);
    check_eq(trail[0], 2);
    need(reaches(&steps, 2));
}

/* All have their turns; equal ones, where time is exact. */
static void test_round_robin(void)
{
    for (unsigned i = 0; i < 3; i++) {
        counts[i] = 0;
        thread_sliced(ROOT_SEL_PD, 0, 30, count_for_ever, &counts[i]);
    }
    sleep_us(3 * 40 * (QUANTUM / (tsc_hz / 1000000)));
    for (unsigned i = 0; i < 3; i++)
        check(counts[i] > 0);
    if (exact_time)
        for (unsigned i = 0; i < 3; i++)
            check(counts[i] > counts[(i + 1) % 3] / 20 * 17);
}

/* Time goes by quantum. */
static void test_quantum(void)
{
    cap_sel_t ec[2];

    for (unsigned i = 0; i < 2; i++) {
        counts[i] = 0;
        ec[i] = thread_stopped(ROOT_SEL_PD, 0, count_for_ever, &counts[i]);
        need_ok(hc_create_sc(ec[i] + 1, ROOT_SEL_PD, ec[i], 30, QUANTUM / 2 * (1 + 3 * i)));
    }
    sleep_us(2 * 50 * (QUANTUM / (tsc_hz / 1000000)));
    check(counts[0] > 0 && counts[1] > 0);
    check(!exact_time || (counts[1] > counts[0] * 3 && counts[1] < counts[0] * 5));
}

/* None of lower priority runs meanwhile. */
static void test_starvation(void)
{
    counts[0] = counts[1] = 0;
    thread_new(ROOT_SEL_PD, 0, 20, count_for_ever, &counts[0]);
    thread_new(ROOT_SEL_PD, 0, 21, count_for_ever, &counts[1]);
    sleep_us(5000);
    need(reaches(&counts[1], 1));
    check_eq(counts[0], 0);
}

static void note_and_yield(void *arg)
{
    for (unsigned i = 0; i < 5; i++) {
        note((uint64_t)arg);
        hc_yield();
    }
}

static void test_yield(void)
{
    steps = 0;
    thread_new(ROOT_SEL_PD, 0, 30, note_and_yield, (void *)1);
    thread_new(ROOT_SEL_PD, 0, 30, note_and_yield, (void *)2);
    need(reaches(&steps, 10));
    for (unsigned i = 0; i < 10; i++)
        check_eq(trail[i], 1 + i % 2);
}

/* To those of the same priority only. */
static void test_yield_lower(void)
{
    counts[0] = 0;
    thread_new(ROOT_SEL_PD, 0, MAIN_PRIORITY - 1, count_for_ever, &counts[0]);
    for (unsigned i = 0; i < 10; i++)
        hc_yield();
    check_eq(counts[0], 0);
}

static void burn_ms(void *arg)
{
    uint64_t ticks = ms((uint64_t)arg), start = tsc();

    while (tsc() - start < ticks)
        relax();
    note(0);
}

/* The time that an SC has used: its own, and that of handlers for it. */
static void burn_in_handler(struct msg *m)
{
    burn_ms((void *)5);
    m->w[0] = 0;
}

static void burn_by_call(void *arg)
{
    call((cap_sel_t)(uint64_t)arg);
    note(0);
}

/* At least 5 ms, and not much more where time is exact. */
static void check_time(cap_sel_t sc)
{
    uint64_t ticks;

    need_ok(hc_sc_time(sc, &ticks));
    if (ticks < ms(5) || (exact_time && ticks >= ms(6)))
        check_eq(ticks, ms(5));
}

static void test_time(void)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, burn_in_handler);
    cap_sel_t direct = thread_new(ROOT_SEL_PD, 0, 61, burn_ms, (void *)5);
    cap_sel_t idle = thread_new(ROOT_SEL_PD, 0, 61, note_arg, NULL);
    cap_sel_t caller = thread_new(ROOT_SEL_PD, 0, 61, burn_by_call, (void *)(uint64_t)pt);
    uint64_t ticks;

    check_time(direct + 1);
    check_time(caller + 1);
    need_ok(hc_sc_time(idle + 1, &ticks));
    check(ticks > 0 && (!exact_time || ticks < ms(1)));
}

/* A deadline interrupts what runs, whatever its time slice. */
static void test_preempted_by_deadline(void)
{
    cap_sel_t ec = thread_stopped(ROOT_SEL_PD, 0, count_for_ever, &counts[0]);
    uint64_t start = tsc();

    need_ok(hc_create_sc(ec + 1, ROOT_SEL_PD, ec, 30, ms(1000)));
    sleep_us(2000);
    check(tsc() - start < ms(900));
}

/* An SC whose capability goes takes the time from its thread, not its life. */
static void test_time_taken(void)
{
    cap_sel_t ec;
    uint64_t count;

    counts[0] = 0;
    ec = thread_new(ROOT_SEL_PD, 0, 30, count_for_ever, &counts[0]);
    need(reaches(&counts[0], 1));
    drop(ec + 1);
    count = load(&counts[0]);
    sleep_us(1000);
    check_eq(load(&counts[0]), count);
    need_ok(hc_create_sc(ec + 1, ROOT_SEL_PD, ec, 30, QUANTUM));
    need(reaches(&counts[0], count + 1));
}

const struct test sched_tests[] = {
    { "priority", test_priority, 0 },
    { "wake-priority", test_wake_priority, 0 },
    { "round-robin", test_round_robin, 0 },
    { "quantum", test_quantum, 0 },
    { "starvation", test_starvation, 0 },
    { "yield", test_yield, 0 },
    { "yield-lower", test_yield_lower, 0 },
    { "time", test_time, 0 },
    { "preempted-by-deadline", test_preempted_by_deadline, 0 },
    { "time-taken", test_time_taken, 0 },
    { NULL, NULL, 0 },
};
