/*
 * The FPU: switched lazily. CR0.TS is set while the current EC's registers are
 * not in it; the first use traps (#NM), and only then they are exchanged.
 */
#include "account.h"
#include "cpu.h"
#include "kmem.h"
#include "misc.h"
#include "x86.h"

enum {
    XCR0_X87 = 1 << 0, XCR0_SSE = 1 << 1, XCR0_AVX = 1 << 2, XCR0_AVX512 = 7 << 5,
    FXSAVE_BYTES = 512, XSAVE_HEADER_BYTES = 64,
    FCW_OFFSET = 0, MXCSR_OFFSET = 24, MXCSR_MASK_OFFSET = 28,
    FCW_INIT = 0x37f, MXCSR_INIT = 0x1f80,
};

static uint64_t xcr0;         /* 0: no XSAVE */
static uint32_t area_bytes;
static uint32_t mxcsr_mask;

static void xsetbv(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void state_save(void *area)
{
    if (xcr0)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void state_load(const void *area)
{
    if (xcr0)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* Chooses the components to save: x87, SSE, AVX, AVX-512, as far as a page holds them. */
static void choose_components(void)
{
    uint32_t leaf[4];

    area_bytes = FXSAVE_BYTES;
    if (!cpu_has(CPU_XSAVE))
        return;
    cpuid(0xd, 0, leaf);
    xcr0 = leaf[0] & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
    if ((xcr0 & XCR0_AVX512) != XCR0_AVX512)
        xcr0 &= ~(uint64_t)XCR0_AVX512;
    xsetbv(xcr0);
    cpuid(0xd, 0, leaf);
    if (leaf[1] > PAGE_BYTES) {
        xcr0 &= ~(uint64_t)XCR0_AVX512;
        xsetbv(xcr0);
        cpuid(0xd, 0, leaf);
    }
    area_bytes = leaf[1];
    assert(area_bytes <= PAGE_BYTES);
}

void fpu_init_cpu(void)
{
    struct cpu *cpu = cpu_self();

    write_cr0((read_cr0() | CR0_MP | CR0_NE) & ~(CR0_EM | CR0_TS));
    if (cpu->id == 0)
        choose_components();
    else if (xcr0)
        xsetbv(xcr0);
    if (cpu->id == 0) {
        static uint8_t probe[FXSAVE_BYTES] __attribute__((aligned(16)));

        __asm__ volatile("fxsave64 (%0)" : : "r"(probe) : "memory");
        mxcsr_mask = *(uint32_t *)(probe + MXCSR_MASK_OFFSET);
        if (!mxcsr_mask)
            mxcsr_mask = 0xffbf; /* SDM volume 1, 11.6.6 */
    }
    write_cr0(read_cr0() | CR0_TS);
    cpu->fpu_disabled = true;
}

uint32_t fpu_state_bytes(void) { return area_bytes; }

bool fpu_area(struct ec *ec)
{
    if (ec->fpu)
        return true;
    ec->fpu = page_alloc_charged(ec->object.account);
    if (!ec->fpu)
        return false;
    *(uint16_t *)((char *)ec->fpu + FCW_OFFSET) = FCW_INIT;
    *(uint32_t *)((char *)ec->fpu + MXCSR_OFFSET) = MXCSR_INIT;
    return true;
}

static void fpu_enable(struct cpu *cpu)
{
    if (cpu->fpu_disabled)
        clts();
    cpu->fpu_disabled = false;
}

static void fpu_disable(struct cpu *cpu)
{
    write_cr0(read_cr0() | CR0_TS);
    cpu->fpu_disabled = true;
}

bool fpu_acquire(struct ec *ec)
{
    struct cpu *cpu = cpu_self();

    if (!fpu_area(ec))
        return false;
    fpu_enable(cpu);
    if (cpu->fpu_owner == ec)
        return true;
    if (cpu->fpu_owner)
        state_save(cpu->fpu_owner->fpu);
    state_load(ec->fpu);
    cpu->fpu_owner = ec;
    return true;
}

void fpu_flush(struct ec *ec)
{
    struct cpu *cpu = cpu_self();

    if (cpu->fpu_owner != ec)
        return;
    fpu_enable(cpu);
    state_save(ec->fpu);
    cpu->fpu_owner = NULL;
    fpu_disable(cpu);
}

void fpu_forget(struct ec *ec)
{
    struct cpu *cpu = cpu_self();

    if (cpu->fpu_owner != ec)
        return;
    cpu->fpu_owner = NULL;
    if (!cpu->fpu_disabled)
        fpu_disable(cpu);
}

/* Would loading it fault? SDM volume 1, 13.8.1. */
bool fpu_state_valid(const void *area, uint64_t bytes)
{
    const uint64_t *header = (const uint64_t *)((const char *)area + FXSAVE_BYTES);

    if (*(const uint32_t *)((const char *)area + MXCSR_OFFSET) & ~mxcsr_mask)
        return false;
    if (!xcr0)
        return true;
    if (bytes < FXSAVE_BYTES + XSAVE_HEADER_BYTES || header[0] & ~xcr0)
        return false;
    for (unsigned i = 1; i < XSAVE_HEADER_BYTES / 8; i++)
        if (header[i])
            return false;
    return true;
}
