/*
 * Every hypercall with arguments that must not do: a selector that is empty, out
 * of range or of another type, a right that is missing, numbers beyond limits.
 */
#include "env.h"

#define HIGH 0x100000000ull /* a selector must not be cut to 32 bits */

/* One object of each type with all rights, and the same without any. */
static struct objects {
    cap_sel_t pd, ec, sc, pt, sm, thread, empty;
} all, weak;

static void answer(struct msg *m) { m->w[0] = 1; }

static void weaken(cap_sel_t *to, cap_sel_t from)
{
    *to = sel_new();
    check_eq(hc_delegate(SEL_SELF, from, SEL_SELF, *to, 1, 0), ST_OK);
}

static void setup(void)
{
    all.pd = pd_empty(PD_QUOTA);
    all.ec = handler_new(ROOT_SEL_PD, 0);
    all.pt = portal_new(all.ec, answer);
    all.sm = sm_new(0);
    all.thread = thread_stopped(ROOT_SEL_PD, 0, NULL, NULL);
    all.sc = all.thread + 1;
    check_eq(hc_create_sc(all.sc, ROOT_SEL_PD, thread_stopped(ROOT_SEL_PD, 0, NULL, NULL), 1,
                          QUANTUM),
             ST_OK);
    weaken(&weak.pd, all.pd);
    weaken(&weak.ec, all.ec);
    weaken(&weak.pt, all.pt);
    weaken(&weak.sm, all.sm);
    weaken(&weak.thread, all.thread);
    weaken(&weak.sc, all.sc);
    all.empty = weak.empty = sel_new();
}

static void expect_at(int line, enum status wanted, uint64_t ctl, const uint64_t w[6])
{
    uint64_t got = hc_simple(ctl, w[0], w[1], w[2], w[3], w[4], w[5]);

    if (got != wanted)
        test_failed("params.c", line, "status", got, wanted);
}

#define EXPECT(wanted, number, flags, sel, ...)                                                   \
    expect_at(__LINE__, wanted, ctl_make(number, flags, sel), (uint64_t[6]){ __VA_ARGS__ })

/* ---- numbers ----------------------------------------------------------------------------- */

static void test_numbers(void)
{
    for (unsigned n = HC_COUNT; n < 256; n++) {
        EXPECT(ST_BAD_CALL, n, 0, 0, 0);
        EXPECT(ST_BAD_CALL, n, 255, 0xffff, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull);
    }
}

static void test_operations(void)
{
    setup();
    for (unsigned op = 0; op < 256; op++) {
        if (op > SM_OP_ZERO)
            EXPECT(ST_BAD_CALL, HC_SM, op, all.sm, 1);
        if (op > COPY_STRING)
            EXPECT(ST_BAD_CALL, HC_COPY, op, all.pd, 0, 0, 1);
        if (op > EC_OP_SET_BADGE)
            EXPECT(ST_BAD_CALL, HC_EC, op, all.ec, 0);
        if (op > SC_OP_TIME)
            EXPECT(ST_BAD_CALL, HC_SC, op, all.sc, 0);
        if (op > PT_OP_ADD_HANDLER)
            EXPECT(ST_BAD_CALL, HC_PT, op, all.pt, all.ec);
        if (op > PD_OP_ADD_QUOTA)
            EXPECT(ST_BAD_CALL, HC_PD, op, all.pd, 0);
        if (op > IRQ_OP_UNMASK)
            EXPECT(ST_BAD_CALL, HC_IRQ, op, all.sm, 0);
        if (op > KMEM_OP_DONATE)
            EXPECT(ST_BAD_CALL, HC_KMEM, op, 0, 0);
    }
}

static void test_flags(void)
{
    setup();
    EXPECT(ST_BAD_PARAM, HC_CREATE_PD, 0x80, all.empty, ROOT_SEL_PD, 10);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, EC_LOCAL | EC_FOREIGN, all.empty, all.pd, 0, 0x1000);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0x40, all.empty, all.pd, 0, 0x1000);
    EXPECT(ST_BAD_PARAM, HC_MAP, 0x40, 0, SEL_SELF, 0x400000, all.pd, 0, 1, MEM_R);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, 0x40, 0, SEL_SELF, all.sm, SEL_SELF, all.empty, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_REVOKE, 0x40, all.empty, 1, SEL_SELF);
}

