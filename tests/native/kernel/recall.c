/*
 * Recall, and the end of threads in every state.
 */
#include "foreign.h"

static uint64_t recalls;
static cap_sel_t gate;

static void count_recalls(struct msg *m)
{
    if (msg_kind(m) == MSG_RECALL) {
        check_eq(m->badge, FOREIGN_BADGE);
        store(&recalls, recalls + 1);
        return;
    }
    foreign_event(m);
}

static void prepare(handler_fn *event)
{
    recalls = 0;
    gate = sm_new(0);
    foreign_new(event);
}

/* One that spins in user mode: each recall is one message, registers untouched. */
static void test_spinning(void)
{
    prepare(count_recalls);
    foreign_start_on(f_spin, 0, MAIN_PRIORITY - 1);
    for (uint64_t i = 1; i <= 20; i++) {
        uint64_t before = load(foreign_data);

        need(reaches(foreign_data, before + 5));
        need_ok(hc_ec(foreign.ec, EC_OP_RECALL, 0));
        need(reaches(&recalls, i));
    }
    sleep_us(500);
    check_eq(recalls, 20);
}

/* Several recalls before it runs are one. */
static void test_merged(void)
{
    prepare(count_recalls);
    foreign_start_on(f_spin, 0, MAIN_PRIORITY - 1);
    need(reaches(foreign_data, 5));
    for (unsigned i = 0; i < 5; i++)
        need_ok(hc_ec(foreign.ec, EC_OP_RECALL, 0));
    need(reaches(&recalls, 1));
    sleep_us(1000);
    check_eq(recalls, 1);
}

/* One that waits for a handler: after the reply, before its next instruction. */
static void slow_call(struct msg *m)
{
    if (msg_kind(m) == MSG_RECALL)
        check_eq(foreign_state()->rax, 4711);
    count_recalls(m);
    if (msg_kind(m) == MSG_FOREIGN) {
        hc_sm_down(gate, 0);
        m->w[0] = 4711;
    }
}

static void test_in_handler(void)
{
    prepare(slow_call);
    foreign_data[0] = 5;
    foreign_data[1] = 60;
    foreign_start(f_numbers);
    need(reaches(&foreign.count, 1));
    need_ok(hc_ec(foreign.ec, EC_OP_RECALL, 0));
    sleep_us(500);
    check_eq(recalls, 0);
    hc_sm_up(gate);
    need(foreign_done());
    check_eq(recalls, 1);
    check_eq(foreign_data[0], 4711);
}

/* One that waits for a semaphore: not until it is signalled. */
static void test_blocked(void)
{
    prepare(count_recalls);
    need_ok(hc_delegate(SEL_SELF, gate, foreign.pd, F_SM, 1, SM_DOWN));
    foreign_data[0] = ctl_make(HC_SM, SM_OP_DOWN, F_SM);
    foreign_start(f_native_wait);
    sleep_us(500);
    need_ok(hc_ec(foreign.ec, EC_OP_RECALL, 0));
    sleep_us(500);
    check_eq(recalls, 0);
    hc_sm_up(gate);
    need(reaches(&recalls, 1));
    need(reaches(&foreign_data[1], 1));
}

/* Recalled before its first instruction. */
static void test_before_start(void)
{
    prepare(count_recalls);
    foreign.ec = sel_range(2);
    foreign_data[0] = 60;
    need_ok(hc_create_ec(foreign.ec, foreign.pd, EC_FOREIGN, 0, F_EVENT, FOREIGN_UTCB, 0x1000,
                         (vaddr_t)f_numbers, FOREIGN_BADGE));
    need_ok(hc_ec(foreign.ec, EC_OP_RECALL, 0));
    need_ok(hc_create_sc(foreign.ec + 1, ROOT_SEL_PD, foreign.ec, 61, QUANTUM));
    need(foreign_done());
    check_eq(recalls, 1);
}

/* From the first system call on, its messages carry the new badge. */
static uint64_t badges[2];

static void note_badge(struct msg *m)
{
    if (msg_label(m) < 2)
        badges[msg_label(m)] = m->badge;
    if (msg_label(m) == 0)
        check_eq(hc_ec(foreign.ec, EC_OP_SET_BADGE, 99), ST_OK);
    if (msg_label(m) == 60) {
        store(&foreign.done, 1);
        hc_sm_down(SEL_NEVER, 0);
    }
}

