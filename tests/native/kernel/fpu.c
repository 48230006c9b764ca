/*
 * FPU state: x87, SSE, AVX. This program is compiled without them, so that only
 * what is written here touches the registers.
 */
#include "env.h"

#include <string.h>

struct vectors {
    uint8_t v[16][32]; /* ymm; the lower halves are xmm */
    uint32_t mxcsr;
    uint16_t fcw;
    double x87;
} __attribute__((aligned(32)));

static bool have_avx, have_xsave;

static void detect(void)
{
    uint32_t a = 1, b, c = 0, d, low;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    have_xsave = c >> 27 & 1;
    have_avx = false;
    if (have_xsave && c >> 28 & 1) {
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(d) : "c"(0));
        have_avx = (low & 6) == 6;
    }
}

#define ALL_VECTORS(instruction, format)                                                          \
    do {                                                                                          \
        __asm__ volatile(format(instruction, 0) format(instruction, 1) format(instruction, 2)     \
                         format(instruction, 3) format(instruction, 4) format(instruction, 5)     \
                         format(instruction, 6) format(instruction, 7) format(instruction, 8)     \
                         format(instruction, 9) format(instruction, 10) format(instruction, 11)   \
                         format(instruction, 12) format(instruction, 13)                          \
                         format(instruction, 14) format(instruction, 15)                          \
                         : : "r"(v) : "memory");                                                  \
    } while (0)
#define XMM_LOAD(instruction, n)  instruction " " #n "*32(%0), %%xmm" #n "\n\t"
#define XMM_STORE(instruction, n) instruction " %%xmm" #n ", " #n "*32(%0)\n\t"
#define YMM_LOAD(instruction, n)  instruction " " #n "*32(%0), %%ymm" #n "\n\t"
#define YMM_STORE(instruction, n) instruction " %%ymm" #n ", " #n "*32(%0)\n\t"

static void registers_load(const struct vectors *v)
{
    if (have_avx)
        ALL_VECTORS("vmovdqu", YMM_LOAD);
    else
        ALL_VECTORS("movdqu", XMM_LOAD);
    __asm__ volatile("fninit\n\tldmxcsr %0\n\tfldcw %1\n\tfldl %2"
                     : : "m"(v->mxcsr), "m"(v->fcw), "m"(v->x87));
}

static void registers_store(struct vectors *v)
{
    memset(v, 0, sizeof *v);
    if (have_avx)
        ALL_VECTORS("vmovdqu", YMM_STORE);
    else
        ALL_VECTORS("movdqu", XMM_STORE);
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfstl %2"
                     : "=m"(v->mxcsr), "=m"(v->fcw), "=m"(v->x87));
}

static struct vectors pattern(unsigned seed)
{
    struct vectors v;
    uint64_t bits = 0x3ff0000000000000 + ((uint64_t)seed << 32);

    memset(&v, 0, sizeof v);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < (have_avx ? 32u : 16u); j++)
            v.v[i][j] = (uint8_t)(seed * 37 + i * 11 + j);
    v.mxcsr = 0x1f80 | (seed % 4) << 13;
    v.fcw = (uint16_t)(0x37f & ~0xc00) | (uint16_t)((seed % 4) << 10);
    memcpy(&v.x87, &bits, sizeof bits);
    return v;
}

/* ---- threads that keep their registers ------------------------------------------------------ */

static uint64_t rounds[8], errors;

/* Without the FPU's use in between, of course. */
static bool registers_are(const struct vectors *wanted)
{
    struct vectors now;

    registers_store(&now);
    return !memcmp(&now, wanted, sizeof now);
}

static void keep_by_yielding(void *arg)
{
    unsigned seed = (unsigned)(uint64_t)arg;
    struct vectors mine = pattern(seed);

    registers_load(&mine);
    for (unsigned i = 0; i < 200; i++) {
        hc_yield();
        if (i % 3 == seed % 3 && !registers_are(&mine)) /* not each time: laziness */
            errors++;
    }
    store(&rounds[seed], 1);
}

