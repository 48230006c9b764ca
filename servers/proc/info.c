/*
 * About the system: uname(2), sysinfo(2), personality(2).
 */
#include "platform.h"
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ull
#define PERSONALITY_QUERY 0xffffffffu

static const struct new_utsname system_name = {
    .sysname = "Linux",
    .nodename = "polyhedron",
    .release = "6.1.0-polyhedron",
    .version = "#1 SMP Polyhedron",
    .machine = "x86_64",
    .domainname = "(none)",
};

int64_t sys_uname(struct call *call)
{
    copy_out(call, call->arg[0], &system_name, sizeof system_name);
    return 0;
}

/* Load averages, shared, buffers and swap are not known, and are 0. */
int64_t sys_sysinfo(struct call *call)
{
    struct sysinfo info;
    uint64_t total, available;

    memset(&info, 0, sizeof info);
    platform_memory(&total, &available);
    info.uptime = (__kernel_long_t)(platform_now_ns() / NS_PER_SECOND);
    info.totalram = total;
    info.freeram = available;
    info.procs = (uint16_t)thread_count();
    info.mem_unit = 1;
    copy_out(call, call->arg[0], &info, sizeof info);
    return 0;
}

/* Only the personality that there is can be asked for. */
int64_t sys_personality(struct call *call)
{
    uint32_t wanted = (uint32_t)call->arg[0];

    if (wanted != PERSONALITY_QUERY && wanted != 0)
        return -EINVAL;
    return 0;
}