static void test_set_badge(void)
{
    prepare(note_badge);
    foreign_data[1] = 1;
    foreign_data[2] = 60;
    foreign_start(f_numbers);
    need(foreign_done());
    check_eq(badges[0], FOREIGN_BADGE);
    check_eq(badges[1], 99);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void end_it(bool whole_pd)
{
    if (whole_pd)
        drop(foreign.pd);
    else
        check_eq(hc_revoke(foreign.ec, 1, REVOKE_SELF), ST_OK);
}

static void ends_spinning(bool whole_pd)
{
    uint64_t count;

    prepare(NULL);
    foreign_start_on(f_spin, 0, MAIN_PRIORITY - 1);
    need(reaches(foreign_data, 5));
    end_it(whole_pd);
    count = load(foreign_data);
    sleep_us(1000);
    check_eq(load(foreign_data), count);
}

static void nothing(struct msg *m) { (void)m; }

static void ends_in_handler(bool whole_pd)
{
    prepare(slow_call);
    foreign_start(f_numbers);
    need(reaches(&foreign.count, 1));
    end_it(whole_pd);
    hc_sm_up(gate); /* the handler goes on, and can be called again */
    sleep_us(500);
    check_eq(call(portal_new(foreign.event_ec, nothing)), ST_OK);
}

static void ends_blocked(bool whole_pd)
{
    prepare(NULL);
    need_ok(hc_delegate(SEL_SELF, gate, foreign.pd, F_SM, 1, SM_DOWN));
    foreign_data[0] = ctl_make(HC_SM, SM_OP_DOWN, F_SM);
    foreign_start(f_native_wait);
    sleep_us(500);
    end_it(whole_pd);
    hc_sm_up(gate);
    check_eq(hc_sm_down(gate, 1), ST_OK);
    check_eq(foreign_data[1], 0);
}

static void ends_calling(bool whole_pd)
{
    prepare(NULL);
    foreign_start_on(f_calls, 0, MAIN_PRIORITY - 1);
    for (unsigned i = 0; i < 20; i++)
        sleep_us(100);
    check(foreign.count > 0);
    end_it(whole_pd);
    sleep_us(500);
    check_eq(call(portal_new(foreign.event_ec, nothing)), ST_OK);
}

static void test_end_spinning(void)      { ends_spinning(false); }
static void test_end_in_handler(void)    { ends_in_handler(false); }
static void test_end_blocked(void)       { ends_blocked(false); }
static void test_end_calling(void)       { ends_calling(false); }
static void test_pd_end_spinning(void)   { ends_spinning(true); }
static void test_pd_end_in_handler(void) { ends_in_handler(true); }
static void test_pd_end_blocked(void)    { ends_blocked(true); }
static void test_pd_end_calling(void)    { ends_calling(true); }

/* The handler itself ends the thread whose message it has. */
static void end_caller(struct msg *m)
{
    foreign_note(m);
    check_eq(hc_revoke(foreign.ec, 2, REVOKE_SELF), ST_OK);
    store(&recalls, 1);
}

static void test_end_by_handler(void)
{
    prepare(end_caller);
    foreign_start(f_ud);
    need(reaches(&recalls, 1));
    sleep_us(500);
    check_eq(foreign.count, 1);
}

static void sleep_5ms(void *arg)
{
    (void)arg;
    sleep_us(5000);
}

/* A thread without time, and time without a thread. */
static void test_end_stopped(void)
{
    cap_sel_t ec = thread_stopped(ROOT_SEL_PD, 0, NULL, NULL), sc = sel_new();

    drop(ec);
    ec = thread_stopped(ROOT_SEL_PD, 0, sleep_5ms, NULL);
    need_ok(hc_create_sc(sc, ROOT_SEL_PD, ec, 61, QUANTUM));
    drop(sc);
    sleep_us(6000);
    need_ok(hc_create_sc(sc, ROOT_SEL_PD, ec, 61, QUANTUM));
    sleep_us(6000);
    drop(ec);
    check_eq(hc_create_sc(sel_new(), ROOT_SEL_PD, ec, 61, QUANTUM), ST_BAD_CAP);
}

/* Capabilities to the EC of a PD that has ended: harmless. */
static void test_end_then_use(void)
{
    cap_sel_t pd = pd_new(), ec = thread_stopped(pd, 0, NULL, NULL), sc = sel_new();
    enum status status;

    drop(pd);
    sleep_us(500);
    check_eq(hc_ec(ec, EC_OP_GET_STATE, 0), ST_BAD_STATE);
    check_eq(hc_ec(ec, EC_OP_RECALL, 0), ST_OK);
    check_eq(hc_ec(ec, EC_OP_SET_BADGE, 0), ST_OK);
    status = hc_create_sc(sc, ROOT_SEL_PD, ec, 61, QUANTUM);
    check(status == ST_OK || status == ST_BAD_STATE);
    sleep_us(500);
    drop(ec);
    sleep_us(500);
    check_eq(hc_revoke(sc, 1, REVOKE_SELF), ST_OK);
}

const struct test recall_tests[] = {
    { "spinning", test_spinning, 0 },
    { "merged", test_merged, 0 },
    { "in-handler", test_in_handler, 0 },
    { "blocked", test_blocked, 0 },
    { "before-start", test_before_start, 0 },
    { "set-badge", test_set_badge, 0 },
    { "end-spinning", test_end_spinning, 0 },
    { "end-in-handler", test_end_in_handler, 0 },
    { "end-blocked", test_end_blocked, 0 },
    { "end-calling", test_end_calling, 0 },
    { "pd-end-spinning", test_pd_end_spinning, 0 },
    { "pd-end-in-handler", test_pd_end_in_handler, 0 },
    { "pd-end-blocked", test_pd_end_blocked, 0 },
    { "pd-end-calling", test_pd_end_calling, 0 },
    { "end-by-handler", test_end_by_handler, 0 },
    { "end-stopped", test_end_stopped, 0 },
    { "end-then-use", test_end_then_use, 0 },
    { NULL, NULL, 0 },
};
