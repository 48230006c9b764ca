/*
 * Foreign threads: start-up, system calls, routes, pagers, native calls.
 */
#include "foreign.h"

#include <string.h>

static uint64_t routed, paged;
static cap_sel_t helper_sm;

/* A handler beside the event handler, for a slot of the foreign PD. */
static cap_sel_t second_handler(cap_sel_t slot, handler_fn *fn)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, fn);

    routed = paged = 0;
    check_eq(hc_delegate(SEL_SELF, pt, foreign.pd, slot, 1, PT_CALL), ST_OK);
    return pt;
}

/* ---- system calls ------------------------------------------------------------------------ */

static void test_registers(void)
{
    static const uint64_t after[14] = { 0x78, 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0,
                                        0x1006, 0x1007, 0x1008, 0x1009, 0x100a, 0x100b, 0x100c };
    const struct msg *m = &foreign.log[0];

    foreign_new(NULL);
    foreign_start(f_registers);
    need(foreign_done());
    check_eq(foreign.count, 1);
    check_eq(m->rax, MSG_FOREIGN | ctl_message(0x77, 0, 0));
    check_eq(m->w[0], 0x1004);
    check_eq(m->w[1], 0x1003);
    check_eq(m->w[2], 0x1002);
    check_eq(m->w[3], 0x1008);
    check_eq(m->w[4], 0x1006);
    check_eq(m->w[5], 0x1007);
    for (unsigned i = 0; i < 14; i++)
        check_eq(foreign_data[i], i == 6 ? (uint64_t)(foreign_data + 480) : after[i]);
}

/* The number is in the lower half of rax; labels stop at 0xffff. */
static void test_numbers(void)
{
    static const uint64_t numbers[] = { 0, 1, 511, 512, 0xfffe, 0xffff, 0x10000, 1ull << 32,
                                        0x8000000000000000, ~0ull, 0x123400000005, 60 };

    foreign_new(NULL);
    memcpy(foreign_data, numbers, sizeof numbers);
    foreign_start(f_numbers);
    need(foreign_done());
    check_eq(foreign.count, 11);
    for (unsigned i = 0; i < 11; i++) {
        uint32_t number = (uint32_t)numbers[i], label = number < 0xffff ? number : 0xffff;

        check_eq(foreign.log[i].rax, MSG_FOREIGN | ctl_message(label, 0, 0));
        check_eq(foreign_data[i], label + 1);
    }
}

static void full_result(struct msg *m)
{
    if (!foreign_note(m))
        m->w[0] = 0xfedcba9876543210;
}

static void test_result(void)
{
    foreign_new(full_result);
    foreign_data[1] = 60;
    foreign_start(f_numbers);
    need(foreign_done());
    check_eq(foreign_data[0], 0xfedcba9876543210);
}

static void start_at_numbers(struct msg *m)
{
    if (foreign_note(m))
        return;
    if (msg_kind(m) == MSG_STARTUP) {
        struct ec_state *s = foreign_state();

        check_eq(s->rip, 0);
        check_eq(s->rsp, (uint64_t)(foreign_data + 480));
        check_eq(s->fs_base, 0);
        foreign_continue_at(f_numbers);
    }
    m->w[0] = 5;
}

static void test_startup(void)
{
    foreign_new(start_at_numbers);
    foreign_data[0] = 77;
    foreign_data[1] = 60;
    foreign_start(NULL);
    need(foreign_done());
    check_eq(foreign.count, 2);
    check_eq(msg_kind(&foreign.log[0]), MSG_STARTUP);
    check_eq(msg_label(&foreign.log[1]), 77);
    check_eq(foreign_data[0], 5);
}

/* ---- routes --------------------------------------------------------------------------------- */

static void route_odd(struct msg *m)
{
    check_eq(m->badge, FOREIGN_BADGE);
    check_eq(msg_kind(m), MSG_FOREIGN);
    routed++;
    if (msg_label(m) % 2)
        m->reply = ctl_make(HC_REPLY, REPLY_DECLINE, 0);
    else
        m->w[0] = 1000 + msg_label(m);
}

