/*
 * The surroundings of the tests: selectors, memory, protection domains, threads,
 * handlers. Everything is given back after each test: selectors by revoking all
 * that were handed out, memory by setting the pool back.
 *
 * A selector means the same in all PDs: give() delegates to the same number.
 */
#pragma once

#include "test.h"

#include <lib/native/hypercall.h>
#include <lib/native/startup.h>

/* ---- for the test as a whole ------------------------------------------------------------- */

extern uint32_t cpu_count;
extern uint64_t tsc_hz;
extern bool exact_time; /* -icount: the time stamp counter counts instructions */

enum {
    MAIN_PRIORITY = 60, /* of the thread that runs the tests */
    SEL_NEVER = 5,      /* semaphore that is never signalled; every PD of pd_new has it */
    SEL_FIRST = 16,     /* first that sel_new gives */
    SEL_EVENT = MAX_CAPS - 1, /* event portal of native threads; there is none, mostly */
    QUANTUM = 2000000,  /* TSC ticks */
    PD_QUOTA = 200,     /* pages */
};

static inline uint64_t tsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static inline uint64_t us(uint64_t count) { return tsc_hz / 1000000 * count; }
static inline uint64_t ms(uint64_t count) { return us(1000 * count); }
/* When to give up waiting for what must come. */
static inline uint64_t soon(void)         { return tsc() + ms(8000); }
void sleep_us(uint64_t count);

static inline void relax(void) { __asm__ volatile("pause" : : : "memory"); }
static inline uint64_t load(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void store(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
/* Waits until *p is at least value; false: it does not get there. */
bool reaches(const uint64_t *p, uint64_t value);

/* ---- selectors, memory ---------------------------------------------------------------------- */

cap_sel_t sel_new(void);
cap_sel_t sel_range(unsigned count);
/* Zeroed whole pages, mapped (not executable) in root's PD and those of pd_new. */
void *pages_new(unsigned count);
/* The same at a multiple of 2 MiB; 512 pages. */
void *big_page_new(void);
phys_t pool_phys(const void *ptr);
/* Address for a UTCB that no EC of this test has yet. */
vaddr_t utcb_new(void);

/* ---- threads -------------------------------------------------------------------------------- */

typedef void thread_fn(void *arg);

struct tcb {
    struct utcb *utcb; /* fs:0 */
    thread_fn   *run;
    void        *arg;
};

static inline struct utcb *utcb_self(void)
{
    struct utcb *utcb;

    __asm__("mov %%fs:0, %0" : "=r"(utcb));
    return utcb;
}

void thread_entry(void);
void handler_entry(void);
void handler_empty(void);

/* A native thread in a PD of pd_new or in root's. Its EC; its SC is the selector
 * after. When fn returns, the thread waits for ever. */
cap_sel_t thread_new(cap_sel_t pd, unsigned cpu, unsigned priority, thread_fn *fn, void *arg);
/* It gives way to others of its priority after QUANTUM; the above does so only when
 * it waits, so that a slow machine does not change the order of things. */
cap_sel_t thread_sliced(cap_sel_t pd, unsigned cpu, unsigned priority, thread_fn *fn, void *arg);
/* The same without an SC. */
cap_sel_t thread_stopped(cap_sel_t pd, unsigned cpu, thread_fn *fn, void *arg);

/* ---- handlers ------------------------------------------------------------------------------- */

struct msg {
    uint64_t rax;
    uint64_t w[6];
    uint64_t id, badge;
    uint64_t reply; /* control word of the reply: HC_REPLY until changed */
};

typedef void handler_fn(struct msg *m);

static inline unsigned msg_kind(const struct msg *m)  { return m->rax & 0xff; }
static inline unsigned msg_label(const struct msg *m) { return ctl_label(m->rax); }

cap_sel_t handler_new(cap_sel_t pd, unsigned cpu);
cap_sel_t portal_new(cap_sel_t handler, handler_fn *fn);
/* Both in one: a portal with a handler of its own on CPU 0. */
cap_sel_t service_new(cap_sel_t pd, handler_fn *fn);

/* Calls with one word; returns rax, and the reply's first word. */
uint64_t call_word(cap_sel_t pt, uint64_t *word);
/* Calls without words; the status. */
enum status call(cap_sel_t pt);

/* ---- protection domains, semaphores --------------------------------------------------------- */

/* With this program and the pool mapped, so that its threads can run C code. */
cap_sel_t pd_new(void);
/* Nothing mapped, no capabilities. */
cap_sel_t pd_empty(uint64_t quota_pages);
/* Delegates root's capability to the same selector of pd. */
void give(cap_sel_t pd, cap_sel_t sel, unsigned rights);
cap_sel_t sm_new(uint64_t count);
/* The number of pages that pd has used of its quota. */
uint64_t pd_used(cap_sel_t pd);
void drop(cap_sel_t sel);

/* ---- kernel memory -------------------------------------------------------------------------- */

struct kmem_stat kernel_memory(void);
/* Waits until the number of objects is again what it was. */
bool objects_settle(const struct kmem_stat *before);

/* Used by main.c: at the start, and between tests. */
void env_init(const struct kernel_info *info, cap_sel_t first);
void env_reset(void);
