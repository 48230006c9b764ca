/*
 * Instructions and registers of the processor. References: Intel SDM.
 */
#pragma once

#include <abi/types.h>

#define CR0_MP (1ull << 1)
#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_EM (1ull << 2)

#define CR4_PGE        (1ull << 7)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP       (1ull << 11)
#define CR4_FSGSBASE   (1ull << 16)
#define CR4_PCIDE      (1ull << 17)
#define CR4_OSXSAVE    (1ull << 18)
#define CR4_SMEP       (1ull << 20)
#define CR4_SMAP       (1ull << 21)

#define RFLAGS_RESERVED (1ull << 1)
#define RFLAGS_TF       (1ull << 8)
#define RFLAGS_IF       (1ull << 9)
#define RFLAGS_DF       (1ull << 10)
#define RFLAGS_IOPL3    (3ull << 12)
#define RFLAGS_NT       (1ull << 14)
#define RFLAGS_AC       (1ull << 18)
/* What user space may set in a register state. */
#define RFLAGS_USER     0x0000000000244dd5ull

#define MSR_APIC_BASE      0x1b
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define EFER_SCE           (1ull << 0)

#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_DATA   0x2b
#define SEL_USER_CODE   0x33
#define SEL_TSS         0x38

enum vector {
    VECTOR_DE = 0,
    VECTOR_NMI = 2,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_MC = 18,
    VECTOR_EXCEPTIONS = 32,
    VECTOR_IRQ_BASE = 32,  /* GSI 0 to IRQ_COUNT - 1 */
    VECTOR_TIMER = 0xf0,
    VECTOR_IPI = 0xf1,
    VECTOR_SPURIOUS = 0xff,
    VECTOR_SYSCALL = 0x100, /* not a vector: the frame came from "syscall" */
};

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(sub));
}

#define DEFINE_CR(n)                                                                              \
    static inline uint64_t read_cr##n(void)                                                       \
    {                                                                                             \
        uint64_t value;                                                                           \
                                                                                                  \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(value));                                     \
        return value;                                                                             \
    }                                                                                             \
    static inline void write_cr##n(uint64_t value)                                                \
    {                                                                                             \
        __asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");                            \
    }
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void invlpg(uint64_t va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }
static inline void clts(void)          { __asm__ volatile("clts"); }
static inline void cpu_relax(void)     { __asm__ volatile("pause" : : : "memory"); }