static void test_route(void)
{
    static const uint64_t numbers[] = { 9, 10, 11, 19, 20, 511, 512, 60 };
    static const uint64_t results[] = { 10, 1010, 12, 20, 21, 512, 513 };

    foreign_new(NULL);
    second_handler(F_ROUTE, route_odd);
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 10, 10, F_ROUTE));
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 511, 1, F_ROUTE));
    memcpy(foreign_data, numbers, sizeof numbers);
    foreign_start(f_numbers);
    need(foreign_done());
    for (unsigned i = 0; i < 7; i++)
        check_eq(foreign_data[i], results[i]);
    check_eq(routed, 4);
    check_eq(foreign.count, 6); /* 10 alone was not declined */
}

/* Back to the event portal; a route to an empty slot is the same. */
static void test_route_reset(void)
{
    foreign_new(NULL);
    second_handler(F_ROUTE, route_odd);
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 0, ROUTE_COUNT, F_ROUTE));
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 60, 1, 0));
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 4, 1, 0));
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 6, 1, 999));
    memcpy(foreign_data, (uint64_t[]){ 2, 4, 6, 60 }, 32);
    foreign_start(f_numbers);
    need(foreign_done());
    check_eq(foreign_data[0], 1002);
    check_eq(foreign_data[1], 5);
    check_eq(foreign_data[2], 7);
    check_eq(routed, 1);
}

/* The handler of a route ends: the event portal gets the call. */
static void test_route_handler_gone(void)
{
    cap_sel_t ec;

    foreign_new(NULL);
    ec = handler_new(ROOT_SEL_PD, 0);
    need_ok(hc_delegate(SEL_SELF, portal_new(ec, route_odd), foreign.pd, F_ROUTE, 1, PT_CALL));
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 2, 1, F_ROUTE));
    drop(ec);
    memcpy(foreign_data, (uint64_t[]){ 2, 60 }, 16);
    foreign_start(f_numbers);
    need(foreign_done());
    check_eq(foreign_data[0], 3);
}

static void route_waits(struct msg *m)
{
    routed++;
    hc_sm_down(helper_sm, 0);
    m->w[0] = 1;
}

/* ... while it has the call. */
static void test_route_handler_ends(void)
{
    cap_sel_t ec;

    foreign_new(NULL);
    helper_sm = sm_new(0);
    ec = handler_new(ROOT_SEL_PD, 0);
    routed = 0;
    need_ok(hc_delegate(SEL_SELF, portal_new(ec, route_waits), foreign.pd, F_ROUTE, 1, PT_CALL));
    need_ok(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 2, 1, F_ROUTE));
    memcpy(foreign_data, (uint64_t[]){ 2, 60 }, 16);
    foreign_start(f_numbers);
    need(reaches(&routed, 1));
    drop(ec);
    need(foreign_done());
    check_eq(foreign_data[0], 3);
}

/* ---- faults --------------------------------------------------------------------------------- */

static char *lent; /* page that the pager maps */

static void page_in(struct msg *m)
{
    uint64_t code = m->w[1];

    paged++;
    check_eq(msg_kind(m), MSG_FAULT);
    check_eq(m->badge, FOREIGN_BADGE);
    if (foreign.count < 32)
        foreign.log[foreign.count++] = *m;
    m->reply = ctl_make(HC_REPLY, REPLY_MAP, 0);
    m->w[2] = m->w[0] & ~0xfffull;
    m->w[1] = (uint64_t)lent;
    m->w[3] = 1;
    m->w[4] = code & FAULT_WRITE ? MEM_R | MEM_W : MEM_R;
}

static void touch_page(uint64_t address)
{
    foreign_data[0] = address;
    foreign_start(f_touch);
}

static void test_pager(void)
{
    const struct msg *m = foreign.log;

    foreign_new(NULL);
    second_handler(F_PAGER, page_in);
    need_ok(hc_pd(foreign.pd, PD_OP_SET_PAGER, F_PAGER, 0, 0));
    lent = pages_new(1);
    ((uint64_t *)lent)[1] = 41;
    touch_page(0x7f0000001008);
    need(foreign_done());
    check_eq(paged, 2);
    check_eq(((uint64_t *)lent)[1], 42);
    check_eq(foreign_data[0], 42);
    check_eq(m[0].w[0], 0x7f0000001008);
    check_eq(m[0].w[1], FAULT_USER);
    check_eq(m[0].w[2], (uint64_t)f_touch_read);
    check_eq(m[0].w[3], (uint64_t)(foreign_data + 480));
    check_eq(m[1].w[0], 0x7f0000001008);
    check_eq(m[1].w[1], FAULT_USER | FAULT_WRITE | FAULT_PRESENT);
    check_eq(m[1].w[2], (uint64_t)f_touch_write);
}