/* ---- capabilities --------------------------------------------------------------------------- */

/* Each call that takes a capability in the control word, with all that it may not be. */
static void try_selectors(int line, unsigned number, unsigned flags, cap_sel_t good,
                          cap_sel_t no_rights, const uint64_t w[6])
{
    const cap_sel_t objects[] = { all.pd, all.ec, all.sc, all.pt, all.sm, all.empty, 0xffff };

    for (unsigned i = 0; i < sizeof objects / sizeof *objects; i++)
        if (objects[i] != good)
            expect_at(line, ST_BAD_CAP, ctl_make(number, flags, objects[i]), w);
    if (no_rights)
        expect_at(line, ST_BAD_RIGHTS, ctl_make(number, flags, no_rights), w);
}

#define SELECTORS(number, flags, type, ...)                                                       \
    try_selectors(__LINE__, number, flags, all.type, weak.type, (uint64_t[6]){ __VA_ARGS__ })

static void test_selectors(void)
{
    setup();
    SELECTORS(HC_CALL, 0, pt, 0);
    SELECTORS(HC_SM, SM_OP_UP, sm, 0);
    SELECTORS(HC_SM, SM_OP_DOWN, sm, 1);
    SELECTORS(HC_SM, SM_OP_ZERO, sm, 1);
    SELECTORS(HC_COPY, COPY_FROM, pd, 0x400000, 0, 1);
    for (unsigned op = 0; op <= EC_OP_SET_BADGE; op++)
        SELECTORS(HC_EC, op, ec, 0);
    SELECTORS(HC_SC, SC_OP_TIME, sc, 0);
    SELECTORS(HC_PT, PT_OP_ADD_HANDLER, pt, all.ec);
    SELECTORS(HC_PD, PD_OP_SET_ROUTE, pd, 0, 1, 0);
    SELECTORS(HC_PD, PD_OP_SET_PAGER, pd, 0);
    SELECTORS(HC_PD, PD_OP_QUOTA, pd, 0);
    SELECTORS(HC_PD, PD_OP_ADD_QUOTA, pd, 0);
    EXPECT(ST_BAD_CAP, HC_IRQ, IRQ_OP_BIND, all.pt, 3);
    EXPECT(ST_BAD_RIGHTS, HC_IRQ, IRQ_OP_BIND, weak.sm, 3);
}

/* The same for PDs and ECs that are named by a word. */
static void try_words(int line, unsigned number, unsigned flags, cap_sel_t good,
                      cap_sel_t no_rights, unsigned at, const uint64_t given[6])
{
    const uint64_t bad[] = { all.empty, MAX_CAPS, SEL_NONE, ~0ull - 1, HIGH | good,
                             good == all.sm ? all.pd : all.sm };
    uint64_t w[6];

    for (unsigned i = 0; i < 6; i++)
        w[i] = given[i];
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        w[at] = bad[i];
        expect_at(line, ST_BAD_CAP, ctl_make(number, flags, all.empty), w);
    }
    w[at] = no_rights;
    expect_at(line, ST_BAD_RIGHTS, ctl_make(number, flags, all.empty), w);
}

#define WORDS(number, flags, type, at, ...)                                                       \
    try_words(__LINE__, number, flags, all.type, weak.type, at, (uint64_t[6]){ __VA_ARGS__ })

static void test_selector_words(void)
{
    setup();
    WORDS(HC_CREATE_PD, 0, pd, 0, 0, 10);
    WORDS(HC_CREATE_EC, 0, pd, 0, 0, 0, 0x1000);
    WORDS(HC_CREATE_SC, 0, pd, 0, 0, all.thread, 1, QUANTUM);
    WORDS(HC_CREATE_SC, 0, thread, 1, all.pd, 0, 1, QUANTUM);
    WORDS(HC_CREATE_PT, 0, pd, 0, 0, all.ec, 0x1000);
    WORDS(HC_CREATE_PT, 0, ec, 1, all.pd, 0, 0x1000);
    WORDS(HC_CREATE_SM, 0, pd, 0, 0, 0);
    WORDS(HC_DELEGATE, 0, pd, 0, 0, 1, SEL_SELF, all.empty, 1, 0);
    WORDS(HC_DELEGATE, 0, pd, 2, SEL_SELF, all.sm, 0, 5, 1, 0);
    WORDS(HC_REVOKE, 0, pd, 1, 1, 0);
    WORDS(HC_MAP, 0, pd, 0, 0, 0x1000, all.pd, 0x1000, 1, MEM_R);
    WORDS(HC_MAP, 0, pd, 2, SEL_SELF, 0x400000, 0, 0x1000, 1, MEM_R);
    WORDS(HC_PROTECT, 0, pd, 0, 0, 0x1000, 1, 0);
    WORDS(HC_MAP_PHYS, 0, pd, 0, 0, 0, 0x1000, 1, MEM_R);
    EXPECT(ST_BAD_CAP, HC_PT, PT_OP_ADD_HANDLER, all.pt, all.sm);
    EXPECT(ST_BAD_CAP, HC_PT, PT_OP_ADD_HANDLER, all.pt, HIGH | all.ec);
    EXPECT(ST_BAD_RIGHTS, HC_PT, PT_OP_ADD_HANDLER, all.pt, weak.ec);
    EXPECT(ST_BAD_PARAM, HC_PT, PT_OP_ADD_HANDLER, all.pt, all.thread);
}

