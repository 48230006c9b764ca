/*
 * Quotas: what is charged to them, and that all of it comes back.
 */
#include "env.h"

/* In pages; the second word of PD_OP_QUOTA. */
static uint64_t pd_limit(cap_sel_t pd)
{
    struct hc_words words = { { 0 } };

    check_eq(hc_raw(ctl_make(HC_PD, PD_OP_QUOTA, pd), &words) & 0xff, ST_OK);
    return words.w[1];
}

/* Waits until pd has used no more than that. */
static bool used_settles(cap_sel_t pd, uint64_t pages)
{
    for (unsigned i = 0; i < 1000 && pd_used(pd) != pages; i++)
        sleep_us(100);
    return check_eq(pd_used(pd), pages);
}

/* What a PD uses counts in all above it; limits need not add up. */
static void test_nested(void)
{
    uint64_t root_used = pd_used(ROOT_SEL_PD), used, child_used;
    cap_sel_t parent = pd_empty(30), child = sel_range(2), sms = sel_range(3000);
    unsigned n = 0;

    check_eq(pd_limit(parent), 30);
    used = pd_used(parent);
    check(used > 0 && used < 10);
    check_eq(pd_used(ROOT_SEL_PD) - root_used, used);
    need_ok(hc_create_pd(child, parent, 1000, 0));
    check_eq(pd_limit(child), 1000);
    child_used = pd_used(child);
    check_eq(pd_used(parent), used + child_used);
    while (n < 3000 && hc_create_sm(sms + n, child, 0) == ST_OK)
        n++;
    check(n > 100 && n < 3000); /* the parent's limit holds */
    check(pd_used(parent) <= 30 && pd_used(child) < 30);
    check_eq(hc_create_sm(sms + n, parent, 0), ST_NO_MEMORY);
    check_eq(hc_revoke(sms, n, REVOKE_SELF), ST_OK);
    drop(child);
    used_settles(parent, used);
    drop(parent);
}

static enum status raise_status;

static void raise_quota(struct msg *m)
{
    raise_status = hc_pd(100, PD_OP_ADD_QUOTA, 10, 0, 0);
    m->w[0] = 1;
}

/* By whoever has the right. */
static void test_add(void)
{
    cap_sel_t pd = pd_empty(20), client = pd_new(), pt = service_new(client, raise_quota);

    need_ok(hc_pd(pd, PD_OP_ADD_QUOTA, 5, 0, 0));
    check_eq(pd_limit(pd), 25);
    need_ok(hc_delegate(SEL_SELF, pd, client, 100, 1, PD_ALL & ~PD_CTRL));
    need_ok(call(pt));
    check_eq(raise_status, ST_BAD_RIGHTS);
    check_eq(hc_revoke_in(client, 100, 1, REVOKE_SELF), ST_OK);
    need_ok(hc_delegate(SEL_SELF, pd, client, 100, 1, PD_CTRL));
    need_ok(call(pt));
    check_eq(raise_status, ST_OK);
    check_eq(pd_limit(pd), 35);
}

/* ---- exhaustion ----------------------------------------------------------------------------- */

/* Fills a PD by make until there is no memory, then destroys it. */
static void exhaust_once(enum status (*make)(cap_sel_t pd, uint64_t n))
{
    cap_sel_t pd = pd_empty(60);
    uint64_t n = 0;
    enum status status;

    do
        status = make(pd, n++);
    while (status == ST_OK && n < 20000);
    check_eq(status, ST_NO_MEMORY);
    check(n > 10);
    check(pd_used(pd) >= 55 && pd_used(pd) <= 60);
    check_eq(make(pd, n), ST_NO_MEMORY);
    env_reset();
}

/* Twice: what root keeps, pages of its capability space, it keeps from the first time. */
static void exhaust(enum status (*make)(cap_sel_t pd, uint64_t n))
{
    struct kmem_stat before = kernel_memory();
    uint64_t used;

    exhaust_once(make);
    objects_settle(&before);
    used = pd_used(ROOT_SEL_PD);
    exhaust_once(make);
    objects_settle(&before);
    check_eq(pd_used(ROOT_SEL_PD), used);
}

static enum status make_sm(cap_sel_t pd, uint64_t n) { return hc_create_sm(sel_new(), pd, n); }

static enum status make_pt(cap_sel_t pd, uint64_t n)
{
    static cap_sel_t ec;

    if (!n)
        ec = handler_new(ROOT_SEL_PD, 0);
    return hc_create_pt(sel_new(), pd, ec, 0x1000, n);
}

static enum status make_ec(cap_sel_t pd, uint64_t n)
{
    return hc_create_ec(sel_new(), pd, EC_LOCAL, 0, 0, 0x100000 + n * PAGE_BYTES, 0, 0, 0);
}

