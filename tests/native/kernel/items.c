/*
 * Capabilities in messages.
 */
#include "env.h"

#include <string.h>

static struct msg seen;
static uint32_t window_sel, window_count; /* of the handler, from its second message on */
static cap_sel_t gift;                    /* what the handler sends back */
static unsigned gifts;

/* Sets its window for the next message and sends what it is told to. */
static void receive(struct msg *m)
{
    struct utcb *utcb = utcb_self();

    seen = *m;
    utcb->receive_sel = window_sel;
    utcb->receive_count = window_count;
    for (unsigned i = 0; i < gifts; i++)
        utcb->items[i] = (struct utcb_item){ gift + i, RIGHTS_ALL };
    m->reply |= ctl_message(0, 0, gifts);
}

/* A handler in pd with the given window. */
static cap_sel_t receiver(cap_sel_t pd, uint32_t sel, uint32_t count)
{
    cap_sel_t pt = service_new(pd, receive);

    window_sel = sel;
    window_count = count;
    gifts = 0;
    check_eq(call(pt), ST_OK);
    return pt;
}

/* Sends count semaphores from sel on. */
static uint64_t send(cap_sel_t pt, cap_sel_t sel, unsigned count, unsigned rights)
{
    struct hc_words words = { { 0 } };

    for (unsigned i = 0; i < count && i < UTCB_ITEMS; i++)
        utcb_self()->items[i] = (struct utcb_item){ sel + i, rights };
    return hc_raw(ctl_make(HC_CALL, 0, pt) | ctl_message(0, 0, count), &words);
}

/* What pd has at sel, brought to a slot here: a semaphore that can be signalled? */
static enum status probe(cap_sel_t pd, cap_sel_t sel)
{
    cap_sel_t here = sel_new();
    enum status status;

    check_eq(hc_delegate(pd, sel, SEL_SELF, here, 1, RIGHTS_ALL), ST_OK);
    status = hc_sm_up(here);
    drop(here);
    return status;
}

static cap_sel_t semaphores(unsigned count)
{
    cap_sel_t first = sel_range(count);

    for (unsigned i = 0; i < count; i++)
        check_eq(hc_create_sm(first + i, ROOT_SEL_PD, 0), ST_OK);
    return first;
}

static void test_window(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 4), sms = semaphores(8);

    check_eq(send(pt, sms, 2, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(ctl_items(seen.rax), 2);
    check_eq(probe(pd, 999), ST_BAD_CAP);
    check_eq(probe(pd, 1000), ST_OK);
    check_eq(probe(pd, 1001), ST_OK);
    check_eq(probe(pd, 1002), ST_BAD_CAP);
    /* More than the window takes. */
    window_sel = 2000;
    check_eq(call(pt), ST_OK);
    check_eq(send(pt, sms, 8, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(ctl_items(seen.rax), 4);
    check_eq(probe(pd, 2003), ST_OK);
    check_eq(probe(pd, 2004), ST_BAD_CAP);
}

static void test_no_window(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 0), sms = semaphores(1);

    check_eq(send(pt, sms, 1, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(ctl_items(seen.rax), 0);
    check_eq(probe(pd, 1000), ST_BAD_CAP);
}

/* 15 can be said, 8 be sent. */
static void test_limit(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 100), sms = semaphores(8);

    check_eq(send(pt, sms, 15, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(ctl_items(seen.rax), UTCB_ITEMS);
    check_eq(probe(pd, 1007), ST_OK);
    check_eq(probe(pd, 1008), ST_BAD_CAP);
}

static void test_rights(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 4), sm = sm_new(0), weak = sel_new();

    check_eq(send(pt, sm, 1, SM_DOWN) & 0xff, ST_OK);
    check_eq(probe(pd, 1000), ST_BAD_RIGHTS);
    need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, weak, 1, SM_DOWN));
    window_sel = 1010;
    check_eq(call(pt), ST_OK);
    check_eq(send(pt, weak, 1, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(probe(pd, 1010), ST_BAD_RIGHTS);
}

/* A slot that is in use stays as it is, the others of the message are filled. */
static void test_occupied(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 4), sms = semaphores(3);

    need_ok(hc_delegate(SEL_SELF, ROOT_SEL_EC, pd, 1001, 1, 0));
    check_eq(send(pt, sms, 3, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(probe(pd, 1000), ST_OK);
    check_eq(probe(pd, 1001), ST_BAD_CAP); /* still the EC */
    check_eq(probe(pd, 1002), ST_OK);
}

/* Empty and impossible selectors leave their slot empty. */
static void test_bad_items(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 8), sm = sm_new(0);
    struct utcb_item items[] = { { sel_new(), 3 }, { MAX_CAPS, 3 }, { SEL_SELF, 3 },
                                 { SEL_NONE, ~0u }, { sm, 3 } };
    struct hc_words words = { { 0 } };

    memcpy(utcb_self()->items, items, sizeof items);
    check_eq(hc_raw(ctl_make(HC_CALL, 0, pt) | ctl_message(0, 0, 5), &words) & 0xff, ST_OK);
    for (cap_sel_t i = 0; i < 4; i++)
        check_eq(probe(pd, 1000 + i), ST_BAD_CAP);
    check_eq(probe(pd, 1004), ST_OK);
}

/* At the end of the capability space, and beyond it. */
static void test_window_edges(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, MAX_CAPS - 2, 8), sms = semaphores(4);

    check_eq(send(pt, sms, 4, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(probe(pd, MAX_CAPS - 2), ST_OK);
    check_eq(probe(pd, MAX_CAPS - 1), ST_OK);
    window_sel = 0xfffffffe;
    window_count = ~0u;
    check_eq(call(pt), ST_OK);
    check_eq(send(pt, sms, 4, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(probe(pd, 0), ST_BAD_CAP);
    check_eq(probe(pd, 1), ST_BAD_CAP);
}

static void test_reply(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 0, 0), window = sel_range(4);
    struct hc_words words = { { 0 } };
    uint64_t rax;

    gift = sm_new(0);
    need_ok(hc_delegate(SEL_SELF, gift, pd, gift, 1, SM_UP));
    gifts = 1;
    utcb_self()->receive_sel = window;
    utcb_self()->receive_count = 4;
    rax = hc_raw(ctl_make(HC_CALL, 0, pt), &words);
    utcb_self()->receive_count = 0;
    check_eq(rax, ctl_message(0, 0, 1));
    check_eq(hc_sm_up(window), ST_OK);
    check_eq(hc_sm_down(window, 0), ST_BAD_RIGHTS);
    check_eq(hc_sm_up(window + 1), ST_BAD_CAP);
}

/* What a message brought is derived from what was sent. */
static void test_derived(void)
{
    cap_sel_t pd = pd_new(), pt = receiver(pd, 1000, 4), sm = sm_new(0);

    check_eq(send(pt, sm, 1, RIGHTS_ALL) & 0xff, ST_OK);
    check_eq(probe(pd, 1000), ST_OK);
    check_eq(hc_revoke(sm, 1, 0), ST_OK);
    check_eq(probe(pd, 1000), ST_BAD_CAP);
    check_eq(hc_sm_up(sm), ST_OK);
}

const struct test item_tests[] = {
    { "window", test_window, 0 },
    { "no-window", test_no_window, 0 },
    { "limit", test_limit, 0 },
    { "rights", test_rights, 0 },
    { "occupied", test_occupied, 0 },
    { "bad-items", test_bad_items, 0 },
    { "window-edges", test_window_edges, 0 },
    { "reply", test_reply, 0 },
    { "derived", test_derived, 0 },
    { NULL, NULL, 0 },
};
