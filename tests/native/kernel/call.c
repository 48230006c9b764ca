/*
 * Calls and replies between native threads.
 */
#include "env.h"

#include <string.h>

static struct msg seen;
static cap_sel_t inner, outer, gate;
static uint64_t steps;

static void keep(struct msg *m)
{
    seen = *m;
    for (unsigned i = 0; i < 6; i++)
        m->w[i] = ~m->w[i] * (i + 1);
    m->reply = ctl_make(HC_REPLY, 0, 0) | ctl_message(0xbeef, 0, 0);
}

static void test_words(void)
{
    struct hc_words words = { { 1, 1ull << 63, 0x123456789abcdef0, ~0ull, 0, 7 } }, sent = words;
    cap_sel_t pt = service_new(ROOT_SEL_PD, keep);
    uint64_t rax = hc_raw(ctl_make(HC_CALL, 0, pt) | ctl_message(0xfedc, 0, 0), &words);

    check_eq(rax, ctl_message(0xbeef, 0, 0) | ST_OK);
    check_eq(seen.rax, MSG_CALL | ctl_message(0xfedc, 0, 0));
    check_eq(seen.id, (uint64_t)keep);
    check_eq(seen.badge, 0);
    for (unsigned i = 0; i < 6; i++) {
        check_eq(seen.w[i], sent.w[i]);
        check_eq(words.w[i], ~sent.w[i] * (i + 1));
    }
}

/* rbx, rbp, rsp, r12 to r15 and the flags come through; rcx and r11 need not. */
static void test_registers(void)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, keep);
    uint64_t ctl = ctl_make(HC_CALL, 0, pt), bad;

    __asm__ volatile("push %%rbp\n\t"
                     "push %%rbx\n\t"
                     "mov $0x1111, %%rbx\n\t"
                     "mov $0x2222, %%rbp\n\t"
                     "mov $0x3333, %%r12\n\t"
                     "mov $0x4444, %%r13\n\t"
                     "mov $0x5555, %%r14\n\t"
                     "mov %%rsp, %%r15\n\t"
                     "std\n\t"
                     "syscall\n\t"
                     "pushfq\n\t"
                     "cld\n\t"
                     "pop %%rcx\n\t"
                     "and $0x400, %%ecx\n\t"
                     "xor $0x400, %%ecx\n\t"
                     "xor $0x1111, %%rbx\n\t"
                     "or %%rbx, %%rcx\n\t"
                     "xor $0x2222, %%rbp\n\t"
                     "or %%rbp, %%rcx\n\t"
                     "xor $0x3333, %%r12\n\t"
                     "or %%r12, %%rcx\n\t"
                     "xor $0x4444, %%r13\n\t"
                     "or %%r13, %%rcx\n\t"
                     "xor $0x5555, %%r14\n\t"
                     "or %%r14, %%rcx\n\t"
                     "sub %%rsp, %%r15\n\t"
                     "or %%r15, %%rcx\n\t"
                     "pop %%rbx\n\t"
                     "pop %%rbp\n\t"
                     : "+a"(ctl), "=c"(bad)
                     :
                     : "rdi", "rsi", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "memory", "cc");
    check_eq(bad, 0);
    check_eq(ctl & 0xff, ST_OK);
}

/* ---- UTCB ------------------------------------------------------------------------------ */

static uint64_t reply_words;

static void swap_words(struct msg *m)
{
    struct utcb *utcb = utcb_self();

    seen = *m;
    for (unsigned i = 0; i < ctl_words(m->rax); i++)
        utcb->data[i] = ~utcb->data[i];
    m->reply |= ctl_message(0, (unsigned)reply_words, 0);
}

static void utcb_round(cap_sel_t pt, unsigned words, unsigned back)
{
    struct utcb *utcb = utcb_self();
    struct hc_words none = { { 0 } };
    unsigned sent = words < UTCB_WORDS ? words : UTCB_WORDS;
    unsigned got = back < UTCB_WORDS ? back : UTCB_WORDS;
    uint64_t rax;

    for (unsigned i = 0; i < UTCB_WORDS; i++)
        utcb->data[i] = i * 0x100000001 + 5;
    reply_words = back;
    rax = hc_raw(ctl_make(HC_CALL, 0, pt) | ctl_message(0, words, 0), &none);
    check_eq(rax, ctl_message(0, got, 0));
    check_eq(ctl_words(seen.rax), sent);
    for (unsigned i = 0; i < UTCB_WORDS; i++) {
        uint64_t was = i * 0x100000001 + 5;

        if (i < sent || i >= got)
            check_eq(utcb->data[i], i < got ? ~was : was);
    }
}