/* Declines, so that the event portal gets the fault; or answers a mapping that is not
 * possible, which is the same. */
static uint64_t bad_source;

static void page_declined(struct msg *m)
{
    paged++;
    m->reply = ctl_make(HC_REPLY, bad_source ? REPLY_MAP : REPLY_DECLINE, 0);
    m->w[2] = m->w[0] & ~0xfffull;
    m->w[1] = bad_source;
    m->w[3] = 1;
    m->w[4] = MEM_R | MEM_W;
}

static void map_by_event(struct msg *m)
{
    if (foreign_note(m))
        return;
    check_eq(msg_kind(m), MSG_FAULT);
    check_eq(hc_map(SEL_SELF, (vaddr_t)lent, foreign.pd, m->w[0] & ~0xfffull, 1, MEM_R | MEM_W, 0,
                    NULL),
             ST_OK);
}

static void fault_declined(uint64_t source)
{
    foreign_new(map_by_event);
    second_handler(F_PAGER, page_declined);
    need_ok(hc_pd(foreign.pd, PD_OP_SET_PAGER, F_PAGER, 0, 0));
    bad_source = source;
    lent = pages_new(1);
    touch_page(0x5000);
    need(foreign_done());
    check_eq(paged, 1);
    check_eq(foreign.count, 1);
    check_eq(foreign.log[0].w[0], 0x5000);
    check_eq(foreign.log[0].w[1], FAULT_USER);
    check_eq(*(uint64_t *)lent, 1);
}

static void test_pager_declines(void) { fault_declined(0); }
static void test_pager_bad_map(void)  { fault_declined(0x12345000); }

/* Without a pager faults go to the event portal; a reply without anything tries again. */
static uint64_t tries;

static void map_at_third(struct msg *m)
{
    if (!foreign_note(m) && ++tries == 3)
        check_eq(hc_map(SEL_SELF, (vaddr_t)lent, foreign.pd, 0x5000, 1, MEM_R | MEM_W, 0, NULL),
                 ST_OK);
}

static void test_no_pager(void)
{
    tries = 0;
    foreign_new(map_at_third);
    lent = pages_new(1);
    touch_page(0x5ff8);
    need(foreign_done());
    check_eq(foreign.count, 3);
    check_eq(foreign.log[2].w[0], 0x5ff8);
}

/* Faults of all kinds have their addresses and codes: kernel memory, execution. */
static void skip_touch(struct msg *m)
{
    if (!foreign_note(m))
        foreign_continue_at(f_exit);
}

static void test_kernel_address(void)
{
    static const uint64_t addresses[] = { 0xffff800000001000, 0xffffffff80100000,
                                          0xfffffffffffffff8, USER_END };

    for (unsigned i = 0; i < 4; i++) {
        foreign_new(skip_touch);
        touch_page(addresses[i]);
        need(foreign_done());
        check_eq(msg_kind(&foreign.log[0]), MSG_FAULT);
        check_eq(foreign.log[0].w[0], addresses[i]);
        check(foreign.log[0].w[1] & FAULT_USER && !(foreign.log[0].w[1] & FAULT_WRITE));
    }
}

static void test_execute_data(void)
{
    foreign_new(skip_touch);
    foreign_start(foreign_data);
    need(foreign_done());
    check_eq(msg_kind(&foreign.log[0]), MSG_FAULT);
    check_eq(foreign.log[0].w[0], (uint64_t)foreign_data);
    check_eq(foreign.log[0].w[1], FAULT_USER | FAULT_FETCH | FAULT_PRESENT);
    check_eq(foreign.log[0].w[2], (uint64_t)foreign_data);
}

/* ---- native calls --------------------------------------------------------------------------- */

