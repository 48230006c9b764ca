/*
 * The terminal: waits until something has arrived on the console and lets vfs
 * take it in. What a key such as ^C does to processes is done here.
 */
#include "input.h"

#include "kernel.h"
#include "router.h"

#include <gen/proc_client.h>
#include <gen/vfs_client.h>

static cap_sel_t input_sem;

static void terminal_signal(uint32_t signal, uint32_t group)
{
    if (signal && group && proc_signal_group(&server_proc, group, signal) < 0)
        log_line("signal %u of the terminal: not possible for group %u", signal, group);
    signals_fetch();
}

static void input_run(void *unused)
{
    uint32_t signal, group;
    int64_t more;

    (void)unused;
    for (;;) {
        if (!kernel_sem_wait(input_sem, 0))
            continue;
        do {
            more = vfs_input(&server_vfs, &signal, &group);
            if (more >= 0)
                terminal_signal(signal, group);
        } while (more > 0);
    }
}

bool input_start(void)
{
    if (vfs_input_semaphore(&server_vfs, &input_sem) < 0 || input_sem == SEL_NONE)
        return false;
    return thread_create(0, input_run, NULL) != SEL_NONE;
}
