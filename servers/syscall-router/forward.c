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

/* ---- what is asked of us ------------------------------------------------------------ */

/* Signals from an earlier wait only make us ask once more. */
static enum call_reason wait_for_server(struct thread *thread, unsigned nr, uint64_t deadline_ns)
{
    bool in_time = true;

    stats_count(nr, STAT_WAITS);
    if (!thread_has_news(thread))
        in_time = kernel_sem_wait(thread->sem, deadline_ns);
    if (thread_has_news(thread))
        return thread_interrupted(thread) ? CALL_INTERRUPTED : CALL_RETRY;
    return in_time ? CALL_RETRY : CALL_TIMED_OUT;
}

/* reason: of the attempt that ran into the missing page; a cancelled call stays one. */
static enum call_reason fault_in_for_server(struct thread *thread, unsigned nr,
                                            enum call_reason reason, const uint64_t *word)
{
    uint32_t error_code = FAULT_USER | (word[3] ? FAULT_WRITE : 0);
    struct fault_verdict verdict;
    int error;

    stats_count(nr, STAT_FAULT_INS);
    error = memory_fault_in(thread, word[1], word[2], error_code, &verdict);
    if (error == -ENOMEM)
        thread_doom(thread, status_killed(SIGKILL));
    if (error)
        return CALL_FAULTED;
    return reason == CALL_INTERRUPTED ? CALL_INTERRUPTED : CALL_RETRY;
}

/* The server wants another signal mask for the time of the call. */
static enum call_reason mask_for_server(struct thread *thread, uint64_t mask, bool *masked)
{
    *masked = true;
    signal_mask_set(thread, mask);
    return CALL_MASKED;
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

/* answer: the words of it. */
static void follow_up(struct thread *thread, const uint64_t *answer)
{
    switch (answer[1]) {
    case FOLLOW_FILES: space_files_release(thread->process->space); break;
    case FOLLOW_CREDENTIALS: credentials_tell(thread); break;
    case FOLLOW_SIGNALS: signals_follow_up(thread, answer[2], answer[3]); break;
    case FOLLOW_SIGNAL: signal_raise(thread, (uint32_t)answer[2]); break;
    case FOLLOW_TIMERS: timers_look(); break;
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
    bool masked = false;

    for (;;) {
        if (send(&thread->server[owner], &message, nr, reason, arg))
            return -EIO;
        switch (message.label) {
        case ANSWER_PENDING:
            if (message.word[2] == FOLLOW_SIGNALS)
                atomic_store(&thread->signalled, true);
            reason = wait_for_server(thread, nr, message.word[1]);
            break;
        case ANSWER_FAULT_IN:
            reason = fault_in_for_server(thread, nr, reason, message.word);
            break;
        case ANSWER_MASK: reason = mask_for_server(thread, message.word[1], &masked); break;
        case ANSWER_DONE:
            if (__builtin_expect(message.word[1] != FOLLOW_NONE, 0))
                follow_up(thread, message.word);
            if (masked)
                signal_mask_back(thread);
            return (int64_t)message.word[0];
        default: return -EIO;
        }
    }
}
