/*
 * Waiting for signals: rt_sigsuspend(2), rt_sigtimedwait(2), pause(2).
 */
#include "clock.h"
#include "timespec.h"

#include "platform.h"

#include <gen/linux_calls_proc.h>
#include <string.h>

/* slot->aux of a waiting call */
enum { AUX_BEGUN = 0, AUX_DEADLINE = 1 };

/* Only a handler ends it; the frame of that then brings the mask back. */
int64_t sys_pause(struct call *call) { return call_sleep(call, 0); }

int64_t sys_rt_sigsuspend(struct call *call)
{
    struct thread *thread = thread_of(call);
    signal_set_t set;

    if (!call->slot->aux[AUX_BEGUN]) {
        if (call->arg[1] != sizeof set)
            return -EINVAL;
        if (copy_in(call, &set, call->arg[0], sizeof set))
            return 0;
        thread->sig.saved_mask = thread->sig.mask;
        thread->sig.mask_saved = true;
        signals_set_mask(thread, set);
        call->slot->aux[AUX_BEGUN] = 1;
    }
    call_sleep(call, 0);
    if (signals_deliverable(thread))
        call->answer_word[1] = FOLLOW_SIGNALS;
    return 0;
}

/* ---- rt_sigtimedwait(2) ------------------------------------------------------------- */

/* The caller has chosen not to be told, or learns it from its memory. Returns 1 if the
 * call can't go on. */
static int info_write(struct call *call, const siginfo_t *info)
{
    return call->arg[1] ? copy_out(call, call->arg[1], info, sizeof *info) : 0;
}

static int64_t take_one(struct call *call, signal_set_t set)
{
    struct thread *thread = thread_of(call);
    siginfo_t info;
    unsigned signal;

    if (!((thread->sig.pending.set | thread->process->sig.pending.set) & set))
        return 0;
    memset(&info, 0, sizeof info);
    if (info_write(call, &info)) /* the memory is there before the signal is taken */
        return 1;
    signal = signal_queue_take(&thread->sig.pending, thread->process, set, &info);
    if (!signal)
        signal = signal_queue_take(&thread->process->sig.pending, thread->process, set, &info);
    if (info_write(call, &info))
        return -EFAULT;
    return signal;
}

/* Returns 1 when the call can't go on, or a negative errno. */
static int64_t deadline_read(struct call *call, uint64_t *deadline)
{
    struct __kernel_timespec time;

    *deadline = 0;
    if (!call->arg[2])
        return 0;
    if (copy_in(call, &time, call->arg[2], sizeof time))
        return 1;
    if (!timespec_valid(&time))
        return -EINVAL;
    *deadline = deadline_after(timespec_ns(&time));
    return 0;
}

static int64_t wait_begin(struct call *call)
{
    uint64_t *aux = call->slot->aux;
    int64_t error;

    if (call->arg[3] != sizeof(signal_set_t))
        return -EINVAL;
    error = deadline_read(call, &aux[AUX_DEADLINE]);
    if (error)
        return error;
    aux[AUX_BEGUN] = 1;
    return 0;
}

static int64_t wait_more(struct call *call, signal_set_t set)
{
    uint64_t deadline = call->slot->aux[AUX_DEADLINE];
    struct thread *thread = thread_of(call);
    int64_t result;

    if (deadline && deadline <= platform_now_ns())
        return -EAGAIN;
    if (call->reason == CALL_INTERRUPTED)
        return -EINTR;
    thread->sig.wait_set = set;
    result = call_wait(call, &thread->sig.waiting, deadline);
    if (result == 0 && signals_deliverable(thread) & ~set)
        call->answer_word[1] = FOLLOW_SIGNALS;
    return result;
}

/* A signal that has come is taken even if the wait is given up. */
int64_t sys_rt_sigtimedwait(struct call *call)
{
    signal_set_t set;
    int64_t result;

    thread_of(call)->sig.wait_set = 0;
    if (call->reason == CALL_FAULTED)
        return -EFAULT;
    if (!call->slot->aux[AUX_BEGUN]) {
        result = wait_begin(call);
        if (result)
            return result < 0 ? result : 0;
    }
    if (copy_in(call, &set, call->arg[0], sizeof set))
        return 0;
    set &= ~SIGNALS_FORCED;
    result = take_one(call, set);
    if (result || call->answer != ANSWER_DONE)
        return call->answer == ANSWER_DONE ? result : 0;
    return wait_more(call, set);
}