static void test_utcb_words(void)
{
    cap_sel_t pd = pd_new(), pt = service_new(pd, swap_words);

    utcb_round(pt, 1, 1);
    utcb_round(pt, 0, 3);
    utcb_round(pt, 100, 7);
    utcb_round(pt, UTCB_WORDS, UTCB_WORDS);
}

/* More than there is: what there is, and nothing next to it. */
static void test_utcb_limit(void)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, swap_words);

    utcb_round(pt, UTCB_WORDS + 1, 0);
    utcb_round(pt, 0xfff, 0xfff);
}

/* ---- portals ------------------------------------------------------------------------------ */

static void test_badge(void)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, keep), minted = sel_range(2), pd = pd_new();
    const uint64_t badge = 0xfedcba9876543210;

    need_ok(hc_mint(pt, minted, RIGHTS_ALL, badge));
    need_ok(call(minted));
    check_eq(seen.badge, badge);
    need_ok(hc_delegate(SEL_SELF, minted, SEL_SELF, minted + 1, 1, PT_CALL));
    need_ok(call(minted + 1));
    check_eq(seen.badge, badge);
    /* Through another PD and back. */
    give(pd, minted, PT_CALL);
    drop(minted + 1);
    need_ok(hc_delegate(pd, minted, SEL_SELF, minted + 1, 1, RIGHTS_ALL));
    need_ok(call(minted + 1));
    check_eq(seen.badge, badge);
    need_ok(call(pt));
    check_eq(seen.badge, 0);
}

static void test_other_pd(void)
{
    cap_sel_t pd = pd_new(), pt = service_new(pd, keep);
    uint64_t word = 42;

    check_eq(call_word(pt, &word), ctl_message(0xbeef, 0, 0));
    check_eq(word, ~42ull);
}

static void decline(struct msg *m) { m->reply = ctl_make(HC_REPLY, REPLY_DECLINE, 0); }

static void test_decline(void)
{
    check_eq(call(service_new(ROOT_SEL_PD, decline)), ST_DECLINED);
}

/* Two portals of one handler have their own identities and entries. */
static void other(struct msg *m) { m->w[0] = 4711; }

static void test_two_portals(void)
{
    cap_sel_t ec = handler_new(ROOT_SEL_PD, 0);
    cap_sel_t a = portal_new(ec, keep), b = portal_new(ec, other);
    uint64_t word = 1;

    check_eq(call_word(b, &word), ST_OK);
    check_eq(word, 4711);
    word = 1;
    check_eq(call_word(a, &word) & 0xff, ST_OK);
    check_eq(word, ~1ull);
    check_eq(hc_pt_add_handler(a, ec), ST_EXISTS);
}

/* ---- chains ------------------------------------------------------------------------------- */

static void add_one(struct msg *m) { m->w[0]++; }

static void add_inner(struct msg *m)
{
    m->w[0] += 10;
    check_eq(call_word(inner, &m->w[0]), ST_OK);
}

static void add_outer(struct msg *m)
{
    m->w[0] += 100;
    check_eq(call_word(outer, &m->w[0]), ST_OK);
    m->w[0] += 1000;
}

static void test_nested(void)
{
    cap_sel_t pd = pd_new(), other_pd = pd_new(), first;
    uint64_t word = 0;

    inner = service_new(ROOT_SEL_PD, add_one);
    outer = service_new(other_pd, add_inner);
    first = service_new(pd, add_outer);
    give(pd, outer, PT_CALL);
    give(other_pd, inner, PT_CALL);
    for (unsigned i = 1; i <= 3; i++) {
        check_eq(call_word(first, &word), ST_OK);
        check_eq(word, i * 1111);
    }
}

static void call_self(struct msg *m) { m->w[0] = call(outer); }

static void test_self(void)
{
    uint64_t word = 0;

    outer = service_new(ROOT_SEL_PD, call_self);
    check_eq(call_word(outer, &word), ST_OK);
    check_eq(word, ST_BAD_STATE);
}

static void call_other(struct msg *m)
{
    uint64_t word = 0;

    check_eq(call_word(inner, &word), ST_OK);
    m->w[0] = word;
}

