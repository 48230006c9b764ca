/*
 * Capabilities: derivation, rights, revocation.
 */
#include "env.h"

static void answer(struct msg *m) { m->w[0] = m->badge; }

static void test_rights_shrink(void)
{
    cap_sel_t sm = sm_new(0), copy = sel_range(3);

    need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, copy, 1, SM_DOWN));
    check_eq(hc_sm_up(copy), ST_BAD_RIGHTS);
    check_eq(hc_sm_down(copy, tsc()), ST_TIMEOUT);
    need_ok(hc_delegate(SEL_SELF, copy, SEL_SELF, copy + 1, 1, RIGHTS_ALL));
    check_eq(hc_sm_up(copy + 1), ST_BAD_RIGHTS);
    need_ok(hc_delegate(SEL_SELF, copy, SEL_SELF, copy + 2, 1, SM_UP));
    check_eq(hc_sm_up(copy + 2), ST_BAD_RIGHTS);
    check_eq(hc_sm_down(copy + 2, tsc()), ST_BAD_RIGHTS);
}

static void test_badge_fixed(void)
{
    cap_sel_t pt = service_new(ROOT_SEL_PD, answer), minted = sel_range(4);
    uint64_t word = 0;

    check_eq(hc_mint(pt, minted, PT_CALL, 0), ST_BAD_PARAM);
    need_ok(hc_mint(pt, minted, PT_CALL, 5));
    check_eq(hc_mint(minted, minted + 1, PT_CALL, 6), ST_BAD_RIGHTS);
    need_ok(hc_delegate(SEL_SELF, minted, SEL_SELF, minted + 2, 1, PT_CALL));
    check_eq(hc_mint(minted + 2, minted + 1, PT_CALL, 6), ST_BAD_RIGHTS);
    check_eq(call_word(minted + 2, &word), ST_OK);
    check_eq(word, 5);
    check_eq(hc_mint(SEL_NEVER, minted + 1, PT_CALL, 6), ST_BAD_CAP);
    check_eq(hc_mint(pt, minted, PT_CALL, 6), ST_EXISTS);
    check_eq(call(minted + 1), ST_BAD_CAP);
}

/* A chain of copies, alternating between PDs, revoked from the middle. */
static void test_revoke_subtree(void)
{
    cap_sel_t sm = sm_new(0), copies = sel_range(6), pd = pd_empty(PD_QUOTA);

    need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, copies, 1, RIGHTS_ALL));
    need_ok(hc_delegate(SEL_SELF, copies, pd, 7, 1, RIGHTS_ALL));
    need_ok(hc_delegate(pd, 7, pd, 8, 1, RIGHTS_ALL));
    need_ok(hc_delegate(pd, 8, SEL_SELF, copies + 1, 1, RIGHTS_ALL));
    need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, copies + 2, 1, RIGHTS_ALL)); /* a sibling */
    need_ok(hc_delegate(SEL_SELF, copies + 2, SEL_SELF, copies + 3, 1, RIGHTS_ALL));
    check_eq(hc_sm_up(copies + 1), ST_OK);
    check_eq(hc_revoke(copies, 1, 0), ST_OK);
    check_eq(hc_sm_up(copies), ST_OK);
    check_eq(hc_sm_up(copies + 1), ST_BAD_CAP);
    check_eq(hc_sm_up(copies + 2), ST_OK);
    check_eq(hc_sm_up(copies + 3), ST_OK);
    need_ok(hc_delegate(pd, 7, SEL_SELF, copies + 4, 2, RIGHTS_ALL));
    check_eq(hc_sm_up(copies + 4), ST_BAD_CAP);
    check_eq(hc_sm_up(copies + 5), ST_BAD_CAP);
    check_eq(hc_revoke(sm, 1, REVOKE_SELF), ST_OK);
    check_eq(hc_sm_up(copies), ST_BAD_CAP);
    check_eq(hc_sm_up(copies + 3), ST_BAD_CAP);
}

/* Deleting a copy alone: its parent and its siblings stay, its children go. */
static void test_revoke_leaf(void)
{
    cap_sel_t sm = sm_new(0), copies = sel_range(3);

    for (unsigned i = 0; i < 3; i++)
        need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, copies + i, 1, RIGHTS_ALL));
    drop(copies + 1);
    check_eq(hc_sm_up(sm), ST_OK);
    check_eq(hc_sm_up(copies), ST_OK);
    check_eq(hc_sm_up(copies + 1), ST_BAD_CAP);
    check_eq(hc_sm_up(copies + 2), ST_OK);
}

static void test_revoke_in_pd(void)
{
    cap_sel_t sm = sm_new(0), pd = pd_empty(PD_QUOTA), weak = sel_range(2);

    need_ok(hc_delegate(SEL_SELF, sm, pd, 30, 1, RIGHTS_ALL));
    need_ok(hc_delegate(SEL_SELF, pd, SEL_SELF, weak, 1, PD_ALL & ~PD_CAPS));
    check_eq(hc_revoke_in(weak, 30, 1, REVOKE_SELF), ST_BAD_RIGHTS);
    check_eq(hc_delegate(weak, 30, SEL_SELF, weak + 1, 1, RIGHTS_ALL), ST_BAD_RIGHTS);
    check_eq(hc_delegate(SEL_SELF, sm, weak, 31, 1, RIGHTS_ALL), ST_BAD_RIGHTS);
    check_eq(hc_revoke_in(pd, 30, 1, REVOKE_SELF), ST_OK);
    need_ok(hc_delegate(pd, 30, SEL_SELF, weak + 1, 1, RIGHTS_ALL));
    check_eq(hc_sm_up(weak + 1), ST_BAD_CAP);
    check_eq(hc_sm_up(sm), ST_OK);
}

