/*
 * Counts of Linux calls for "ph run --stats".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum stat { STAT_CALLS, STAT_WAITS, STAT_FAULT_INS, STAT_UNKNOWN, STAT_TICKS, STAT_COUNT };

extern bool stats_enabled;

/* Adds to a counter of that call; numbers beyond the table share one. */
void stats_add(unsigned nr, enum stat stat, uint64_t amount);
static inline void stats_count(unsigned nr, enum stat stat)
{
    if (__builtin_expect(stats_enabled, 0))
        stats_add(nr, stat, 1);
}
/* Writes the "@stats" lines. */
void stats_print(void);