/* SEL_SELF is not a capability: no rights come with it. */
static void test_self(void)
{
    setup();
    EXPECT(ST_BAD_CAP, HC_CREATE_PD, 0, all.empty, SEL_SELF, 10);
    EXPECT(ST_BAD_CAP, HC_CREATE_SM, 0, all.empty, SEL_SELF, 0);
    EXPECT(ST_BAD_CAP, HC_CREATE_EC, 0, all.empty, SEL_SELF, 0, 0x1000);
    EXPECT(ST_BAD_CAP, HC_PROTECT, 0, 0, SEL_SELF, 0x1000, 1, 0);
    EXPECT(ST_BAD_CAP, HC_MAP, 0, 0, SEL_SELF, 0x400000, SEL_SELF, 0x1000, 1, MEM_R);
    EXPECT(ST_BAD_CAP, HC_MAP, MAP_COW, 0, SEL_SELF, 0x400000, all.pd, 0x1000, 1, MEM_R);
    EXPECT(ST_BAD_CAP, HC_MAP_PHYS, 0, 0, SEL_SELF, 0, 0x1000, 1, MEM_R);
}

/* ---- values --------------------------------------------------------------------------------- */

static void test_create_values(void)
{
    setup();
    EXPECT(ST_BAD_PARAM, HC_CREATE_PD, 0, all.empty, ROOT_SEL_PD, 1ull << 32);
    EXPECT(ST_BAD_PARAM, HC_CREATE_PD, 0, all.empty, ROOT_SEL_PD, ~0ull);
    EXPECT(ST_NO_MEMORY, HC_CREATE_PD, 0, all.empty, ROOT_SEL_PD, 0);
    EXPECT(ST_NO_MEMORY, HC_CREATE_PD, 0, all.empty, ROOT_SEL_PD, 1);
    EXPECT(ST_BAD_CPU, HC_CREATE_EC, 0, all.empty, all.pd, cpu_count, 0x1000);
    EXPECT(ST_BAD_CPU, HC_CREATE_EC, 0, all.empty, all.pd, 0xffffffff, 0x1000);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0, all.empty, all.pd, (uint64_t)MAX_CAPS << 32, 0x1000);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0, all.empty, all.pd, 0, 0x1008);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0, all.empty, all.pd, 0, USER_END);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0, all.empty, all.pd, 0, 0xffff800000000000);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0, all.empty, all.pd, 0, 0x1000, 1ull << 63);
    EXPECT(ST_BAD_PARAM, HC_CREATE_EC, 0, all.empty, all.pd, 0, 0x1000, 0, 1ull << 47);
    EXPECT(ST_BAD_PARAM, HC_CREATE_SC, 0, all.empty, ROOT_SEL_PD, all.thread, 64, QUANTUM);
    EXPECT(ST_BAD_PARAM, HC_CREATE_SC, 0, all.empty, ROOT_SEL_PD, all.thread, HIGH, QUANTUM);
    EXPECT(ST_BAD_PARAM, HC_CREATE_SC, 0, all.empty, ROOT_SEL_PD, all.thread, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_CREATE_SC, 0, all.empty, ROOT_SEL_PD, all.ec, 1, QUANTUM);
    EXPECT(ST_EXISTS, HC_CREATE_SC, 0, all.empty, ROOT_SEL_PD, ROOT_SEL_EC, 1, QUANTUM);
    EXPECT(ST_BAD_PARAM, HC_CREATE_PT, 0, all.empty, ROOT_SEL_PD, all.ec, USER_END);
    EXPECT(ST_BAD_PARAM, HC_CREATE_PT, 0, all.empty, ROOT_SEL_PD, all.thread, 0x1000);
}

