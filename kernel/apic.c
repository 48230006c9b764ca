/*
 * Local and I/O APICs. Intel SDM volume 3, chapter 11; 82093AA data sheet.
 */
#include "cpu.h"
#include "misc.h"
#include "x86.h"

enum {
    LAPIC_ID = 0x20, LAPIC_EOI = 0xb0, LAPIC_SVR = 0xf0, LAPIC_ICR_LOW = 0x300,
    LAPIC_ICR_HIGH = 0x310, LAPIC_LVT_TIMER = 0x320, LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360, LAPIC_LVT_ERROR = 0x370, LAPIC_TIMER_COUNT = 0x380,
    LAPIC_TIMER_NOW = 0x390, LAPIC_TIMER_DIVIDE = 0x3e0,
    SVR_ENABLE = 1 << 8, LVT_MASKED = 1 << 16, ICR_PENDING = 1 << 12, DIVIDE_1 = 0xb,
};

enum { PIC1_DATA = 0x21, PIC2_DATA = 0xa1 };

static volatile uint32_t *lapic;

static void lapic_write(unsigned reg, uint32_t value) { lapic[reg / 4] = value; }
static uint32_t lapic_read(unsigned reg)              { return lapic[reg / 4]; }

uint32_t apic_id(void) { return lapic_read(LAPIC_ID) >> 24; }
void apic_eoi(void)    { lapic_write(LAPIC_EOI, 0); }

/* The old interrupt controllers are silenced while the local APIC still listens
 * to them: a request that is pending must be withdrawn, or the CPU would take an
 * interrupt without a vector. */
void apic_init(void)
{
    outb(PIC1_DATA, 0xff);
    outb(PIC2_DATA, 0xff);
    lapic = device_map(0, madt.lapic);
}

void apic_init_cpu(void)
{
    lapic_write(LAPIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_1);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | LVT_MASKED);
}

void apic_send(uint32_t id, uint32_t command)
{
    while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
        cpu_relax();
    lapic_write(LAPIC_ICR_HIGH, id << 24);
    lapic_write(LAPIC_ICR_LOW, command);
}

void apic_timer_set(uint32_t count, bool masked)
{
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (masked ? LVT_MASKED : 0));
    lapic_write(LAPIC_TIMER_COUNT, count);
}

uint32_t apic_timer_read(void) { return lapic_read(LAPIC_TIMER_NOW); }

/* ---- I/O APIC ------------------------------------------------------------------------ */

enum {
    IOAPIC_VERSION = 1, IOAPIC_TABLE = 0x10,
    ENTRY_ACTIVE_LOW = 1 << 13, ENTRY_LEVEL = 1 << 15, ENTRY_MASKED = 1 << 16,
};

static struct ioapic {
    volatile uint32_t *regs;
    uint32_t base, count;
} ioapics[4];

static uint32_t ioapic_read(struct ioapic *io, uint32_t reg)
{
    io->regs[0] = reg;
    return io->regs[4];
}

static void ioapic_write(struct ioapic *io, uint32_t reg, uint32_t value)
{
    io->regs[0] = reg;
    io->regs[4] = value;
}

static struct ioapic *ioapic_of(unsigned gsi)
{
    for (unsigned i = 0; i < madt.ioapic_count; i++)
        if (gsi >= ioapics[i].base && gsi - ioapics[i].base < ioapics[i].count)
            return &ioapics[i];
    return NULL;
}

void ioapic_init(void)
{
    for (unsigned i = 0; i < madt.ioapic_count; i++) {
        struct ioapic *io = &ioapics[i];

        io->regs = device_map(1 + i, madt.ioapic[i].address);
        io->base = madt.ioapic[i].gsi_base;
        io->count = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
        for (uint32_t pin = 0; pin < io->count; pin++)
            ioapic_write(io, IOAPIC_TABLE + 2 * pin, ENTRY_MASKED);
    }
}

bool ioapic_route(unsigned gsi, unsigned vector, uint32_t id, unsigned mode)
{
    struct ioapic *io = ioapic_of(gsi);
    uint32_t reg;

    if (!io)
        return false;
    reg = IOAPIC_TABLE + 2 * (gsi - io->base);
    ioapic_write(io, reg + 1, id << 24);
    ioapic_write(io, reg, vector | ENTRY_MASKED | (mode & IRQ_LEVEL ? ENTRY_LEVEL : 0) |
                              (mode & IRQ_ACTIVE_LOW ? ENTRY_ACTIVE_LOW : 0));
    return true;
}

void ioapic_mask(unsigned gsi, bool masked)
{
    struct ioapic *io = ioapic_of(gsi);
    uint32_t reg, entry;

    if (!io)
        return;
    reg = IOAPIC_TABLE + 2 * (gsi - io->base);
    entry = ioapic_read(io, reg);
    ioapic_write(io, reg, masked ? entry | ENTRY_MASKED : entry & ~(uint32_t)ENTRY_MASKED);
}
