/*
 * The process server's entry.
 */
#include "platform.h"
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>

static struct server proc_server = {
    .name = "proc",
    .linux_calls = linux_calls_proc,
    .linux_call_count = sizeof linux_calls_proc / sizeof *linux_calls_proc,
    .dispatch = proc_dispatch,
    .on_bind = proc_on_bind,
    .space_of = proc_space_of,
};

int native_main(const struct startup *startup)
{
    (void)startup;
    server_run(&proc_server);
}
