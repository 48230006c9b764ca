/*
 * Deadlines and the local timer interrupt.
 */
#include "cpu.h"
#include "ec.h"
#include "misc.h"
#include "sm.h"
#include "x86.h"

uint64_t tsc_hz;
static uint64_t apic_per_tsc; /* timer ticks per TSC tick, 32.32 fixed point */

/* ---- heap ----------------------------------------------------------------------- */

static void attach(struct timer **link, struct timer *timer)
{
    *link = timer;
    if (timer)
        timer->link = link;
}

/* Joins two heaps; either may be NULL. */
static struct timer *merge(struct timer *a, struct timer *b)
{
    struct timer *first = a, *second = b;

    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        first = b;
        second = a;
    }
    attach(&second->sibling, first->child);
    attach(&first->child, second);
    return first;
}

/* Joins a row of siblings in pairs from left to right, then all from right to left. */
static struct timer *merge_row(struct timer *row)
{
    struct timer *done = NULL;

    while (row) {
        struct timer *a = row, *b = row->sibling, *pair;

        row = b ? b->sibling : NULL;
        a->sibling = NULL;
        if (b)
            b->sibling = NULL;
        pair = merge(a, b);
        pair->sibling = done;
        done = pair;
    }
    row = NULL;
    while (done) {
        struct timer *next = done->sibling;

        done->sibling = NULL;
        row = merge(row, done);
        done = next;
    }
    return row;
}

void timer_set(struct timer *timer, uint64_t deadline)
{
    struct cpu *cpu = cpu_self();

    assert(!timer_is_set(timer));
    timer->deadline = deadline;
    timer->child = timer->sibling = NULL;
    attach(&cpu->timers, merge(cpu->timers, timer));
}

void timer_cancel(struct timer *timer)
{
    struct cpu *cpu = cpu_self();
    struct timer *rest;

    if (!timer_is_set(timer))
        return;
    attach(timer->link, timer->sibling);
    rest = merge_row(timer->child);
    timer->link = NULL;
    timer->sibling = timer->child = NULL;
    attach(&cpu->timers, merge(cpu->timers, rest));
}

/* ---- interrupt ----------------------------------------------------------------------- */

void timer_program(uint64_t slice_end)
{
    struct cpu *cpu = cpu_self();
    uint64_t next = cpu->timers ? cpu->timers->deadline : 0, now, ticks;

    if (slice_end && (!next || slice_end < next))
        next = slice_end;
    /* One that comes too early does no harm: it looks what is due and sets the next. */
    if (!next || (cpu->programmed && cpu->programmed <= next))
        return;
    now = rdtsc();
    ticks = next > now ? (uint64_t)((unsigned __int128)(next - now) * apic_per_tsc >> 32) + 1 : 1;
    apic_timer_set(ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX, false);
    cpu->programmed = next;
}

void timer_expire(void)
{
    struct cpu *cpu = cpu_self();
    uint64_t now = rdtsc(), slice_end = 0;

    cpu->programmed = 0;
    while (cpu->timers && cpu->timers->deadline <= now) {
        struct timer *timer = cpu->timers;

        timer_cancel(timer);
        struct ec *ec = container_of(timer, struct ec, timer);
        if (sm_forget(ec))
            ec_unblock(ec, ST_TIMEOUT);
    }
    if (cpu->current_sc) {
        slice_end = cpu->sc_start + cpu->current_sc->left;
        if (slice_end <= now)
            cpu->hazards |= HAZARD_SCHEDULE;
    }
    timer_program(slice_end > now ? slice_end : 0);
}

/* ---- calibration ------------------------------------------------------------------------ */

enum {
    PIT_HZ = 1193182,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PORT_B = 0x61,
    PORT_B_GATE2 = 1 << 0,
    PORT_B_SPEAKER = 1 << 1,
    PORT_B_OUT2 = 1 << 5,
    CALIBRATION_COUNT = 1193, /* PIT ticks: 1 ms */
    CALIBRATION_NS = 1000000,
    CALIBRATION_ROUNDS = 10,
    NS_PER_S = 1000000000,
};

static bool pit_done(void) { return inb(PORT_B) & PORT_B_OUT2; }

/* Starts the PIT's second channel; false if there is none. */
static bool pit_start(void)
{
    uint8_t port = inb(PORT_B) & (uint8_t)~(PORT_B_SPEAKER | PORT_B_GATE2);

    outb(PORT_B, port);
    outb(PIT_COMMAND, 0xb0); /* channel 2, both bytes, mode 0 */
    outb(PIT_CHANNEL2, CALIBRATION_COUNT & 0xff);
    outb(PIT_CHANNEL2, CALIBRATION_COUNT >> 8);
    outb(PORT_B, port | PORT_B_GATE2);
    return !pit_done();
}

/* Without a PIT we are in a virtual machine, whose local timer counts ns. */
static bool apic_done(void) { return apic_timer_read() < UINT32_MAX - CALIBRATION_NS; }

/* Waits once; returns TSC ticks and local timer ticks that it took. */
static uint64_t measure(bool *pit, uint32_t *apic)
{
    uint64_t start;

    *pit = pit_start();
    start = rdtsc();
    apic_timer_set(UINT32_MAX, true);
    while (!(*pit ? pit_done() : apic_done()))
        cpu_relax();
    *apic = UINT32_MAX - apic_timer_read();
    return rdtsc() - start;
}

/* Under a virtual machine we may lose the processor while we measure, which only
 * ever makes it longer: measure until two agree, and take the least. */
void timer_calibrate(void)
{
    uint64_t tsc = 0;
    uint32_t apic = 0;
    bool pit = false, agree = false;

    for (unsigned round = 0; round < CALIBRATION_ROUNDS && !agree; round++) {
        uint32_t apic_now;
        uint64_t now = measure(&pit, &apic_now);
        uint64_t apart = now > tsc ? now - tsc : tsc - now;

        agree = apart < now / 1024;
        if (!tsc || now < tsc) {
            tsc = now;
            apic = apic_now;
        }
    }
    tsc_hz = pit ? tsc * PIT_HZ / CALIBRATION_COUNT : tsc * (NS_PER_S / CALIBRATION_NS);
    if (!apic || tsc_hz < 1000000)
        panic("no usable timer (TSC %lu Hz, local timer %u)", tsc_hz, apic);
    apic_per_tsc = ((uint64_t)apic << 32) / tsc;
    apic_timer_set(0, true);
}