static void test_cap_values(void)
{
    setup();
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, 0, 0, SEL_SELF, MAX_CAPS, SEL_SELF, all.empty, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, 0, 0, SEL_SELF, all.sm, SEL_SELF, MAX_CAPS, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, 0, 0, SEL_SELF, HIGH | all.sm, SEL_SELF, all.empty, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, 0, 0, SEL_SELF, 0, SEL_SELF, 0, MAX_CAPS + 1, 0);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, 0, 0, SEL_SELF, 0, SEL_SELF, 0, ~0ull, 0);
    EXPECT(ST_OK, HC_DELEGATE, 0, 0, SEL_SELF, all.sm, SEL_SELF, all.empty, 0, 0);
    EXPECT(ST_BAD_PARAM, HC_REVOKE, 0, 0, MAX_CAPS + 1, SEL_SELF);
    EXPECT(ST_BAD_PARAM, HC_REVOKE, 0, 0xffff, 2, SEL_SELF);
    EXPECT(ST_BAD_PARAM, HC_REVOKE, 0, 1, ~0ull, SEL_SELF);
    EXPECT(ST_OK, HC_REVOKE, REVOKE_SELF, 0xffff, 1, SEL_SELF);
    EXPECT(ST_OK, HC_REVOKE, REVOKE_SELF, all.empty, 1, SEL_SELF);
    EXPECT(ST_BAD_CAP, HC_DELEGATE, DELEGATE_BADGE, all.empty, SEL_SELF, 1, SEL_SELF, 0xfff0, 1, 1);
    EXPECT(ST_BAD_CAP, HC_DELEGATE, DELEGATE_BADGE, all.sm, SEL_SELF, 1, SEL_SELF, 0xfff0, 1, 1);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, DELEGATE_BADGE, all.pt, all.pd, 1, SEL_SELF, all.empty, 1, 1);
    EXPECT(ST_BAD_PARAM, HC_DELEGATE, DELEGATE_BADGE, all.pt, SEL_SELF, 1, all.pd, all.empty, 1, 1);
}

static void test_map_values(void)
{
    static const uint64_t bad[][2] = { { 1, 1 }, { 0xfff, 1 }, { USER_END, 1 }, { USER_END, 0 },
                                       { 0xffff800000000000, 1 }, { ~0ull & ~0xfffull, 1 },
                                       { USER_END - PAGE_BYTES, 2 }, { 0, 1ull << 52 },
                                       { 0x1000, ~0ull }, { 0, USER_END / PAGE_BYTES + 1 } };

    setup();
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t va = bad[i][0], pages = bad[i][1];

        EXPECT(ST_BAD_PARAM, HC_MAP, 0, 0, all.pd, va, all.pd, 0, pages, MEM_R);
        EXPECT(ST_BAD_PARAM, HC_MAP, 0, 0, SEL_SELF, 0, all.pd, va, pages, MEM_R);
        EXPECT(ST_BAD_PARAM, HC_PROTECT, 0, 0, all.pd, va, pages, 0);
        EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, 0, va, pages, MEM_R);
    }
    EXPECT(ST_BAD_PARAM, HC_MAP, 0, 0, SEL_SELF, 0x400000, all.pd, 0, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_MAP, 0, 0, SEL_SELF, 0x400000, all.pd, 0, 1, MEM_W | MEM_X);
    EXPECT(ST_FAULT, HC_MAP, 0, 0, all.pd, USER_END - PAGE_BYTES, all.pd, 0, 1, MEM_R);
    EXPECT(ST_OK, HC_PROTECT, 0, 0, all.pd, USER_END - PAGE_BYTES, 1, 0);
}

