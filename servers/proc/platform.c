#include "platform.h"

#include <gen/root_client.h>
#include <lib/native/hypercall.h>
#include <lib/native/native.h>

#define NS_PER_SECOND 1000000000ull

uint64_t platform_now_ns(void) { return clock_ns(); }

int64_t platform_realtime_offset_ns(void) { return startup_info()->realtime_offset_ns; }

uint64_t platform_time_used_ns(cap_sel_t sc)
{
    uint64_t ticks, hz = kernel_info()->tsc_hz;

    if (hc_sc_time(sc, &ticks) != ST_OK)
        return 0;
    return ticks / hz * NS_PER_SECOND + ticks % hz * NS_PER_SECOND / hz;
}

unsigned platform_cpu_count(void) { return startup_info()->cpu_count; }

void platform_memory(uint64_t *total, uint64_t *available)
{
    const struct kernel_info *info = kernel_info();
    const struct server_ref root = { .portal = portal_find("root") };
    uint64_t frames = 0, pool_total, pool_free;
    uint8_t objects[40];
    size_t objects_bytes = sizeof objects;

    *total = *available = 0;
    for (unsigned i = 0; i < info->region_count; i++)
        if (info->regions[i].type != REGION_RESERVED)
            *total += info->regions[i].bytes;
    if (root_usage(&root, &frames, &pool_total, &pool_free, objects, &objects_bytes) == 0)
        *available = frames * PAGE_BYTES;
}
