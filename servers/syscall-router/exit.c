/*
 * The end of a process: exit(2), exit_group(2), death by a signal.
 */
#include "router.h"

#include "kernel.h"
#include "trace.h"

#include <gen/proc_client.h>
#include <gen/vfs_client.h>
#include <stdlib.h>

void thread_doom(struct thread *thread, uint32_t status)
{
    uint32_t none = 0;

    atomic_compare_exchange_strong(&thread->death, &none, DEATH_DUE | status);
}

void thread_kill(struct thread *thread, uint32_t status)
{
    thread_doom(thread, status);
    kernel_sem_up(thread->sem);
    if (thread->ec != SEL_NONE)
        kernel_ec_recall(thread->ec);
}

int64_t sys_exit(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)nr;
    thread_doom(thread, status_exited(arg[0]));
    return 0;
}

int64_t sys_exit_group(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    return sys_exit(thread, nr, arg);
}

/* What vfs and mem hold for the process, as far as it got. */
static void servers_leave(struct thread *thread, const struct process *process)
{
    struct image image = image_of(process);

    if (slot_bind(thread, NULL, 0))
        log_line("slot %u stays bound at a server", thread->slot);
    if (process->pid && vfs_process_exit(&server_vfs, process->pid) < 0)
        log_line("vfs does not know process %u", process->pid);
    image_destroy(&image, thread);
}

/* We run on the time of the EC that we delete here: the kernel lets us go on with
 * it until we reply. Whoever waits for our end is told when nearly all is free again: proc
 * still reads the time that the thread has used. */
void thread_die(struct thread *thread)
{
    struct process *process = thread->process;
    uint32_t status = atomic_load(&thread->death) & ~DEATH_DUE;
    cap_sel_t ec = thread->ec, sc = thread->sc;
    bool is_first = process->is_first;

    if (trace_enabled)
        trace_death(thread, status);
    threads_lock();
    thread->process = NULL;
    thread->ec = thread->sc = SEL_NONE;
    threads_unlock();
    kernel_drop(ec, 1);
    servers_leave(thread, process);
    if (process->pid && proc_process_exit(&server_proc, process->pid, status) < 0)
        log_line("proc does not know process %u", process->pid);
    signals_fetch(); /* for the parent */
    kernel_drop(sc, 1);
    vfork_release(process);
    free(process);
    free(thread->forked);
    thread->forked = NULL;
    slot_release(thread);
    if (is_first)
        run_finished(status);
}