static void keep_when_preempted(void *arg)
{
    unsigned seed = (unsigned)(uint64_t)arg;
    struct vectors mine = pattern(seed);

    registers_load(&mine);
    for (;;) {
        if (!registers_are(&mine))
            errors++;
        store(&rounds[seed], rounds[seed] + 1);
    }
}

static void begin(void)
{
    detect();
    errors = 0;
    memset(rounds, 0, sizeof rounds);
}

static void test_yield(void)
{
    begin();
    for (uint64_t i = 0; i < 6; i++)
        thread_new(i % 2 ? pd_new() : ROOT_SEL_PD, 0, 30, keep_by_yielding, (void *)i);
    for (unsigned i = 0; i < 6; i++)
        need(reaches(&rounds[i], 1));
    check_eq(errors, 0);
}

static void test_preempted(void)
{
    begin();
    for (uint64_t i = 0; i < 4; i++) {
        cap_sel_t ec = thread_stopped(i % 2 ? pd_new() : ROOT_SEL_PD, 0, keep_when_preempted,
                                      (void *)i);

        need_ok(hc_create_sc(ec + 1, ROOT_SEL_PD, ec, 30, 50000));
    }
    sleep_us(20000);
    for (unsigned i = 0; i < 4; i++)
        need(reaches(&rounds[i], 10));
    check_eq(errors, 0);
}

/* The handler of a call has registers of its own, and keeps them. */
static void handler_registers(struct msg *m)
{
    struct vectors other = pattern(5);

    if (!m->w[0])
        registers_load(&other);
    else
        m->w[1] = !registers_are(&other);
    m->w[0] = 7;
}

static void test_call(void)
{
    struct hc_words words = { { 0 } };
    struct vectors mine;
    cap_sel_t pt;

    begin();
    mine = pattern(3);
    pt = service_new(pd_new(), handler_registers);
    registers_load(&mine);
    check_eq(hc_raw(ctl_make(HC_CALL, 0, pt), &words), ST_OK);
    check(registers_are(&mine));
    check_eq(words.w[0], 7);
    check_eq(hc_raw(ctl_make(HC_CALL, 0, pt), &words), ST_OK);
    check_eq(words.w[1], 0);
    check(registers_are(&mine));
}

/* ---- what a new thread finds ---------------------------------------------------------------- */

static struct vectors found;
static uint8_t legacy[512] __attribute__((aligned(16)));
static uint64_t looked;

static void look(void *arg)
{
    struct vectors rubbish = pattern(1);

    (void)arg;
    __asm__ volatile("fxsave64 %0" : "=m"(legacy));
    registers_store(&found);
    registers_load(&rubbish);
    store(&looked, looked + 1);
}

static void check_clean(void)
{
    static const uint8_t none[32];

    for (unsigned i = 0; i < 16; i++)
        check(!memcmp(found.v[i], none, 32));
    check_eq(found.mxcsr, 0x1f80);
    check_eq(found.fcw, 0x37f);
    for (unsigned i = 32; i < 32 + 8 * 16; i++)
        check_eq(legacy[i], 0);
    check_eq(legacy[4], 0); /* no register of the x87 is in use */
}

static void test_new_thread(void)
{
    struct vectors mine;

    begin();
    mine = pattern(2);
    looked = 0;
    for (unsigned i = 0; i < 5; i++) {
        cap_sel_t ec;

        registers_load(&mine);
        ec = thread_new(i % 2 ? pd_new() : ROOT_SEL_PD, 0, 61, look, NULL);
        need(reaches(&looked, i + 1));
        check(registers_are(&mine));
        check_clean();
        drop(ec); /* while it has the FPU, sometimes */
        if (i % 2)
            check(registers_are(&mine));
    }
}

/* ---- get and set ---------------------------------------------------------------------------- */

static cap_sel_t target;
static uint8_t image[UTCB_DATA_BYTES];

static uint64_t get_fpu(enum status wanted)
{
    struct hc_words words = { { 99 } };

    check_eq(hc_raw(ctl_make(HC_EC, EC_OP_GET_FPU, target), &words) & 0xff, wanted);
    return words.w[0];
}

