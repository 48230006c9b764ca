#include "servers/mem/cpu.h"

#include <abi/info.h>
#include <cpuid.h>
#include <string.h>

#define HWCAP2_FSGSBASE (1u << 1) /* <asm/hwcap2.h> of newer Linux headers */

/* Registers, signal information and mask of a signal frame, with its alignment, and
 * the vector state where XSAVE is absent (FXSAVE). */
#define FRAME_FIXED_BYTES 1024u
#define FXSAVE_BYTES      512u
#define RDRAND_TRIES      10

static uint64_t cpu_features;
static uint64_t mix_state;

void cpu_init(uint64_t features) { cpu_features = features; }

uint64_t cpu_hwcap(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) ? edx : 0;
}

uint64_t cpu_hwcap2(void) { return cpu_features & CPU_FSGSBASE ? HWCAP2_FSGSBASE : 0; }

uint64_t cpu_signal_frame_bytes(void)
{
    unsigned eax, ebx, ecx, edx;

    if ((cpu_features & CPU_XSAVE) && __get_cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx))
        return FRAME_FIXED_BYTES + ((ebx + 63) & ~63u);
    return FRAME_FIXED_BYTES + FXSAVE_BYTES;
}

static bool rdrand(uint64_t *value)
{
    unsigned char done = 0;

    for (int i = 0; i < RDRAND_TRIES && !done; i++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(done) : : "cc");
    return done;
}

/* A step of a 64-bit mixing function (multiply, shift, exclusive or), fed with the time. */
static uint64_t mixed_time(void)
{
    uint64_t value = mix_state += __builtin_ia32_rdtsc() | 1;

    value = (value ^ value >> 31) * 0x9e3779b97f4a7c15ull;
    value = (value ^ value >> 29) * 0xd1342543de82ef95ull;
    return value ^ value >> 32;
}

void cpu_random(void *to, size_t bytes)
{
    while (bytes > 0) {
        size_t count = bytes < 8 ? bytes : 8;
        uint64_t value;

        if (!(cpu_features & CPU_RDRAND) || !rdrand(&value))
            value = mixed_time();
        memcpy(to, &value, count);
        to = (char *)to + count;
        bytes -= count;
    }
}
