/*
 * What the kernel's operations cost, in instructions. Only under -icount, where
 * the time stamp counter counts them; the cost of measuring is taken off.
 */
#include "foreign.h"

enum { TRIES = 20 };

extern char cost_pager[], f_cost_fault[], f_cost_exception[], f_cost_call[];
extern uint64_t cost_source;
uint64_t cost_source; /* page that cost_pager maps */

/* One instruction between two readings of the counter, with a hypercall's operands. */
#define DEFINE_TIMED(name, instruction)                                                           \
    static uint64_t name(uint64_t ctl, uint64_t word0)                                            \
    {                                                                                             \
        register uint64_t w3 __asm__("r10") = 0;                                                  \
        register uint64_t w4 __asm__("r8") = 0;                                                   \
        register uint64_t w5 __asm__("r9") = 0;                                                   \
        uint64_t w0 = word0, w1 = 0, w2 = 0, start = tsc();                                       \
                                                                                                  \
        __asm__ volatile(instruction : "+a"(ctl), "+D"(w0), "+S"(w1), "+d"(w2), "+r"(w3),         \
                         "+r"(w4), "+r"(w5) : : "rcx", "r11", "memory");                          \
        return tsc() - start;                                                                     \
    }
DEFINE_TIMED(timed_syscall, "syscall")
DEFINE_TIMED(timed_nothing, "")

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t cost_of(uint64_t ctl, uint64_t word0)
{
    uint64_t best = ~0ull, nothing = ~0ull;

    for (unsigned i = 0; i < TRIES; i++) {
        nothing = least(nothing, timed_nothing(ctl, word0));
        best = least(best, timed_syscall(ctl, word0));
    }
    return best - nothing;
}

static void print(const char *name, uint64_t cost) { log_line("@cost %s %d", name, cost); }

/* A portal whose handler only replies. */
static cap_sel_t empty_portal(cap_sel_t pd, const void *entry)
{
    cap_sel_t ec = handler_new(pd, 0), pt = sel_new();

    check_eq(hc_create_pt(pt, ROOT_SEL_PD, ec, (vaddr_t)entry, 0), ST_OK);
    return pt;
}

static void calls(void)
{
    cap_sel_t same = empty_portal(ROOT_SEL_PD, (void *)handler_empty);
    cap_sel_t cross = empty_portal(pd_new(), (void *)handler_empty);

    /* Six words are in registers, whether they are used or not. */
    print("call-same-pd", cost_of(ctl_make(HC_CALL, 0, same), 0));
    print("call-cross-pd", cost_of(ctl_make(HC_CALL, 0, cross), 0));
    print("call-cross-pd-4-utcb-words",
          cost_of(ctl_make(HC_CALL, 0, cross) | ctl_message(0, 4, 0), 0));
    print("call-cross-pd-64-utcb-words",
          cost_of(ctl_make(HC_CALL, 0, cross) | ctl_message(0, 64, 0), 0));
}

static void small_ones(void)
{
    cap_sel_t sm = sm_new(1000);

    print("hypercall-unknown", cost_of(0xff, 0));
    print("semaphore-up", cost_of(ctl_make(HC_SM, SM_OP_UP, sm), 0));
    print("semaphore-down", cost_of(ctl_make(HC_SM, SM_OP_DOWN, sm), 0));
    print("yield", cost_of(ctl_make(HC_YIELD, 0, 0), 0));
}

static cap_sel_t ping, pong;

static void answer(void *arg)
{
    (void)arg;
    for (;;) {
        hc_sm_down(ping, 0);
        hc_sm_up(pong);
    }
}

/* Up, switch, up, down, switch, down. */
static void ping_pong(cap_sel_t pd, const char *name)
{
    uint64_t best = ~0ull, nothing = ~0ull;

    ping = sm_new(0);
    pong = sm_new(0);
    if (pd != ROOT_SEL_PD) {
        give(pd, ping, SM_ALL);
        give(pd, pong, SM_ALL);
    }
    thread_new(pd, 0, 61, answer, NULL);
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t start = tsc();

        hc_sm_up(ping);
        hc_sm_down(pong, 0);
        best = least(best, tsc() - start);
        start = tsc();
        nothing = least(nothing, tsc() - start);
    }
    print(name, best - nothing);
}

/* A foreign thread measures itself; the fastest of its tries. */
static void foreign_cost(const char *name, const void *code, const void *handler)
{
    uint64_t best = ~0ull, nothing = ~0ull;
    cap_sel_t pt;

    foreign_new(NULL);
    pt = empty_portal(ROOT_SEL_PD, handler);
    check_eq(hc_delegate(SEL_SELF, pt, foreign.pd, F_PAGER, 1, PT_CALL), ST_OK);
    check_eq(hc_pd(foreign.pd, PD_OP_SET_PAGER, F_PAGER, 0, 0), ST_OK);
    check_eq(hc_pd(foreign.pd, PD_OP_SET_ROUTE, 1, 1, F_PAGER), ST_OK);
    cost_source = (uint64_t)pages_new(1);
    foreign_data[0] = 0x7000000000;
    foreign_start(code);
    if (!foreign_done())
        return;
    for (unsigned i = 0; i < 16; i++) {
        uint64_t start = tsc();

        nothing = least(nothing, tsc() - start);
        best = least(best, foreign_data[8 + i]);
    }
    print(name, best - nothing);
    env_reset();
}

/* Its own event portal: the handler replies and no more. */
static void exception_cost(void)
{
    uint64_t best = ~0ull;
    cap_sel_t pt, ec;

    foreign_new(NULL);
    pt = empty_portal(ROOT_SEL_PD, (void *)handler_empty);
    ec = sel_range(2);
    check_eq(hc_delegate(SEL_SELF, pt, foreign.pd, F_PAGER, 1, PT_CALL), ST_OK);
    check_eq(hc_create_ec(ec, foreign.pd, EC_FOREIGN, 0, F_PAGER, FOREIGN_UTCB, 0,
                          (vaddr_t)f_cost_exception, 0),
             ST_OK);
    check_eq(hc_create_sc(ec + 1, ROOT_SEL_PD, ec, MAIN_PRIORITY - 1, QUANTUM), ST_OK);
    sleep_us(500);
    for (unsigned i = 0; i < 16; i++)
        best = least(best, foreign_data[8 + i]);
    print("exception", best - 4);
    env_reset();
}

void costs_print(void)
{
    calls();
    small_ones();
    ping_pong(ROOT_SEL_PD, "ping-pong-same-pd");
    ping_pong(pd_new(), "ping-pong-cross-pd");
    env_reset();
    foreign_cost("foreign-call", f_cost_call, (void *)handler_empty);
    foreign_cost("fault-map", f_cost_fault, cost_pager);
    exception_cost();
}
