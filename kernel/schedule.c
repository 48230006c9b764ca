/*
 * The scheduler of a CPU, and the way to user mode.
 */
#include "schedule.h"
#include "ec.h"
#include "event.h"
#include "mail.h"
#include "misc.h"
#include "smp.h"
#include "x86.h"

void cpu_wait(void); /* entry.S */

/* ---- ready queues -------------------------------------------------------------- */

static void enqueue(struct sc *sc, bool first)
{
    struct cpu *cpu = cpu_self();
    struct list *queue = &cpu->ready[sc->priority];

    assert(sc->cpu == cpu->id);
    sc->state = SC_READY;
    list_insert(first ? queue->next : queue, &sc->link);
    cpu->ready_mask |= 1ull << sc->priority;
}

void sc_unqueue(struct sc *sc)
{
    struct cpu *cpu = cpu_self();

    list_remove(&sc->link);
    if (sc->state == SC_READY && list_empty(&cpu->ready[sc->priority]))
        cpu->ready_mask &= ~(1ull << sc->priority);
}

void sc_ready(struct sc *sc)
{
    struct cpu *cpu = cpu_self();

    enqueue(sc, false);
    if (!cpu->current_sc || sc->priority > cpu->current_sc->priority)
        cpu->hazards |= HAZARD_SCHEDULE;
}

static struct sc *dequeue(struct cpu *cpu)
{
    unsigned priority;
    struct sc *sc;

    if (!cpu->ready_mask)
        return NULL;
    priority = 63 - (unsigned)__builtin_clzll(cpu->ready_mask);
    sc = container_of(cpu->ready[priority].next, struct sc, link);
    sc_unqueue(sc);
    return sc;
}

/* ---- time ------------------------------------------------------------------------ */

static void sc_account(struct cpu *cpu)
{
    struct sc *sc = cpu->current_sc;
    uint64_t now = rdtsc(), ran = now - cpu->sc_start;

    sc->used += ran;
    sc->left = ran < sc->left ? sc->left - ran : 0;
    cpu->sc_start = now;
}

uint64_t sc_time(const struct sc *sc)
{
    struct cpu *cpu = cpu_self();

    return sc->used + (cpu->current_sc == sc ? rdtsc() - cpu->sc_start : 0);
}

/* ---- choosing ---------------------------------------------------------------------- */

/* Makes the end of the SC's chain current. False: it is blocked, and the SC with it. */
static bool run_chain(struct cpu *cpu, struct sc *sc)
{
    bool helped;
    struct ec *end;

    if (sc_is_over(sc)) {
        sc_stop(sc);
        return false;
    }
    end = ec_chain_end(sc->ec, &helped);
    if (end->state == EC_IDLE) { /* an heir that has replied */
        sc_stop(sc);
        return false;
    }
    if (end->state != EC_RUNNABLE) {
        sc->state = SC_BLOCKED;
        list_insert(&end->blocked_scs, &sc->link);
        return false;
    }
    sc->state = SC_RUNNING;
    cpu->current_sc = sc;
    cpu->current = end;
    cpu->rewalk = helped || sc->doomed || sc->ec->local;
    return true;
}

static void pick(struct cpu *cpu)
{
    struct sc *sc;

    cpu->hazards &= ~HAZARD_SCHEDULE;
    cpu->current = NULL;
    cpu->current_sc = NULL;
    do {
        sc = dequeue(cpu);
    } while (sc && !run_chain(cpu, sc));
    cpu->sc_start = rdtsc();
    timer_program(sc ? cpu->sc_start + sc->left : 0);
}

/* Puts the current SC back: in front while it has time left, else behind its
 * peers with a new quantum. */
static void preempt(struct cpu *cpu, bool behind)
{
    struct sc *sc = cpu->current_sc;

    sc_account(cpu);
    if (!sc->left) {
        sc->left = sc->quantum;
        behind = true;
    }
    enqueue(sc, !behind);
}

void schedule_yield(void)
{
    struct cpu *cpu = cpu_self();

    preempt(cpu, true);
    pick(cpu);
}

void schedule_block(struct ec *blocked)
{
    struct cpu *cpu = cpu_self();
    struct sc *sc = cpu->current_sc;

    sc_account(cpu);
    sc->state = SC_BLOCKED;
    list_insert(&blocked->blocked_scs, &sc->link);
    pick(cpu);
}

void schedule_rewalk(void)
{
    struct cpu *cpu = cpu_self();
    struct sc *sc = cpu->current_sc;

    if (!sc)
        return;
    sc_account(cpu);
    if (!run_chain(cpu, sc))
        pick(cpu);
}

static void reschedule(struct cpu *cpu)
{
    if (cpu->current_sc)
        preempt(cpu, false);
    pick(cpu);
}

/* ---- the way out ------------------------------------------------------------------- */

static void load_segments(struct cpu *cpu, struct ec *ec)
{
    struct ec *old = cpu->loaded;

    if (old && old->foreign) {
        old->fs_base = rdmsr(MSR_FS_BASE);
        old->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
    }
    wrmsr(MSR_FS_BASE, ec->fs_base);
    wrmsr(MSR_KERNEL_GS_BASE, ec->gs_base);
}

static void load_fpu(struct cpu *cpu, struct ec *ec)
{
    bool disable = cpu->fpu_owner != ec;

    if (disable == cpu->fpu_disabled)
        return;
    if (disable)
        write_cr0(read_cr0() | CR0_TS);
    else
        clts();
    cpu->fpu_disabled = disable;
}

static void load_state(struct cpu *cpu, struct ec *ec)
{
    if (cpu->loaded_space != &ec->pd->space) {
        __atomic_store_n(&cpu->loaded_space, &ec->pd->space, __ATOMIC_RELAXED);
        write_cr3(ec->pd->space.cr3);
    }
    load_segments(cpu, ec);
    load_fpu(cpu, ec);
    cpu->tss.rsp[0] = (uint64_t)(&ec->regs + 1);
    cpu->loaded = ec;
}

static void deliver_pending(struct ec *ec)
{
    uint32_t pending = __atomic_load_n(&ec->pending, __ATOMIC_RELAXED), bit = pending & -pending;

    if (pending & PENDING_RETRY)
        bit = PENDING_RETRY; /* what it has begun comes first */
    __atomic_fetch_and(&ec->pending, ~bit, __ATOMIC_RELAXED);
    switch (bit) {
    case PENDING_RETRY: event_retry(ec); break;
    case PENDING_STARTUP: event_startup(ec); break;
    case PENDING_RECALL: event_recall(ec); break;
    }
}

void schedule_exit(void)
{
    struct cpu *cpu = cpu_self();

    for (;;) {
        if (unlikely(cpu->hazards & HAZARD_RECLAIM)) {
            cpu->hazards &= ~HAZARD_RECLAIM;
            reclaim_run();
        } else if (unlikely(cpu->hazards & HAZARD_SCHEDULE)) {
            reschedule(cpu);
        } else if (unlikely(!cpu->current)) {
            cpu_wait();
        } else if (unlikely(cpu->current->pending)) {
            deliver_pending(cpu->current);
        } else {
            break;
        }
    }
    if (cpu->loaded != cpu->current)
        load_state(cpu, cpu->current);
}
