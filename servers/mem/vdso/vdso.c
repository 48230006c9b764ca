/*
 * The vDSO: clocks without a system call (vdso(7), clock_gettime(2)). It has no
 * data of its own and needs no relocation; the linker script places `vvar_page`
 * one page below it.
 */
#include "servers/mem/vdso/vvar.h"

#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/time.h>
#include <linux/time_types.h>

#define EXPORT __attribute__((visibility("default")))
#define WEAK_ALIAS(of) __attribute__((weak, alias(#of), visibility("default")))

extern const volatile struct vvar vvar_page __attribute__((visibility("hidden")));

struct getcpu_cache;

int __vdso_clock_gettime(int clock, struct __kernel_timespec *time);
int __vdso_clock_getres(int clock, struct __kernel_timespec *resolution);
int __vdso_gettimeofday(struct __kernel_old_timeval *time, struct timezone *zone);
__kernel_old_time_t __vdso_time(__kernel_old_time_t *time);
long __vdso_getcpu(unsigned *cpu, unsigned *node, struct getcpu_cache *unused);

int clock_gettime(int clock, struct __kernel_timespec *time) WEAK_ALIAS(__vdso_clock_gettime);
int clock_getres(int clock, struct __kernel_timespec *res) WEAK_ALIAS(__vdso_clock_getres);
int gettimeofday(struct __kernel_old_timeval *time, struct timezone *zone)
    WEAK_ALIAS(__vdso_gettimeofday);
__kernel_old_time_t time(__kernel_old_time_t *time) WEAK_ALIAS(__vdso_time);
long getcpu(unsigned *cpu, unsigned *node, struct getcpu_cache *unused) WEAK_ALIAS(__vdso_getcpu);

static long system_call(long number, long first, long second, long third)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

/* CLOCK_MONOTONIC. The fence keeps the counter from being read too early; a counter
 * that is behind the one the kernel booted on reads as 0. */
static uint64_t monotonic_ns(void)
{
    struct vvar vvar = { vvar_page.boot_tsc, vvar_page.multiplier, vvar_page.shift, 0 };
    uint64_t tsc;

    __asm__ volatile("lfence" : : : "memory");
    tsc = __builtin_ia32_rdtsc();
    return tsc > vvar.boot_tsc ? vvar_ticks_to_ns(&vvar, tsc - vvar.boot_tsc) : 0;
}

static uint64_t realtime_ns(void) { return monotonic_ns() + vvar_page.realtime_offset_ns; }

/* Whether the clock is one that can be read here. */
static int clock_is_ours(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        return vvar_page.multiplier != 0;
    default:
        return 0;
    }
}

EXPORT int __vdso_clock_gettime(int clock, struct __kernel_timespec *time)
{
    uint64_t ns;

    if (!clock_is_ours(clock))
        return system_call(__NR_clock_gettime, clock, (long)time, 0);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        ns = realtime_ns();
    else
        ns = monotonic_ns();
    time->tv_sec = ns / NS_PER_S;
    time->tv_nsec = ns % NS_PER_S;
    return 0;
}

EXPORT int __vdso_clock_getres(int clock, struct __kernel_timespec *resolution)
{
    if (!clock_is_ours(clock))
        return system_call(__NR_clock_getres, clock, (long)resolution, 0);
    if (resolution) {
        resolution->tv_sec = 0;
        resolution->tv_nsec = 1;
    }
    return 0;
}

EXPORT int __vdso_gettimeofday(struct __kernel_old_timeval *time, struct timezone *zone)
{
    uint64_t ns;

    if (!vvar_page.multiplier)
        return system_call(__NR_gettimeofday, (long)time, (long)zone, 0);
    if (time) {
        ns = realtime_ns();
        time->tv_sec = ns / NS_PER_S;
        time->tv_usec = ns % NS_PER_S / 1000;
    }
    if (zone) {
        zone->tz_minuteswest = 0;
        zone->tz_dsttime = 0;
    }
    return 0;
}

EXPORT __kernel_old_time_t __vdso_time(__kernel_old_time_t *time)
{
    __kernel_old_time_t seconds;

    if (!vvar_page.multiplier)
        return system_call(__NR_time, (long)time, 0, 0);
    seconds = realtime_ns() / NS_PER_S;
    if (time)
        *time = seconds;
    return seconds;
}

/* The processor's number is nowhere to be read without the kernel. */
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, struct getcpu_cache *unused)
{
    return system_call(__NR_getcpu, (long)cpu, (long)node, (long)unused);
}