/* A calls B, B calls A: B is told, and all go on. */
static void test_cycle(void)
{
    uint64_t word = 0;

    inner = service_new(ROOT_SEL_PD, call_self);
    outer = service_new(ROOT_SEL_PD, call_other);
    check_eq(call_word(outer, &word), ST_OK);
    check_eq(word, ST_BAD_STATE);
}

/* ---- handlers that are not there ------------------------------------------------------------- */

static void test_handler_gone(void)
{
    cap_sel_t ec = handler_new(ROOT_SEL_PD, 0), pt = portal_new(ec, keep);

    check_eq(call(pt), ST_OK);
    drop(ec);
    check_eq(call(pt), ST_ABORTED);
    check_eq(call(pt), ST_ABORTED);
}

static void wait_at_gate(struct msg *m)
{
    store(&steps, steps + 1);
    hc_sm_down(gate, 0);
    m->w[0] = 1;
}

static enum status caller_status;

static void call_outer(void *arg)
{
    (void)arg;
    caller_status = call(outer);
    store(&steps, steps + 10);
}

static void handler_ends(cap_sel_t ending_pd, cap_sel_t ending)
{
    cap_sel_t ec = handler_new(ending_pd, 0);

    steps = 0;
    gate = sm_new(0);
    if (ending_pd != ROOT_SEL_PD)
        give(ending_pd, gate, SM_DOWN);
    outer = portal_new(ec, wait_at_gate);
    thread_new(ROOT_SEL_PD, 0, 61, call_outer, NULL);
    need(reaches(&steps, 1));
    drop(ending ? ending : ec);
    need(reaches(&steps, 11));
    check_eq(caller_status, ST_ABORTED);
    check_eq(call(outer), ST_ABORTED);
}

static void test_handler_ends(void) { handler_ends(ROOT_SEL_PD, 0); }

static void test_handler_pd_ends(void)
{
    cap_sel_t pd = pd_new();

    handler_ends(pd, pd);
}

static void test_global_reply(void)
{
    struct hc_words words = { { 1, 2, 3, 4, 5, 6 } };

    check_eq(hc_raw(ctl_make(HC_REPLY, 0, 0), &words), ST_BAD_STATE);
    check_eq(words.w[5], 6);
}

/* A caller that ends does not disturb its handler, which can be called again. */
static void test_caller_ends(void)
{
    cap_sel_t thread;

    steps = 0;
    gate = sm_new(0);
    outer = service_new(ROOT_SEL_PD, wait_at_gate);
    thread = thread_new(ROOT_SEL_PD, 0, 61, call_outer, NULL);
    need(reaches(&steps, 1));
    check_eq(hc_revoke(thread, 2, REVOKE_SELF), ST_OK);
    check_eq(hc_sm_up(gate), ST_OK);
    check_eq(hc_sm_up(gate), ST_OK);
    check_eq(call(outer), ST_OK);
    check_eq(steps, 2);
}

/* Control words of calls that carry rubbish in fields that do not matter. */
static void test_odd_control(void)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, keep);
    struct hc_words words = { { 0 } };

    check_eq(hc_raw(ctl_make(HC_CALL, 0, pt) | ctl_message(0xffff, 0, 15), &words) & 0xff, ST_OK);
    check_eq(ctl_items(seen.rax), 0); /* the handler has no window */
    check_eq(ctl_label(seen.rax), 0xffff);
}

const struct test call_tests[] = {
    { "words", test_words, 0 },
    { "registers", test_registers, 0 },
    { "utcb-words", test_utcb_words, 0 },
    { "utcb-limit", test_utcb_limit, 0 },
    { "badge", test_badge, 0 },
    { "other-pd", test_other_pd, 0 },
    { "decline", test_decline, 0 },
    { "two-portals", test_two_portals, 0 },
    { "nested", test_nested, 0 },
    { "self", test_self, 0 },
    { "cycle", test_cycle, 0 },
    { "handler-gone", test_handler_gone, 0 },
    { "handler-ends", test_handler_ends, 0 },
    { "handler-pd-ends", test_handler_pd_ends, 0 },
    { "caller-ends", test_caller_ends, 0 },
    { "global-reply", test_global_reply, 0 },
    { "odd-control", test_odd_control, 0 },
    { NULL, NULL, 0 },
};
