/*
 * Times as programs give them.
 */
#pragma once

#include "clock.h"
#include "platform.h"

#include <linux/time_types.h>
#include <stdbool.h>


static inline bool timespec_valid(const struct __kernel_timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < (int64_t)NS_PER_SECOND;
}

/* Beyond the range of nanoseconds: the end of that range, 584 years. */
static inline uint64_t timespec_ns(const struct __kernel_timespec *time)
{
    uint64_t ns;

    if (__builtin_mul_overflow((uint64_t)time->tv_sec, NS_PER_SECOND, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)time->tv_nsec, &ns))
        return UINT64_MAX;
    return ns;
}

static inline struct __kernel_timespec timespec_of(uint64_t ns)
{
    return (struct __kernel_timespec){ .tv_sec = (int64_t)(ns / NS_PER_SECOND),
                                       .tv_nsec = (int64_t)(ns % NS_PER_SECOND) };
}

/* On CLOCK_MONOTONIC. */
static inline uint64_t deadline_after(uint64_t ns)
{
    uint64_t deadline;

    return __builtin_add_overflow(platform_now_ns(), ns, &deadline) ? UINT64_MAX : deadline;
}
