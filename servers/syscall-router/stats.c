/*
 * Counts of Linux calls. A counter may lose an increment to another CPU's: they
 * are for people, not for accounts.
 */
#include "stats.h"

#include "router.h"

#include <abi/hypercall.h>

bool stats_enabled;

static _Atomic uint64_t counters[ROUTE_COUNT][STAT_COUNT]; /* the last row: all numbers beyond */

void stats_add(unsigned nr, enum stat stat, uint64_t amount)
{
    unsigned row = nr < ROUTE_COUNT ? nr : ROUTE_COUNT - 1;

    atomic_fetch_add_explicit(&counters[row][stat], amount, memory_order_relaxed);
}

static unsigned long long counter(unsigned nr, enum stat stat)
{
    return atomic_load_explicit(&counters[nr][stat], memory_order_relaxed);
}

static const char *call_name(unsigned nr)
{
    return nr < LINUX_CALL_COUNT && linux_routes[nr].name ? linux_routes[nr].name : "?";
}

void stats_print(void)
{
    for (unsigned nr = 0; nr < ROUTE_COUNT; nr++) {
        if (!counter(nr, STAT_CALLS))
            continue;
        log_line("@stats call=%s nr=%u count=%llu waits=%llu fault_ins=%llu unknown=%llu "
                 "ticks=%llu",
                 call_name(nr), nr, counter(nr, STAT_CALLS), counter(nr, STAT_WAITS),
                 counter(nr, STAT_FAULT_INS), counter(nr, STAT_UNKNOWN), counter(nr, STAT_TICKS));
    }
}
