/*
 * The terminal: waits until something has arrived on the console and lets vfs
 * take it in. What a key such as ^C does to processes is done here.
 */
#include "input.h"

#include "kernel.h"
#include "router.h"

#include <gen/vfs_client.h>

static cap_sel_t input_sem;

static void input_run(void *unused)
{
    uint32_t signal, group;

    (void)unused;
    for (;;) {
        if (!kernel_sem_wait(input_sem, 0))
            continue;
        if (vfs_input(&server_vfs, &signal, &group) < 0 || !signal || !group)
            continue;
        if (signal_send(0, -(int32_t)group, 0, signal) < 0)
            log_line("signal %u of the terminal reached nobody in group %u", signal, group);
    }
}

bool input_start(void)
{
    if (vfs_input_semaphore(&server_vfs, &input_sem) < 0 || input_sem == SEL_NONE)
        return false;
    return thread_create(0, input_run, NULL) != SEL_NONE;
}
