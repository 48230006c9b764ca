/*
 * Signals: proc decides who gets them and what they do; we end whom they kill.
 */
#include "router.h"

#include <errno.h>
#include <gen/proc_client.h>
#include <limits.h>
#include <string.h>

#define DEATHS_BYTES 2048u
#define SIGINFO_BYTES 128u
#define SIGINFO_CODE_OFFSET 8u
#define CODE_TKILL (-6) /* SI_TKILL of <asm-generic/siginfo.h> */

static void deaths_execute(const uint8_t *deaths, size_t bytes, unsigned signal)
{
    uint32_t pid;

    for (size_t at = 0; at + sizeof pid <= bytes; at += sizeof pid) {
        memcpy(&pid, deaths + at, sizeof pid);
        process_kill(pid, status_killed(signal));
    }
}

int64_t signal_send(uint32_t sender, int32_t target, uint32_t tid, unsigned signal)
{
    uint8_t deaths[DEATHS_BYTES];
    size_t bytes;
    int64_t result;

    do { /* again for those that did not fit */
        bytes = sizeof deaths;
        result = proc_signal_send(&server_proc, sender, target, tid, signal, deaths, &bytes);
        if (result >= 0)
            deaths_execute(deaths, bytes, signal);
    } while (result >= 0 && bytes == sizeof deaths);
    return result;
}

int64_t signal_send_group(uint32_t group, unsigned signal)
{
    uint8_t deaths[DEATHS_BYTES];
    size_t bytes;
    int64_t result;

    do {
        bytes = sizeof deaths;
        result = proc_signal_group(&server_proc, group, signal, deaths, &bytes);
        if (result >= 0)
            deaths_execute(deaths, bytes, signal);
    } while (result >= 0 && bytes == sizeof deaths);
    return result;
}

int64_t sys_kill(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)nr;
    if ((int32_t)arg[0] == INT_MIN)
        return -ESRCH;
    return signal_send(thread->process->pid, (int32_t)arg[0], 0, (uint32_t)arg[1]);
}

int64_t sys_tkill(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)nr;
    if ((int32_t)arg[0] <= 0)
        return -EINVAL;
    return signal_send(thread->process->pid, 0, (uint32_t)arg[0], (uint32_t)arg[1]);
}

int64_t sys_tgkill(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)nr;
    if ((int32_t)arg[0] <= 0 || (int32_t)arg[1] <= 0)
        return -EINVAL;
    return signal_send(thread->process->pid, (int32_t)arg[0], (uint32_t)arg[1], (uint32_t)arg[2]);
}

/* Only to itself may a process pretend that the kernel or kill sent the signal. */
static int64_t siginfo_check(struct thread *thread, uint64_t info_at, int32_t target)
{
    uint8_t info[SIGINFO_BYTES];
    int32_t code;

    if (memory_read(thread, info, info_at, sizeof info))
        return -EFAULT;
    memcpy(&code, info + SIGINFO_CODE_OFFSET, sizeof code);
    if ((code >= 0 || code == CODE_TKILL) && (uint32_t)target != thread->process->pid)
        return -EPERM;
    return 0;
}

int64_t sys_rt_sigqueueinfo(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    int64_t error = siginfo_check(thread, arg[2], (int32_t)arg[0]);

    (void)nr;
    if (error)
        return error;
    if ((int32_t)arg[0] <= 0)
        return -ESRCH;
    return signal_send(thread->process->pid, (int32_t)arg[0], 0, (uint32_t)arg[1]);
}

int64_t sys_rt_tgsigqueueinfo(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    int64_t error = siginfo_check(thread, arg[3], (int32_t)arg[0]);

    (void)nr;
    if (error)
        return error;
    if ((int32_t)arg[0] <= 0 || (int32_t)arg[1] <= 0)
        return -EINVAL;
    return signal_send(thread->process->pid, (int32_t)arg[0], (uint32_t)arg[1], (uint32_t)arg[2]);
}
