/*
 * Timers: proc knows when the next one expires; this thread waits until then.
 */
#include "router.h"

#include "kernel.h"

#include <gen/proc_client.h>

static cap_sel_t timer_sem; /* signalled when there is an earlier one */

static void timers_run(void *unused)
{
    uint64_t next_ns;

    (void)unused;
    for (;;) {
        if (proc_timers_expire(&server_proc, &next_ns) < 0)
            panic("proc knows no timers");
        signals_fetch();
        if (kernel_sem_wait(timer_sem, next_ns))
            continue; /* an earlier one was set */
    }
}

void timers_look(void) { kernel_sem_up(timer_sem); }

bool timers_start(void)
{
    timer_sem = kernel_sem_create();
    return timer_sem != SEL_NONE && thread_create(0, timers_run, NULL) != SEL_NONE;
}
