/*
 * reboot(2): the end of the system.
 */
#include "router.h"

#include <errno.h>
#include <gen/proc_client.h>
#include <linux/reboot.h>
#include <signal.h>

static bool magic_is_right(uint32_t magic, uint32_t magic2)
{
    return magic == LINUX_REBOOT_MAGIC1 &&
           (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
            magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

/* There is nothing that would start the system again: whoever runs it may. */
static int64_t system_command(struct thread *thread, uint32_t command)
{
    switch (command) {
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        system_stop();
        thread_doom(thread, status_killed(SIGKILL));
        return 0;
    case LINUX_REBOOT_CMD_CAD_OFF: return 0; /* Ctrl-Alt-Del has no effect here */
    default: return -EINVAL;
    }
}

int64_t sys_reboot(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    uint32_t uid, euid, gid, egid;

    (void)nr;
    if (proc_credentials(&server_proc, thread->process->pid, &uid, &euid, &gid, &egid) < 0 ||
        (euid != 0 && !thread->process->is_first))
        return -EPERM;
    if (!magic_is_right((uint32_t)arg[0], (uint32_t)arg[1]))
        return -EINVAL;
    return system_command(thread, (uint32_t)arg[2]);
}
