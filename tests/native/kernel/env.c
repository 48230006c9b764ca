/*
 * Selectors, memory, threads, protection domains of the tests.
 */
#include "env.h"

#include <string.h>

#define POOL_VA    0x40000000ull
#define POOL_BYTES (16ull << 20)
#define BIG_BYTES  (2ull << 20)
enum { STACK_PAGES = 4, DONATED_PAGES = 3072 };

uint32_t cpu_count;
uint64_t tsc_hz;
bool exact_time;

extern char __executable_start[], end[];

static phys_t pool_base;
static vaddr_t pool_next, utcb_next;
static cap_sel_t sel_next;

/* ---- time --------------------------------------------------------------------------- */

void sleep_us(uint64_t count) { check_eq(hc_sm_down(SEL_NEVER, tsc() + us(count)), ST_TIMEOUT); }

bool reaches(const uint64_t *p, uint64_t value)
{
    uint64_t end_tsc = soon();

    while (load(p) < value) {
        if (tsc() > end_tsc)
            return false;
        hc_sm_down(SEL_NEVER, tsc() + us(100));
    }
    return true;
}

/* ---- selectors and memory -------------------------------------------------------------- */

cap_sel_t sel_range(unsigned count)
{
    cap_sel_t first = sel_next;

    sel_next += count;
    check(sel_next < MAX_CAPS);
    return first;
}

cap_sel_t sel_new(void) { return sel_range(1); }

void *pages_new(unsigned count)
{
    vaddr_t va = __atomic_fetch_add(&pool_next, count * PAGE_BYTES, __ATOMIC_RELAXED);

    check(va + count * PAGE_BYTES <= POOL_VA + POOL_BYTES);
    memset((void *)va, 0, count * PAGE_BYTES);
    return (void *)va;
}

void *big_page_new(void)
{
    pool_next = (pool_next + BIG_BYTES - 1) & ~(BIG_BYTES - 1);
    return pages_new(512);
}

phys_t pool_phys(const void *ptr) { return pool_base + ((vaddr_t)ptr - POOL_VA); }

vaddr_t utcb_new(void) { return __atomic_fetch_add(&utcb_next, PAGE_BYTES, __ATOMIC_RELAXED); }

static void pool_init(const struct kernel_info *info)
{
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct info_region *r = &info->regions[i];
        phys_t base = (r->base + BIG_BYTES - 1) & ~(BIG_BYTES - 1);
        uint64_t lost = base - r->base, more = DONATED_PAGES * PAGE_BYTES;

        if (r->type != REGION_FREE || r->bytes < lost + POOL_BYTES + more)
            continue;
        pool_base = base;
        check_eq(hc_map_phys(ROOT_SEL_PD, base, POOL_VA, POOL_BYTES / PAGE_BYTES, MEM_R | MEM_W),
                 ST_OK);
        check_eq(hc_kmem(KMEM_OP_DONATE, base + POOL_BYTES, DONATED_PAGES), ST_OK);
        return;
    }
    check(!"enough memory");
}

/* ---- threads and handlers ---------------------------------------------------------------- */

_Noreturn void thread_run(struct tcb *tcb);
_Noreturn void thread_run(struct tcb *tcb)
{
    tcb->run(tcb->arg);
    for (;;)
        hc_sm_down(SEL_NEVER, 0);
}

static struct tcb *tcb_new(vaddr_t utcb, thread_fn *fn, void *arg)
{
    struct tcb *tcb = (struct tcb *)((char *)pages_new(STACK_PAGES) + STACK_PAGES * PAGE_BYTES) - 1;

    tcb = (struct tcb *)((vaddr_t)tcb & ~63ull);
    *tcb = (struct tcb){ (struct utcb *)utcb, fn, arg };
    return tcb;
}

cap_sel_t thread_stopped(cap_sel_t pd, unsigned cpu, thread_fn *fn, void *arg)
{
    vaddr_t utcb = utcb_new();
    cap_sel_t ec = sel_range(2);

    check_eq(hc_create_ec(ec, pd, 0, cpu, SEL_EVENT, utcb, (vaddr_t)tcb_new(utcb, fn, arg),
                          (vaddr_t)thread_entry, 0),
             ST_OK);
    return ec;
}

static cap_sel_t thread_start(cap_sel_t ec, unsigned priority, uint64_t quantum)
{
    check_eq(hc_create_sc(ec + 1, ROOT_SEL_PD, ec, priority, quantum), ST_OK);
    return ec;
}

cap_sel_t thread_new(cap_sel_t pd, unsigned cpu, unsigned priority, thread_fn *fn, void *arg)
{
    return thread_start(thread_stopped(pd, cpu, fn, arg), priority, ms(10000));
}

cap_sel_t thread_sliced(cap_sel_t pd, unsigned cpu, unsigned priority, thread_fn *fn, void *arg)
{
    return thread_start(thread_stopped(pd, cpu, fn, arg), priority, QUANTUM);
}

cap_sel_t handler_new(cap_sel_t pd, unsigned cpu)
{
    vaddr_t utcb = utcb_new();
    cap_sel_t ec = sel_new();

    check_eq(hc_create_ec(ec, pd, EC_LOCAL, cpu, SEL_EVENT, utcb,
                          (vaddr_t)tcb_new(utcb, NULL, NULL), 0, 0),
             ST_OK);
    return ec;
}

