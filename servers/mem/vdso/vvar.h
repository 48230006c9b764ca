/*
 * The page below the vDSO that tells it how to make nanoseconds from the time
 * stamp counter. Written by mem, read by every program.
 */
#pragma once

#include <stdint.h>

struct vvar {
    uint64_t boot_tsc;           /* counter at CLOCK_MONOTONIC 0 */
    uint64_t multiplier;         /* ns = ticks * multiplier >> shift; 0: not usable */
    uint64_t shift;
    int64_t  realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC; read atomically */
};

#define NS_PER_S 1000000000ull

/* Chooses the greatest shift with which the multiplier fits into 64 bits, so that
 * rounding costs less than a nanosecond in a century. */
static inline void vvar_set_clock(struct vvar *vvar, uint64_t tsc_hz, uint64_t boot_tsc)
{
    unsigned __int128 multiplier;

    vvar->boot_tsc = boot_tsc;
    vvar->multiplier = 0;
    if (tsc_hz == 0)
        return;
    for (vvar->shift = 64;; vvar->shift--) {
        multiplier = ((unsigned __int128)NS_PER_S << vvar->shift) / tsc_hz;
        if (multiplier >> 64 == 0)
            break;
    }
    vvar->multiplier = (uint64_t)multiplier;
}

/* ticks: since boot_tsc. */
static inline uint64_t vvar_ticks_to_ns(const struct vvar *vvar, uint64_t ticks)
{
    unsigned __int128 product = (unsigned __int128)ticks * vvar->multiplier;

    return (uint64_t)(product >> vvar->shift);
}
