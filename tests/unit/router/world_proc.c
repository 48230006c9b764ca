/*
 * The proc server on the host, and its platform.
 */
#include "world_proc.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>
#include <servers/proc/platform.h>
#include <servers/proc/proc.h>

#define OPERATION_FORK 40u /* of proto/proc.def */

/* The step that can fail here: that there is another process. */
static void dispatch(struct call *call, struct ipc_message *message)
{
    if (message->label == (LABEL_OPERATION | OPERATION_FORK) && fails())
        message->word[0] = UINT64_MAX; /* nobody's thread */
    proc_dispatch(call, message);
}

static struct server server = {
    .name = "proc",
    .linux_calls = linux_calls_proc,
    .linux_call_count = sizeof linux_calls_proc / sizeof *linux_calls_proc,
    .dispatch = dispatch,
    .on_bind = proc_on_bind,
    .space_of = proc_space_of,
};

struct server *world_proc(void) { return &server; }
unsigned world_proc_ids(void) { return (unsigned)process_count(); }

uint64_t platform_now_ns(void) { return clock_ns(); }
int64_t platform_realtime_offset_ns(void) { return 0; }
uint64_t platform_time_used_ns(cap_sel_t sc) { return sc ? 0 : 1; }
unsigned platform_cpu_count(void) { return 1; }
void platform_memory(uint64_t *total, uint64_t *available) { *total = *available = 1 << 20; }