static void test_ranges(void)
{
    cap_sel_t pd = pd_empty(PD_QUOTA), sms = sel_range(5);

    need_ok(hc_create_sm(sms, ROOT_SEL_PD, 0));
    need_ok(hc_create_sm(sms + 2, ROOT_SEL_PD, 0));
    need_ok(hc_create_sm(sms + 4, ROOT_SEL_PD, 0));
    check_eq(hc_delegate(SEL_SELF, sms, pd, 200, 5, RIGHTS_ALL), ST_OK); /* with holes */
    check_eq(hc_delegate(SEL_SELF, sms, pd, 204, 1, RIGHTS_ALL), ST_EXISTS);
    check_eq(hc_revoke(sms, 5, REVOKE_SELF), ST_OK);
    check_eq(hc_delegate(pd, 200, SEL_SELF, sms, 5, RIGHTS_ALL), ST_OK);
    for (unsigned i = 0; i < 5; i++)
        check_eq(hc_sm_up(sms + i), ST_BAD_CAP);
}

static void test_exists(void)
{
    cap_sel_t sm = sm_new(0), ec = handler_new(ROOT_SEL_PD, 0);

    check_eq(hc_create_sm(sm, ROOT_SEL_PD, 0), ST_EXISTS);
    check_eq(hc_create_pd(sm, ROOT_SEL_PD, 10, 0), ST_EXISTS);
    check_eq(hc_create_pt(sm, ROOT_SEL_PD, ec, 0x1000, 0), ST_EXISTS);
    check_eq(hc_create_ec(sm, ROOT_SEL_PD, EC_LOCAL, 0, 0, utcb_new(), 0, 0, 0), ST_EXISTS);
    check_eq(hc_create_sc(sm, ROOT_SEL_PD, thread_stopped(ROOT_SEL_PD, 0, NULL, NULL), 1, QUANTUM),
             ST_EXISTS);
    check_eq(hc_sm_up(sm), ST_OK);
}

/* The object lives as long as there is a capability to it, whoever has it. */
static void test_last_copy(void)
{
    cap_sel_t sm = sm_new(0), copy = sel_range(2), pd = pd_empty(PD_QUOTA);
    struct kmem_stat before = kernel_memory();

    need_ok(hc_delegate(SEL_SELF, sm, pd, 9, 1, RIGHTS_ALL));
    need_ok(hc_delegate(pd, 9, SEL_SELF, copy, 1, RIGHTS_ALL));
    drop(copy);
    check_eq(kernel_memory().objects[4], before.objects[4]);
    check_eq(hc_sm_up(sm), ST_OK);
    drop(sm);
    before.objects[4]--;
    objects_settle(&before);
}

/* Root's capability to itself, given away and gone with the receiver. */
static void test_root_pd_given(void)
{
    cap_sel_t pd = pd_empty(PD_QUOTA), copy = sel_new();

    need_ok(hc_delegate(SEL_SELF, ROOT_SEL_PD, pd, 5, 1, PD_MAP));
    need_ok(hc_delegate(SEL_SELF, ROOT_SEL_PD, SEL_SELF, copy, 1, PD_MAP));
    drop(pd);
    sleep_us(2000);
    check_eq(hc_create_sm(sel_new(), ROOT_SEL_PD, 0), ST_OK);
}

/* A PD with a capability to itself ends all the same, and so does its EC. */
static void test_pd_to_itself(void)
{
    struct kmem_stat before = kernel_memory();
    cap_sel_t pd = pd_new(), ec = handler_new(pd, 0);

    give(pd, pd, PD_ALL);
    give(pd, ec, EC_ALL);
    drop(ec);
    drop(pd);
    objects_settle(&before);
}

/* As deep as it goes, and all of it revoked at once. */
static void test_deep(void)
{
    cap_sel_t sm = sm_new(0), first = sel_range(1000);

    need_ok(hc_delegate(SEL_SELF, sm, SEL_SELF, first, 1, RIGHTS_ALL));
    for (unsigned i = 1; i < 1000; i++)
        check_eq(hc_delegate(SEL_SELF, first + i - 1, SEL_SELF, first + i, 1, RIGHTS_ALL), ST_OK);
    check_eq(hc_sm_up(first + 999), ST_OK);
    check_eq(hc_revoke(first + 10, 1, 0), ST_OK);
    check_eq(hc_sm_up(first + 10), ST_OK);
    check_eq(hc_sm_up(first + 11), ST_BAD_CAP);
    check_eq(hc_sm_up(first + 999), ST_BAD_CAP);
}

const struct test cap_tests[] = {
    { "rights-shrink", test_rights_shrink, 0 },
    { "badge-fixed", test_badge_fixed, 0 },
    { "revoke-subtree", test_revoke_subtree, 0 },
    { "revoke-leaf", test_revoke_leaf, 0 },
    { "revoke-in-pd", test_revoke_in_pd, 0 },
    { "ranges", test_ranges, 0 },
    { "exists", test_exists, 0 },
    { "last-copy", test_last_copy, 0 },
    { "root-pd-given", test_root_pd_given, 0 },
    { "pd-to-itself", test_pd_to_itself, 0 },
    { "deep", test_deep, 0 },
    { NULL, NULL, 0 },
};