static enum status set_fpu(void)
{
    memcpy(utcb_self()->data, image, sizeof image);
    return hc_ec(target, EC_OP_SET_FPU, 0);
}

static void test_get_set(void)
{
    struct vectors wanted;
    uint64_t bytes;

    begin();
    wanted = pattern(6);
    looked = 0;
    target = thread_stopped(ROOT_SEL_PD, 0, look, NULL);
    check_eq(get_fpu(ST_OK), 0); /* never used */
    registers_load(&wanted);
    target = ROOT_SEL_EC;
    bytes = get_fpu(ST_OK);
    check(registers_are(&wanted)); /* still there */
    check(bytes >= 512 && bytes <= UTCB_DATA_BYTES);
    memcpy(image, utcb_self()->data, bytes);
    check(!memcmp(image + 160, wanted.v[0], 16)); /* xmm0 of an FXSAVE area */
    target = thread_stopped(ROOT_SEL_PD, 0, look, NULL);
    need_ok(set_fpu());
    need_ok(hc_create_sc(target + 1, ROOT_SEL_PD, target, 61, QUANTUM));
    need(reaches(&looked, 1));
    check(!memcmp(&found, &wanted, sizeof found));
    check_eq(get_fpu(ST_OK), bytes);
    wanted = pattern(1);
    check(!memcmp((uint8_t *)utcb_self()->data + 160, wanted.v[0], 16));
}

/* What would fault when it is loaded. */
static void test_set_bad(void)
{
    begin();
    target = thread_stopped(ROOT_SEL_PD, 0, look, NULL);
    memset(image, 0, sizeof image);
    need_ok(set_fpu()); /* the initial state, but for the control words */
    image[26] = image[27] = 0xff; /* MXCSR, reserved bits */
    check_eq(set_fpu(), ST_BAD_PARAM);
    image[26] = image[27] = 0;
    if (!have_xsave)
        return;
    for (unsigned i = 0; i < 64; i++) {
        if (i < 3)
            continue; /* x87, SSE, AVX, if there is AVX */
        image[512 + i / 8] = (uint8_t)(1 << i % 8);
        if (i > 7)
            check_eq(set_fpu(), ST_BAD_PARAM);
        image[512 + i / 8] = 0;
    }
    for (unsigned i = 8; i < 64; i++) {
        image[512 + i] = 1;
        check_eq(set_fpu(), ST_BAD_PARAM);
        image[512 + i] = 0;
    }
    check_eq(set_fpu(), ST_OK);
}

/* Images of random bits: refused, or loaded without harm. */
static void test_set_random(void)
{
    uint64_t seed = 88172645463325252u, accepted = 0;

    cap_sel_t pd = 0; /* exceptions of the FPU may well end its threads */

    begin();
    looked = 0;
    for (unsigned n = 0; n < 200; n++) {
        if (n % 20 == 0)
            pd = pd_new();
        target = thread_stopped(pd, 0, look, NULL);
        for (unsigned i = 0; i < 576 / 8; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            ((uint64_t *)image)[i] = i < 64 ? seed : 0;
        }
        image[26] = image[27] = 0;
        image[25] = n % 2 ? 0x1f : 0xff;
        image[512] = n % 8;
        if (set_fpu() == ST_OK) {
            accepted++;
            need_ok(hc_create_sc(target + 1, ROOT_SEL_PD, target, 61, QUANTUM));
            sleep_us(5);
        }
        check_eq(hc_revoke(target, 2, REVOKE_SELF), ST_OK);
        if (n % 20 == 19)
            env_reset();
    }
    check(accepted > 20);
}

const struct test fpu_tests[] = {
    { "yield", test_yield, 0 },
    { "preempted", test_preempted, 0 },
    { "call", test_call, 0 },
    { "new-thread", test_new_thread, 0 },
    { "get-set", test_get_set, 0 },
    { "set-bad", test_set_bad, 0 },
    { "set-random", test_set_random, 0 },
    { NULL, NULL, 0 },
};
