/*
 * epoll_create(2), epoll_ctl(2), epoll_wait(2) and their variants.
 */
#include <servers/vfs/epoll.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/anonymous.h>
#include <servers/vfs/deadline.h>
#include <servers/vfs/poll.h>

#define MAX_EVENTS ((int)(INT32_MAX / sizeof(struct epoll_event)))

static int64_t create_instance(struct call *call, uint64_t flags)
{
    struct epoll *epoll = epoll_create_set();
    struct file  *file = epoll ? anonymous_create(call, &epoll_ops, 0, epoll) : NULL;

    if (!file) {
        if (epoll)
            epoll_destroy(epoll);
        return -ENOMEM;
    }
    epoll_use(epoll, file);
    return call_install(call, file, flags);
}

int64_t sys_epoll_create(struct call *call)
{
    return (int)call->arg[0] <= 0 ? -EINVAL : create_instance(call, 0);
}

int64_t sys_epoll_create1(struct call *call)
{
    unsigned flags = (unsigned)call->arg[0];

    return flags & ~(unsigned)EPOLL_CLOEXEC ? -EINVAL : create_instance(call, flags);
}

int64_t sys_epoll_ctl(struct call *call)
{
    int                operation = (int)call->arg[1], fd = (int)call->arg[2];
    struct epoll_event event = { 0 };
    struct file       *of, *file;

    if (operation != EPOLL_CTL_DEL && copy_in(call, &event, call->arg[3], sizeof event))
        return 0;
    of = call_file(call, call->arg[0]);
    file = call_file(call, call->arg[2]);
    if (!of || !file)
        return -EBADF;
    if (!file->ops->poll)
        return -EPERM;
    if (of == file || of->ops != &epoll_ops)
        return -EINVAL;
    event.events &= ~(uint32_t)EPOLLWAKEUP; /* nothing here goes to sleep */
    switch (operation) {
    case EPOLL_CTL_ADD: return epoll_add(of->data, file, fd, &event);
    case EPOLL_CTL_MOD: return epoll_modify(of->data, file, fd, &event);
    case EPOLL_CTL_DEL: return epoll_remove(of->data, file, fd);
    default: return -EINVAL;
    }
}

/* Reports what is ready. Returns how many; 0 also if memory must be faulted in. */
static int64_t report(struct call *call, struct epoll *epoll, size_t max)
{
    static struct epoll_event events[EPOLL_EVENTS_AT_ONCE]; /* requests are serialised */
    size_t                    count;

    if (max > EPOLL_EVENTS_AT_ONCE)
        max = EPOLL_EVENTS_AT_ONCE;
    count = epoll_collect(epoll, events, max);
    if (!count || copy_out(call, call->arg[1], events, count * sizeof *events))
        return 0;
    epoll_reported(epoll);
    return (int64_t)count;
}

/* in_ms: argument 3 is the time to wait, otherwise the deadline has been set. */
static int64_t wait_for_events(struct call *call, bool in_ms)
{
    struct file *file = call_file(call, call->arg[0]);
    int          max = (int)call->arg[2];
    int64_t      answer;

    if (max <= 0 || max > MAX_EVENTS)
        return -EINVAL;
    if (!file)
        return -EBADF;
    if (file->ops != &epoll_ops)
        return -EINVAL;
    answer = report(call, file->data, (size_t)max);
    if (answer || call->answer != ANSWER_DONE)
        return answer;
    if (in_ms)
        deadline_begin_ms(call, (int)call->arg[3]);
    if (deadline_passed(call))
        return 0;
    return epoll_wait_ready(call, file->data);
}

int64_t sys_epoll_wait(struct call *call) { return wait_for_events(call, true); }

int64_t sys_epoll_pwait(struct call *call)
{
    int error = call_swap_mask(call, call->arg[4], call->arg[5]);

    return error ? error : wait_for_events(call, true);
}

int64_t sys_epoll_pwait2(struct call *call)
{
    int64_t error = deadline_begin_timespec(call, call->arg[3]);

    if (!error && call->answer == ANSWER_DONE)
        error = call_swap_mask(call, call->arg[4], call->arg[5]);
    return error || call->answer != ANSWER_DONE ? error : wait_for_events(call, false);
}
