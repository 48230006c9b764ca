/*
 * The memory server.
 */
#include "servers/mem/cpu.h"
#include "servers/mem/frames.h"
#include "servers/mem/mem.h"
#include "servers/mem/space.h"
#include "servers/mem/vdso.h"

#include "gen/linux_calls_mem.h"
#include "gen/mem_server.h"

#include <lib/native/native.h>

static struct server mem = {
    .name = "mem",
    .linux_calls = linux_calls_mem,
    .linux_call_count = sizeof linux_calls_mem / sizeof linux_calls_mem[0],
    .dispatch = mem_dispatch,
    .fault = mem_fault,
    .on_bind = mem_on_bind,
    .space_of = mem_space_of,
    .object_count = space_count,
};

/* A counter for each frame that we may get. */
static void counters_reserve(const struct kernel_info *info)
{
    for (unsigned i = 0; i < info->region_count && i < INFO_MAX_REGIONS; i++)
        if (info->regions[i].type == REGION_FREE)
            must(frames_reserve(info->regions[i].base, info->regions[i].bytes) == 0);
}

/* What programs can have at most; what the kernel and the boot module take is little. */
static uint64_t ram_pages(const struct kernel_info *info)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < info->region_count && i < INFO_MAX_REGIONS; i++)
        if (info->regions[i].type == REGION_FREE)
            bytes += info->regions[i].bytes;
    return bytes >> PAGE_SHIFT;
}

int native_main(const struct startup *startup)
{
    const struct kernel_info *info = kernel_info();
    struct vdso_clock clock = {
        .tsc_hz = info->tsc_hz,
        .boot_tsc = info->boot_tsc,
        .realtime_offset_ns = startup->realtime_offset_ns,
    };

    cpu_init(info->cpu_features);
    space_set_ram(ram_pages(info));
    counters_reserve(info);
    must(frames_init() == 0);
    must(vdso_init(&clock) == 0);
    server_run(&mem);
}
