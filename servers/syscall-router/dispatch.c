/*
 * A message of a Linux thread, from its arrival to the reply.
 */
#include "dispatch.h"

#include "kernel.h"
#include "stats.h"
#include "trace.h"

#include <errno.h>
#include <lib/server/ipc.h>

/* ---- calls ------------------------------------------------------------------------ */

int64_t dispatch_call(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const struct linux_route *route;

    if (nr >= LINUX_CALL_COUNT)
        return -ENOSYS;
    route = &linux_routes[nr];
    switch (route->owner) {
    case LINUX_VFS:
    case LINUX_PROC:
    case LINUX_MEM: return forward(thread, (enum owner)(route->owner - LINUX_VFS), nr, arg);
    case LINUX_ROUTER: return route->handle(thread, nr, arg);
    default: return -ENOSYS;
    }
}

static int64_t call_observed(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    struct trace_line line;
    uint64_t start = kernel_ticks();
    int64_t result;

    if (trace_enabled)
        trace_begin(&line, thread, nr, arg);
    result = dispatch_call(thread, nr, arg);
    if (trace_enabled)
        trace_end(&line, thread, nr, arg, result);
    if (stats_enabled) {
        stats_add(nr, STAT_CALLS, 1);
        stats_add(nr, STAT_TICKS, kernel_ticks() - start);
        if (result == -ENOSYS)
            stats_add(nr, STAT_UNKNOWN, 1);
    }
    return result;
}

/* ---- messages ------------------------------------------------------------------------ */

/* A hybrid program calls its event portal: nothing is offered there. */
static void refuse(struct portal_frame *frame)
{
    struct ipc_message message;

    portal_receive(frame, &message);
    for (unsigned i = 0; i < message.items; i++)
        ipc_cap_drop(message.cap[i]);
    frame->word[0] = (uint64_t)(int64_t)-EPERM;
}

/* frame->word[0] is then the answer to a call. */
static void handle_message(struct thread *thread, struct portal_frame *frame)
{
    unsigned label = ctl_label(frame->control);
    bool observed = trace_enabled | stats_enabled;

    switch (portal_kind(frame)) {
    case MSG_FOREIGN:
        frame->word[0] = (uint64_t)(__builtin_expect(observed, 0)
                                        ? call_observed(thread, label, frame->word)
                                        : dispatch_call(thread, label, frame->word));
        break;
    case MSG_FAULT: handle_fault(thread, frame->word[0], frame->word[1]); break;
    case MSG_EXCEPTION: handle_exception(thread, label, frame->word[2]); break;
    case MSG_STARTUP: thread_begin(thread); break;
    case MSG_RECALL: break;
    default: refuse(frame); break;
    }
}

void dispatch_message(struct portal *portal, struct portal_frame *frame)
{
    struct thread *thread = (struct thread *)portal;

    unsigned kind = portal_kind(frame), nr = ctl_label(frame->control), flags = 0;

    handle_message(thread, frame);
    if (__builtin_expect(thread_has_news(thread) | thread->registers_set, 0)) {
        flags = signal_finish(thread, kind, nr, (int64_t *)&frame->word[0]);
        if (thread_doomed(thread))
            thread_die(thread);
    }
    frame->control = portal_reply_control(flags, 0, 0, 0);
}
