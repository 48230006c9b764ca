/*
 * A Linux call to the server that owns it: send, do what the answer asks for,
 * send again, until it is done. All waiting of all Linux threads happens here.
 */
#include "router.h"

#include "kernel.h"
#include "stats.h"

#include <errno.h>
#include <gen/vfs_client.h>
#include <gen/proc_client.h>
#include <signal.h>

bool thread_interrupted(const struct thread *thread)
{
    return atomic_load_explicit(&thread->death, memory_order_acquire) != 0;
}

/* ---- what is asked of us ------------------------------------------------------------ */

/* Signals from an earlier wait only make us ask once more. */
static enum call_reason wait_for_server(struct thread *thread, unsigned nr, uint64_t deadline_ns)
{
    bool signalled;

    stats_count(nr, STAT_WAITS);
    if (thread_interrupted(thread))
        return CALL_INTERRUPTED;
    signalled = kernel_sem_wait(thread->sem, deadline_ns);
    if (thread_interrupted(thread))
        return CALL_INTERRUPTED;
    return signalled ? CALL_RETRY : CALL_TIMED_OUT;
}

/* reason: of the attempt that ran into the missing page; a cancelled call stays one. */
static enum call_reason fault_in_for_server(struct thread *thread, unsigned nr,
                                            enum call_reason reason, const uint64_t *word)
{
    uint32_t error_code = FAULT_USER | (word[3] ? FAULT_WRITE : 0);
    unsigned signal;
    int error;

    stats_count(nr, STAT_FAULT_INS);
    error = memory_fault_in(thread, word[1], word[2], error_code, &signal);
    if (error == -ENOMEM)
        thread_doom(thread, status_killed(SIGKILL));
    if (error)
        return CALL_FAULTED;
    return reason == CALL_INTERRUPTED ? CALL_INTERRUPTED : CALL_RETRY;
}

/* ---- after the call -------------------------------------------------------------------- */

void credentials_tell(const struct thread *thread)
{
    uint32_t pid = thread->process->pid, fsuid, fsgid;
    uint8_t groups[1024];
    size_t bytes = sizeof groups;

    if (proc_file_credentials(&server_proc, pid, &fsuid, &fsgid, groups, &bytes) < 0 ||
        vfs_process_credentials(&server_vfs, pid, fsuid, fsgid, groups, bytes) < 0)
        log_line("the credentials of process %u did not reach vfs", pid);
}

static void follow_up(struct thread *thread, uint64_t what, uint64_t detail)
{
    switch (what) {
    case FOLLOW_FILES: space_files_release(thread->process->space); break;
    case FOLLOW_CREDENTIALS: credentials_tell(thread); break;
    case FOLLOW_DEATH: thread_doom(thread, status_killed((unsigned)detail)); break;
    default: break;
    }
}

/* ---- the call ----------------------------------------------------------------------------- */

static int send(const struct server_ref *server, struct ipc_message *message, unsigned nr,
                enum call_reason reason, const uint64_t arg[6])
{
    ipc_message_init(message, (uint16_t)(nr | (unsigned)reason << LABEL_REASON_SHIFT));
    for (int i = 0; i < 6; i++)
        message->word[i] = arg[i];
    return ipc_call(server, message);
}

int64_t forward(struct thread *thread, enum owner owner, unsigned nr, const uint64_t arg[6])
{
    enum call_reason reason = CALL_FIRST;
    struct ipc_message message;

    for (;;) {
        if (send(&thread->server[owner], &message, nr, reason, arg))
            return -EIO;
        switch (message.label) {
        case ANSWER_PENDING: reason = wait_for_server(thread, nr, message.word[1]); break;
        case ANSWER_FAULT_IN:
            reason = fault_in_for_server(thread, nr, reason, message.word);
            break;
        case ANSWER_DONE:
            if (__builtin_expect(message.word[1] != FOLLOW_NONE, 0))
                follow_up(thread, message.word[1], message.word[2]);
            return (int64_t)message.word[0];
        default: return -EIO;
        }
    }
}
