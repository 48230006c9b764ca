/*
 * Pseudo-random hypercalls, the same in every run unless another seed is given: the
 * kernel must be alive after them, and have all its memory back. What the calls answer
 * does not matter.
 */
#include "env.h"

#include <string.h>

enum { ROUNDS = 20, CALLS = 5000, SHARED_ROUNDS = 12, OWN_ROUNDS = 20, OWN_CALLS = 1500,
       SEL_SHARED = 6 /* and following: what it is given */ };

static uint64_t made, finished;

struct random {
    uint64_t state;
};

static uint64_t next(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state * 0x2545f4914f6cdd1d;
}

/* Another sequence by "seed=N" on the command line. */
static uint64_t seed(void)
{
    const char *text = strstr(kernel_info()->cmdline, "seed=");
    uint64_t value = 0;

    for (text = text ? text + 5 : ""; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return value;
}

/* Selectors that mean something more often than not. */
static cap_sel_t any_selector(struct random *r)
{
    uint64_t bits = next(r);

    return bits % 8 ? (cap_sel_t)(bits >> 32 & 31) : (cap_sel_t)(bits >> 48);
}

/* A value near the limits of something. */
static uint64_t any_word(struct random *r)
{
    static const uint64_t edges[] = {
        0, 1, 2, PAGE_BYTES, 0x400000, UTCB_AREA_VA, USER_END, USER_END - PAGE_BYTES, 1ull << 47,
        1ull << 63, 0xffff800000000000, 0xffffffff80100000, ~0ull, SEL_SELF, SEL_NONE, MAX_CAPS,
        MAX_CAPS - 1, 512, 0x200000, 63, 64, 1ull << 32, 100000,
    };
    uint64_t bits = next(r);

    switch (bits % 4) {
    case 0: return any_selector(r);
    case 1: return edges[(bits >> 8) % (sizeof edges / sizeof *edges)] + (bits >> 32) % 3 - 1;
    case 2: return edges[(bits >> 8) % (sizeof edges / sizeof *edges)];
    default: return next(r) >> (bits >> 8) % 64;
    }
}

/* One call. Semaphores are never waited for long. */
static void any_call(struct random *r)
{
    struct hc_words words;
    uint64_t bits = next(r);
    unsigned number = bits % 32 ? (unsigned)(bits >> 8) % HC_COUNT : (unsigned)(bits >> 8 & 0xff);
    unsigned flags = bits >> 16 & 1 ? 0 : bits >> 17 & 7 ? (unsigned)(bits >> 20 & 7) :
                                                          (unsigned)(bits >> 24 & 0xff);
    uint64_t ctl = ctl_make(number, flags, any_selector(r));

    if (number == HC_REVOKE && bits >> 60)
        return; /* or there would soon be nothing left */
    for (unsigned i = 0; i < 6; i++)
        words.w[i] = any_word(r);
    if (number == HC_SM)
        words.w[0] = 1;
    if (number == HC_CALL)
        ctl |= ctl_message(0, (unsigned)(bits >> 32) & 0x1ff, (unsigned)(bits >> 44) & 0xf);
    for (unsigned i = 0; i < UTCB_ITEMS; i++)
        utcb_self()->items[i] = (struct utcb_item){ any_selector(r), (uint32_t)next(r) };
    hc_raw(ctl, &words);
}

/* ---- from a PD of its own ------------------------------------------------------------------- */

static void fuzz_thread(void *arg)
{
    struct random r = { (uint64_t)arg };

    for (unsigned i = 0; i < CALLS; i++) {
        if (i % 64 == 0) {
            utcb_self()->receive_sel = any_selector(&r);
            utcb_self()->receive_count = (uint32_t)next(&r);
        }
        any_call(&r);
        store(&made, made + 1);
    }
    store(&finished, finished + 1);
    for (;;)
        hc_yield();
}

static void answer(struct msg *m)
{
    m->w[0] = m->w[1] ^ m->w[2];
    m->reply |= ctl_message((unsigned)m->w[3], (unsigned)m->w[4] & 0xff, (unsigned)m->w[5] & 0xf);
}

/* Some of each, with some of the rights. */
static void fill(cap_sel_t pd, struct random *r)
{
    cap_sel_t handler = handler_new(ROOT_SEL_PD, 0), other = pd_empty(60), objects[12];
    unsigned n = 0;

    objects[n++] = portal_new(handler, answer);
    objects[n++] = sm_new(next(r) % 3);
    objects[n++] = sm_new(~0ull);
    objects[n++] = other;
    objects[n++] = other;
    objects[n++] = thread_stopped(other, 0, NULL, NULL);
    objects[n++] = handler_new(other, cpu_count - 1);
    objects[n++] = portal_new(handler_new(pd, 0), answer);
    objects[n++] = pd;
    for (unsigned i = 0; i < n; i++)
        check_eq(hc_delegate(SEL_SELF, objects[i], pd, SEL_SHARED + i, 1,
                             (unsigned)(next(r) | next(r))),
                 ST_OK);
}

static void fuzz_round(uint64_t round)
{
    struct random r = { (round + 1 + seed() * 1000) * 0x9e3779b97f4a7c15 };
    cap_sel_t pd = pd_new(), thread;
    uint64_t last;

    fill(pd, &r);
    finished = 0;
    thread = thread_sliced(pd, (unsigned)round % cpu_count, 30, fuzz_thread, (void *)next(&r));
    /* It may end itself, unmap its code or wait for itself; then there is no progress. */
    do {
        last = load(&made);
        for (unsigned i = 0; i < 10 && !finished; i++)
            sleep_us(1000);
    } while (load(&made) != last && !finished);
    check_eq(hc_revoke(thread, 2, REVOKE_SELF), ST_OK);
}

static void test_other_pd(void)
{
    struct kmem_stat before = kernel_memory();

    made = 0;
    for (uint64_t round = 0; made < ROUNDS * CALLS && round < 20 * ROUNDS; round++) {
        fuzz_round(round);
        env_reset();
        if (!objects_settle(&before))
            return;
    }
    check(made > ROUNDS * CALLS / 2);
}

/* ---- from all CPUs, with what they share ---------------------------------------------------- */

static void wait_often(void *arg)
{
    (void)arg;
    for (;;)
        hc_sm_down(SEL_SHARED, tsc() + us(50));
}

/* PDs with all rights over each other, threads that run, handlers everywhere. Events
 * are answered, so that a recalled thread goes on. */
static void shared_round(uint64_t round)
{
    struct random r = { (round + 555 + seed() * 1000) * 0x9e3779b97f4a7c15 };
    cap_sel_t pds[MAX_CPUS], shared = sel_range(16);
    unsigned n = 0;

    check_eq(hc_create_sm(shared + n++, ROOT_SEL_PD, 0), ST_OK);
    check_eq(hc_create_pt(shared + n++, ROOT_SEL_PD, handler_new(ROOT_SEL_PD, 0),
                          (vaddr_t)handler_entry, (uint64_t)answer),
             ST_OK);
    for (unsigned i = 1; i < cpu_count; i++)
        check_eq(hc_pt_add_handler(shared + 1, handler_new(ROOT_SEL_PD, i)), ST_OK);
    for (unsigned i = 0; i < cpu_count && i < 6; i++) {
        pds[i] = pd_new();
        check_eq(hc_delegate(SEL_SELF, shared + 1, pds[i], SEL_EVENT, 1, PT_CALL), ST_OK);
        check_eq(hc_delegate(SEL_SELF, pds[i], SEL_SELF, shared + n++, 1, RIGHTS_ALL), ST_OK);
        check_eq(hc_delegate(SEL_SELF, thread_sliced(pds[i], i, 30, wait_often, NULL), SEL_SELF,
                             shared + n++, 1, RIGHTS_ALL),
                 ST_OK);
    }
    finished = 0;
    for (unsigned i = 0; i < cpu_count && i < 6; i++) {
        check_eq(hc_delegate(SEL_SELF, shared, pds[i], SEL_SHARED, n, RIGHTS_ALL), ST_OK);
        thread_sliced(pds[i], i, 30, fuzz_thread, (void *)next(&r));
    }
    sleep_us(20000);
}

static void test_all_cpus(void)
{
    struct kmem_stat before = kernel_memory();

    made = 0;
    for (uint64_t round = 0; round < SHARED_ROUNDS; round++) {
        shared_round(round);
        env_reset();
        if (!objects_settle(&before))
            return;
    }
    check(made > 10000);
}

/* ---- with root's rights, from a thread of root's PD ----------------------------------------- */

/* What would rightly end the test: to revoke or map away what it lives on, to give
 * memory of others to the kernel. The selectors below SEL_FIRST are its own. */
static bool harmless(unsigned number, uint64_t ctl, struct hc_words *words, cap_sel_t base)
{
    switch (number) {
    case HC_REVOKE: return false;
    case HC_MAP: return words->w[2] >= base;
    case HC_PROTECT:
    case HC_MAP_PHYS: return words->w[0] >= base;
    case HC_COPY: return ctl_sel(ctl) >= base && ctl_flags(ctl) != COPY_FROM;
    case HC_EC: return ctl_sel(ctl) >= base;
    case HC_PD: return ctl_sel(ctl) >= base;
    case HC_KMEM: return ctl_flags(ctl) != KMEM_OP_DONATE;
    case HC_IRQ: return false;
    case HC_DELEGATE: return (words->w[3] >> 8) % 2;
    default: return true;
    }
}

static void own_call(struct random *r, cap_sel_t base)
{
    uint64_t bits = next(r);
    unsigned number = (unsigned)(bits >> 8) % HC_COUNT;
    uint64_t ctl = ctl_make(number, (unsigned)(bits >> 16) & 7,
                            base + (cap_sel_t)(bits >> 32 & 31));
    struct hc_words words;

    for (unsigned i = 0; i < 6; i++)
        words.w[i] = next(r) % 2 ? any_word(r) : base + next(r) % 32;
    if (number == HC_SM)
        words.w[0] = 1;
    if (number == HC_CREATE_SC && words.w[2] >= MAIN_PRIORITY)
        words.w[2] = 1;
    if (number == HC_DELEGATE) {
        words.w[1] = base + (bits >> 40 & 31); /* no copies of root's own */
        words.w[3] = base + (bits >> 40) % 64;
        words.w[4] = (bits >> 48) % 4;
    }
    if (number == HC_CREATE_EC && words.w[0] < base)
        words.w[0] = base;
    if (number == HC_CREATE_PD)
        words.w[1] %= 100;
    if (number != HC_DELEGATE && !harmless(number, ctl, &words, base))
        return;
    hc_raw(ctl, &words);
    made++;
}

static void test_own(void)
{
    struct kmem_stat before = kernel_memory();

    made = 0;
    for (uint64_t round = 0; round < OWN_ROUNDS; round++) {
        struct random r = { (round + 77 + seed() * 1000) * 0x9e3779b97f4a7c15 };
        cap_sel_t base = sel_range(128), pd = pd_empty(60);

        check_eq(hc_delegate(SEL_SELF, pd, SEL_SELF, base, 1, PD_ALL), ST_OK);
        check_eq(hc_create_sm(base + 1, ROOT_SEL_PD, 5), ST_OK);
        check_eq(hc_delegate(SEL_SELF, service_new(ROOT_SEL_PD, answer), SEL_SELF, base + 2, 1, 3),
                 ST_OK);
        for (unsigned i = 0; i < OWN_CALLS; i++)
            own_call(&r, base);
        env_reset();
        if (!objects_settle(&before))
            return;
    }
    check(made > 10000);
}

const struct test fuzz_tests[] = {
    { "other-pd", test_other_pd, 0 },
    { "all-cpus", test_all_cpus, 0 },
    { "own", test_own, 0 },
    { NULL, NULL, 0 },
};