static enum status make_sc(cap_sel_t pd, uint64_t n)
{
    static cap_sel_t threads;

    if (!n) {
        threads = pd_empty(3000);
        sel_range(2);
    }
    cap_sel_t ec = sel_range(2);

    if (hc_create_ec(ec, threads, 0, 0, 0, 0x100000 + n * PAGE_BYTES, 0, 0, 0) != ST_OK)
        return ST_COUNT;
    return hc_create_sc(ec + 1, pd, ec, 1, QUANTUM);
}

static enum status make_pd(cap_sel_t pd, uint64_t n)
{
    (void)n;
    return hc_create_pd(sel_new(), pd, 4, 0);
}

/* Each page in a table of its own. */
static enum status make_table(cap_sel_t pd, uint64_t n)
{
    return hc_map(SEL_SELF, 0x400000, pd, n << 21, 1, MEM_R, 0, NULL);
}

/* Each capability in a page of its own. */
static enum status make_cap(cap_sel_t pd, uint64_t n)
{
    return hc_delegate(SEL_SELF, SEL_NEVER, pd, (cap_sel_t)n * 128, 1, 0);
}

static void test_exhaust_sm(void)    { exhaust(make_sm); }
static void test_exhaust_pt(void)    { exhaust(make_pt); }
static void test_exhaust_ec(void)    { exhaust(make_ec); }
static void test_exhaust_sc(void)    { exhaust(make_sc); }
static void test_exhaust_pd(void)    { exhaust(make_pd); }
static void test_exhaust_map(void)   { exhaust(make_table); }
static void test_exhaust_caps(void)  { exhaust(make_cap); }

/* The first use of the FPU without memory for it is an exception. */
static void use_fpu(void *arg)
{
    (void)arg;
    __asm__ volatile("fninit");
}

static void test_no_memory_for_fpu(void)
{
    cap_sel_t pd = pd_new(), ec = thread_stopped(pd, 0, use_fpu, NULL);

    while (hc_create_sm(sel_new(), pd, 0) == ST_OK)
        ;
    need_ok(hc_create_sc(ec + 1, ROOT_SEL_PD, ec, 61, QUANTUM));
    sleep_us(500);
    need_ok(hc_ec(ec, EC_OP_GET_STATE, 0));
    check_eq(((struct ec_state *)utcb_self()->data)->vector, 7);
}

/* A big page that can't be split stays whole. */
static void test_no_memory_to_split(void)
{
    uint64_t *big = big_page_new(), word = 0, done;
    cap_sel_t pd = pd_empty(20);

    big[0] = 77;
    need_ok(hc_map(SEL_SELF, (vaddr_t)big, pd, 0x200000, 512, MEM_R | MEM_W, 0, NULL));
    while (hc_create_sm(sel_new(), pd, 0) == ST_OK)
        ;
    check_eq(hc_protect(pd, 0x203000, 1, 0), ST_NO_MEMORY);
    check_eq(hc_map(SEL_SELF, (vaddr_t)big, pd, 0x203000, 1, MEM_R, 0, NULL), ST_NO_MEMORY);
    check_eq(hc_copy(pd, COPY_FROM, &word, 0x200000, 8, &done), ST_OK);
    check_eq(word, 77);
    check_eq(hc_protect(pd, 0x200000, 512, 0), ST_OK);
    check_eq(hc_copy(pd, COPY_FROM, &word, 0x203000, 8, &done), ST_FAULT);
}

/* An object that outlives its PD is charged until it is gone. */
static void test_outlives(void)
{
    cap_sel_t parent = pd_empty(50), pd = sel_new(), sm = sel_new();
    uint64_t used = pd_used(parent);

    need_ok(hc_create_pd(pd, parent, 50, 0));
    need_ok(hc_create_sm(sm, pd, 1));
    drop(pd);
    sleep_us(2000);
    check(pd_used(parent) >= used);
    check_eq(hc_sm_down(sm, 1), ST_OK);
    drop(sm);
    used_settles(parent, used);
}

const struct test quota_tests[] = {
    { "nested", test_nested, 0 },
    { "add", test_add, 0 },
    { "exhaust-sm", test_exhaust_sm, 0 },
    { "exhaust-pt", test_exhaust_pt, 0 },
    { "exhaust-ec", test_exhaust_ec, 0 },
    { "exhaust-sc", test_exhaust_sc, 0 },
    { "exhaust-pd", test_exhaust_pd, 0 },
    { "exhaust-map", test_exhaust_map, 0 },
    { "exhaust-caps", test_exhaust_caps, 0 },
    { "no-memory-for-fpu", test_no_memory_for_fpu, 0 },
    { "no-memory-to-split", test_no_memory_to_split, 0 },
    { "outlives", test_outlives, 0 },
    { NULL, NULL, 0 },
};
