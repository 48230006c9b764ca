/*
 * poll(2), ppoll(2). The signal mask of ppoll is the business of whoever delivers signals.
 */
#include <servers/vfs/poll.h>

#include "gen/linux_calls_vfs.h"

#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/deadline.h>
#include <servers/vfs/process.h>

#define NS_PER_MS 1000000ll
#define ALWAYS    ((unsigned)(POLLERR | POLLHUP | POLLNVAL))

static struct pollfd polled[DESCRIPTORS_MAX]; /* requests are serialised */

unsigned file_readiness(struct file *file)
{
    struct wait_queue *queues[2] = { NULL, NULL };

    if (!file->ops->poll)
        return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    return file->ops->poll(file, queues);
}

int64_t file_wait_readiness(struct call *call, struct file *file)
{
    struct wait_queue *queues[2] = { NULL, NULL };

    if (!file->ops->poll)
        return 0;
    file->ops->poll(file, queues);
    for (unsigned i = 0; i < 2; i++)
        if (queues[i] && call_wait(call, queues[i], deadline_of(call)) < 0)
            return -ENOMEM;
    return 0;
}

/* Sets the result of each element. Returns how many have one. */
static unsigned poll_all(struct call *call, size_t count)
{
    unsigned ready = 0;

    for (size_t i = 0; i < count; i++) {
        struct file *file = call_file(call, (uint64_t)polled[i].fd);
        unsigned     wanted = (uint16_t)polled[i].events | ALWAYS;
        unsigned     events = 0;

        if (polled[i].fd >= 0)
            events = file ? file_readiness(file) & wanted : POLLNVAL;
        polled[i].revents = (short)events;
        ready += events != 0;
    }
    return ready;
}

static int64_t poll_wait(struct call *call, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct file *file = polled[i].fd >= 0 ? call_file(call, (uint64_t)polled[i].fd) : NULL;

        if (file && file_wait_readiness(call, file) < 0)
            return -ENOMEM;
    }
    return call_sleep(call, deadline_of(call));
}

/* The deadline has been set. */
static int64_t poll_run(struct call *call)
{
    size_t   count = (unsigned)call->arg[1];
    unsigned ready;

    if (count > DESCRIPTORS_MAX)
        return -EINVAL;
    if (copy_in(call, polled, call->arg[0], count * sizeof *polled))
        return 0;
    ready = poll_all(call, count);
    if (!ready && !deadline_passed(call))
        return poll_wait(call, count);
    if (copy_out(call, call->arg[0], polled, count * sizeof *polled))
        return 0;
    return ready;
}

int64_t sys_poll(struct call *call)
{
    int timeout_ms = (int)call->arg[2];

    if (timeout_ms < 0)
        deadline_begin_never(call);
    else
        deadline_begin_ns(call, timeout_ms * NS_PER_MS);
    return poll_run(call);
}

int64_t sys_ppoll(struct call *call)
{
    struct __kernel_timespec timeout;
    int64_t                  answer;

    if (!call->arg[2]) {
        deadline_begin_never(call);
        return poll_run(call);
    }
    if (copy_in(call, &timeout, call->arg[2], sizeof timeout))
        return 0;
    if (timeout.tv_sec < 0 || timeout.tv_nsec < 0 || timeout.tv_nsec >= NS_PER_SECOND)
        return -EINVAL;
    deadline_begin_ns(call, timeout.tv_sec > INT64_MAX / NS_PER_SECOND - 1
                                ? INT64_MAX
                                : timeout.tv_sec * NS_PER_SECOND + timeout.tv_nsec);
    answer = poll_run(call);
    if (call->answer == ANSWER_DONE && answer >= 0) {
        timeout.tv_sec = deadline_left_ns(call) / NS_PER_SECOND;
        timeout.tv_nsec = deadline_left_ns(call) % NS_PER_SECOND;
        /* Linux does not mind either if the time left can't be told. */
        (void)copy_out_some(call, call->arg[2], &timeout, sizeof timeout);
    }
    return answer;
}