static void test_native_call(void)
{
    foreign_new(NULL);
    helper_sm = sm_new(0);
    need_ok(hc_delegate(SEL_SELF, helper_sm, foreign.pd, F_SM, 1, SM_UP));
    foreign_data[0] = ctl_make(HC_SM, SM_OP_UP, F_SM);
    foreign_start(f_native);
    need(foreign_done());
    check_eq(foreign_data[1], ST_OK);
    check_eq(foreign_data[2], 0); /* cleared by its use */
    check_eq(foreign.count, 1);
    check_eq(msg_kind(&foreign.log[0]), MSG_FOREIGN);
    check_eq(msg_label(&foreign.log[0]), HC_SM);
    check_eq(hc_sm_down(helper_sm, 1), ST_OK);
    check_eq(hc_sm_down(helper_sm, 1), ST_TIMEOUT);
}

/* Through a native call it can call portals, with its PD's rights. */
static void test_native_call_portal(void)
{
    foreign_new(NULL);
    second_handler(F_ROUTE, route_odd);
    foreign_data[0] = ctl_make(HC_CALL, 0, F_PAGER); /* empty */
    foreign_start(f_native);
    need(foreign_done());
    check_eq(foreign_data[1], ST_BAD_CAP);
}

/* ---- halting -------------------------------------------------------------------------------- */

static void halts(const void *ip)
{
    foreign_start(ip);
    sleep_us(1000);
    check_eq(foreign.done, 0);
    check_eq(hc_ec(foreign.ec, EC_OP_GET_STATE, 0), ST_OK);
    check_eq(((struct ec_state *)utcb_self()->data)->rip, (uint64_t)ip);
}

static void test_no_event_portal(void)
{
    foreign_new(NULL);
    check_eq(hc_revoke_in(foreign.pd, F_EVENT, 1, REVOKE_SELF), ST_OK);
    halts(f_ud);
    check_eq(foreign.count, 0);
}

/* A native thread, too. */
static void crash(void *arg)
{
    (void)arg;
    __asm__ volatile("ud2");
}

static void test_native_crash(void)
{
    cap_sel_t ec = thread_new(pd_new(), 0, 61, crash, NULL);

    sleep_us(1000);
    check_eq(hc_ec(ec, EC_OP_GET_STATE, 0), ST_OK);
    check_eq(((struct ec_state *)utcb_self()->data)->vector, 6);
}

static void decline_all(struct msg *m)
{
    if (!foreign_note(m))
        m->reply = ctl_make(HC_REPLY, REPLY_DECLINE, 0);
}

static void test_event_declines(void)
{
    foreign_new(decline_all);
    halts(f_ud);
    check_eq(foreign.count, 1);
}

/* The handler of the event portal ends while it has the event. */
static void hold(struct msg *m)
{
    foreign_note(m);
    hc_sm_down(SEL_NEVER, 0);
}

static void test_event_handler_ends(void)
{
    foreign_new(hold);
    foreign_start(f_ud);
    need(reaches(&foreign.count, 1));
    drop(foreign.event_ec);
    sleep_us(1000);
    check_eq(hc_ec(foreign.ec, EC_OP_GET_STATE, 0), ST_OK);
}

const struct test foreign_tests[] = {
    { "registers", test_registers, 0 },
    { "numbers", test_numbers, 0 },
    { "result", test_result, 0 },
    { "startup", test_startup, 0 },
    { "route", test_route, 0 },
    { "route-reset", test_route_reset, 0 },
    { "route-handler-gone", test_route_handler_gone, 0 },
    { "route-handler-ends", test_route_handler_ends, 0 },
    { "pager", test_pager, 0 },
    { "pager-declines", test_pager_declines, 0 },
    { "pager-bad-map", test_pager_bad_map, 0 },
    { "no-pager", test_no_pager, 0 },
    { "kernel-address", test_kernel_address, 0 },
    { "execute-data", test_execute_data, 0 },
    { "native-call", test_native_call, 0 },
    { "native-call-portal", test_native_call_portal, 0 },
    { "no-event-portal", test_no_event_portal, 0 },
    { "native-crash", test_native_crash, 0 },
    { "event-declines", test_event_declines, 0 },
    { "event-handler-ends", test_event_handler_ends, 0 },
    { NULL, NULL, 0 },
};