/* Physical memory: not that of the kernel, not beyond what there is, whole pages. */
static void test_phys_values(void)
{
    const struct kernel_info *info = kernel_info();

    setup();
    EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, 0x800, 0, 1, MEM_R);
    EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, 0, 0, 1, 0);
    EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, 1ull << 52, 0, 1, MEM_R);
    EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, ~0xfffull, 0, 2, MEM_R);
    EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, 0x800, 1);
    EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, ~0xfffull, 2);
    EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, 1ull << 39, 1); /* no memory there */
    EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, 0xfec00000, 1); /* nor there */
    EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, 0x1000, 1ull << 32);
    EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, 0x1000, ~0ull);
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct info_region *r = &info->regions[i];
        uint64_t pages = r->bytes / PAGE_BYTES;

        if (r->type != REGION_KERNEL)
            continue;
        EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, r->base, 0, 1, MEM_R);
        EXPECT(ST_BAD_PARAM, HC_MAP_PHYS, 0, 0, all.pd, r->base + (pages - 1) * PAGE_BYTES, 0, 2,
               MEM_R);
        EXPECT(ST_BAD_PARAM, HC_KMEM, KMEM_OP_DONATE, 0, r->base, 1);
    }
}

static void test_other_values(void)
{
    setup();
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_ROUTE, all.pd, ROUTE_COUNT, 1, 5);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_ROUTE, all.pd, 1, ROUTE_COUNT, 5);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_ROUTE, all.pd, 0, ~0ull, 5);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_ROUTE, all.pd, ~0ull, 2, 5);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_ROUTE, all.pd, 0, 1, MAX_CAPS);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_ROUTE, all.pd, 0, 1, HIGH | 5);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_PAGER, all.pd, MAX_CAPS);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_SET_PAGER, all.pd, HIGH);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_ADD_QUOTA, all.pd, 1ull << 32);
    EXPECT(ST_BAD_PARAM, HC_PD, PD_OP_ADD_QUOTA, all.pd, ~0ull);
    EXPECT(ST_BAD_PARAM, HC_IRQ, IRQ_OP_BIND, all.sm, 128);
    EXPECT(ST_BAD_PARAM, HC_IRQ, IRQ_OP_BIND, all.sm, ~0ull);
    EXPECT(ST_BAD_PARAM, HC_IRQ, IRQ_OP_UNMASK, 0, 128);
    EXPECT(ST_BAD_PARAM, HC_IRQ, IRQ_OP_UNMASK, 0, 60); /* bound to nothing */
    EXPECT(ST_BAD_STATE, HC_EC, EC_OP_GET_STATE, all.ec, 0);
    EXPECT(ST_BAD_STATE, HC_EC, EC_OP_SET_STATE, all.ec, 0);
    EXPECT(ST_BAD_STATE, HC_EC, EC_OP_GET_STATE, ROOT_SEL_EC, 0);
}

/* ---- without root's right ------------------------------------------------------------------- */

static uint64_t answers[4];

static void try_root_calls(struct msg *m)
{
    answers[0] = hc_kmem(KMEM_OP_STAT, 0, 0);
    answers[1] = hc_irq(IRQ_OP_UNMASK, 0, 1, 0);
    answers[2] = hc_map_phys(ROOT_SEL_PD, 0x1000, 0x1000, 1, MEM_R);
    answers[3] = hc_create_pd(100, ROOT_SEL_PD, 20, PD_IO_PORTS);
    m->w[0] = 1;
}

static void test_not_root(void)
{
    cap_sel_t pd = pd_new(), pt = service_new(pd, try_root_calls);

    for (unsigned i = 0; i < 2; i++) {
        check_eq(call(pt), ST_OK);
        for (unsigned n = 0; n < 4; n++)
            check(answers[n] == ST_BAD_RIGHTS || (n == 3 && answers[n] == ST_BAD_CAP && !i));
        /* All rights over itself do not make it root. */
        check_eq(hc_delegate(SEL_SELF, pd, pd, ROOT_SEL_PD, 1, RIGHTS_ALL), i ? ST_EXISTS : ST_OK);
    }
}

const struct test param_tests[] = {
    { "numbers", test_numbers, 0 },
    { "operations", test_operations, 0 },
    { "flags", test_flags, 0 },
    { "selectors", test_selectors, 0 },
    { "selector-words", test_selector_words, 0 },
    { "self", test_self, 0 },
    { "create-values", test_create_values, 0 },
    { "cap-values", test_cap_values, 0 },
    { "map-values", test_map_values, 0 },
    { "phys-values", test_phys_values, 0 },
    { "other-values", test_other_values, 0 },
    { "not-root", test_not_root, 0 },
    { NULL, NULL, 0 },
};