cap_sel_t portal_new(cap_sel_t handler, handler_fn *fn)
{
    cap_sel_t pt = sel_new();

    check_eq(hc_create_pt(pt, ROOT_SEL_PD, handler, (vaddr_t)handler_entry, (uint64_t)fn), ST_OK);
    return pt;
}

cap_sel_t service_new(cap_sel_t pd, handler_fn *fn) { return portal_new(handler_new(pd, 0), fn); }

uint64_t call_word(cap_sel_t pt, uint64_t *word)
{
    struct hc_words words = { { *word } };
    uint64_t rax = hc_raw(ctl_make(HC_CALL, 0, pt), &words);

    *word = words.w[0];
    return rax;
}

enum status call(cap_sel_t pt)
{
    uint64_t word = 0;

    return (enum status)(call_word(pt, &word) & 0xff);
}

/* ---- protection domains -------------------------------------------------------------------- */

cap_sel_t pd_empty(uint64_t quota_pages)
{
    cap_sel_t pd = sel_new();

    check_eq(hc_create_pd(pd, ROOT_SEL_PD, quota_pages, 0), ST_OK);
    return pd;
}

void give(cap_sel_t pd, cap_sel_t sel, unsigned rights)
{
    check_eq(hc_delegate(SEL_SELF, sel, pd, sel, 1, rights), ST_OK);
}

cap_sel_t pd_new(void)
{
    cap_sel_t pd = pd_empty(PD_QUOTA);
    vaddr_t from = (vaddr_t)__executable_start;
    uint64_t pages = ((vaddr_t)end - from + PAGE_BYTES - 1) / PAGE_BYTES;

    check_eq(hc_map(SEL_SELF, from, pd, from, pages, MEM_R | MEM_W | MEM_X, MAP_SPARSE, NULL),
             ST_OK);
    check_eq(hc_map(SEL_SELF, POOL_VA, pd, POOL_VA, POOL_BYTES / PAGE_BYTES, MEM_R | MEM_W, 0,
                    NULL),
             ST_OK);
    give(pd, SEL_NEVER, SM_DOWN);
    return pd;
}

cap_sel_t sm_new(uint64_t count)
{
    cap_sel_t sm = sel_new();

    check_eq(hc_create_sm(sm, ROOT_SEL_PD, count), ST_OK);
    return sm;
}

uint64_t pd_used(cap_sel_t pd)
{
    struct hc_words words = { { 0 } };

    check_eq(hc_raw(ctl_make(HC_PD, PD_OP_QUOTA, pd), &words) & 0xff, ST_OK);
    return words.w[0];
}

void drop(cap_sel_t sel) { check_eq(hc_revoke(sel, 1, REVOKE_SELF), ST_OK); }

/* ---- kernel memory -------------------------------------------------------------------------- */

struct kmem_stat kernel_memory(void)
{
    check_eq(hc_kmem(KMEM_OP_STAT, 0, 0), ST_OK);
    return *(struct kmem_stat *)utcb_self()->data;
}

bool objects_settle(const struct kmem_stat *before)
{
    uint64_t end_tsc = soon();
    struct kmem_stat now;

    do {
        now = kernel_memory();
        if (!memcmp(now.objects, before->objects, sizeof now.objects))
            return true;
        hc_sm_down(SEL_NEVER, tsc() + us(200));
    } while (tsc() < end_tsc);
    for (unsigned i = 0; i < 5; i++)
        check_eq(now.objects[i], before->objects[i]);
    return false;
}

/* ---- begin and between tests ---------------------------------------------------------------- */

/* The word of an instruction counter advances by exactly the instructions run. */
static bool time_is_exact(void)
{
    uint64_t first = 0;

    for (unsigned i = 0; i < 16; i++) {
        uint64_t start = tsc(), ticks;

        for (unsigned n = 0; n < 1000; n++)
            __asm__ volatile("nop");
        ticks = tsc() - start;
        if (i > 2 && ticks != first)
            return false;
        first = ticks;
    }
    return true;
}

void env_init(const struct kernel_info *info, cap_sel_t first)
{
    cpu_count = info->cpu_count;
    tsc_hz = info->tsc_hz;
    check(first <= SEL_NEVER);
    sel_next = SEL_NEVER + 1; /* until env_reset: what stays */
    utcb_next = UTCB_AREA_VA + PAGE_BYTES;
    pool_next = POOL_VA;
    check_eq(hc_create_sm(SEL_NEVER, ROOT_SEL_PD, 0), ST_OK);
    pool_init(info);
    exact_time = time_is_exact();
}

void env_reset(void)
{
    if (sel_next > SEL_FIRST)
        check_eq(hc_revoke(SEL_FIRST, sel_next - SEL_FIRST, REVOKE_SELF), ST_OK);
    sel_next = SEL_FIRST;
    utcb_next = UTCB_AREA_VA + 8 * PAGE_BYTES;
    pool_next = POOL_VA + 16 * PAGE_BYTES;
}
