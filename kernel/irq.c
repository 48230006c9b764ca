/*
 * Interrupts as semaphores. An interrupt masks its line and signals; the driver
 * unmasks the line, then looks at its device, so that nothing is missed.
 */
#include "cpu.h"
#include "misc.h"
#include "sm.h"
#include "x86.h"

static struct {
    struct spinlock lock;
    struct sm *sm[IRQ_COUNT];
} irqs;

enum status irq_bind(unsigned gsi, struct sm *sm, unsigned mode)
{
    enum status status = ST_OK;

    spin_lock(&irqs.lock);
    if (irqs.sm[gsi])
        status = ST_EXISTS;
    else if (!ioapic_route(gsi, VECTOR_IRQ_BASE + gsi, cpus[0]->apic_id, mode))
        status = ST_BAD_PARAM;
    else
        irqs.sm[gsi] = sm;
    spin_unlock(&irqs.lock);
    return status;
}

enum status irq_unmask(unsigned gsi)
{
    enum status status = ST_BAD_PARAM;

    spin_lock(&irqs.lock);
    if (irqs.sm[gsi]) {
        ioapic_mask(gsi, false);
        status = ST_OK;
    }
    spin_unlock(&irqs.lock);
    return status;
}

void irq_handle(unsigned gsi)
{
    struct sm *sm;

    spin_lock(&irqs.lock);
    sm = irqs.sm[gsi];
    ioapic_mask(gsi, true);
    spin_unlock(&irqs.lock);
    if (sm)
        sm_up(sm);
}

void irq_forget(struct sm *sm)
{
    spin_lock(&irqs.lock);
    for (unsigned gsi = 0; gsi < IRQ_COUNT; gsi++)
        if (irqs.sm[gsi] == sm) {
            ioapic_mask(gsi, true);
            irqs.sm[gsi] = NULL;
        }
    spin_unlock(&irqs.lock);
}
