/*
 * From TSC ticks to nanoseconds and back. Whoever turns the TSC into time uses
 * this, so that all clocks agree to the nanosecond.
 */
#pragma once

#include <stdint.h>

#define NS_PER_S 1000000000ull

/* Nanoseconds per tick, as a fraction of 2^32. */
static inline uint64_t clock_ns_per_tick(uint64_t tsc_hz) { return (NS_PER_S << 32) / tsc_hz; }

static inline uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t ns_per_tick)
{
    return (uint64_t)((unsigned __int128)ticks * ns_per_tick >> 32);
}

/* The first tick at which clock_ticks_to_ns has reached ns; at most CLOCK_FAR. */
#define CLOCK_FAR (UINT64_MAX >> 2)
static inline uint64_t clock_ns_to_ticks(uint64_t ns, uint64_t ns_per_tick)
{
    unsigned __int128 ticks = (((unsigned __int128)ns << 32) + ns_per_tick - 1) / ns_per_tick;

    return ticks < CLOCK_FAR ? (uint64_t)ticks : CLOCK_FAR;
}

static inline uint64_t clock_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
