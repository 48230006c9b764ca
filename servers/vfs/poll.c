/*
 * poll(2), ppoll(2).
 */
#include <servers/vfs/poll.h>

#include "gen/linux_calls_vfs.h"

#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/deadline.h>
#include <servers/vfs/epoll.h>
#include <servers/vfs/process.h>

#define ALWAYS  ((unsigned)(POLLERR | POLLHUP | POLLNVAL))
#define READING ((unsigned)(POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLMSG | POLLRDHUP))
#define WRITING ((unsigned)(POLLOUT | POLLWRNORM | POLLWRBAND))

static struct pollfd polled[DESCRIPTORS_MAX]; /* requests are serialised */

unsigned file_readiness(struct file *file)
{
    struct wait_queue *queues[2] = { NULL, NULL };

    if (!file->ops->poll)
        return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    return file->ops->poll(file, queues);
}

void file_queues(struct file *file, unsigned wanted, struct wait_queue *queues[2])
{
    queues[0] = queues[1] = NULL;
    if (!file->ops->poll)
        return;
    file->ops->poll(file, queues);
    if (!queues[0] || !queues[1])
        return;
    if (!(wanted & WRITING))
        queues[1] = NULL;
    else if (!(wanted & READING))
        queues[0] = NULL;
}

void file_deadline_changed(struct file *file) { epoll_deadline_changed(file); }

int64_t file_wait_readiness(struct call *call, struct file *file, unsigned wanted)
{
    uint64_t           deadline_ns = file->ops->deadline ? file->ops->deadline(file) : 0;
    struct wait_queue *queues[2];

    file_queues(file, wanted, queues);
    for (unsigned i = 0; i < 2; i++)
        if (queues[i] && call_wait(call, queues[i], deadline_ns) < 0)
            return -ENOMEM;
    return call_sleep(call, deadline_of(call));
}

/* In slot->aux: the mask is set. */
enum { AUX_MASKED = 2 };

int call_swap_mask(struct call *call, uint64_t address, uint64_t bytes)
{
    uint64_t mask;

    if (call->reason == CALL_MASKED)
        call->slot->aux[AUX_MASKED] = 1;
    if (!address || call->slot->aux[AUX_MASKED])
        return 0;
    if (bytes != sizeof mask)
        return -EINVAL;
    if (copy_in(call, &mask, address, sizeof mask))
        return 1;
    call->answer = ANSWER_MASK;
    call->answer_word[0] = mask;
    return 1;
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

        if (file && file_wait_readiness(call, file, (uint16_t)polled[i].events) < 0)
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
    deadline_begin_ms(call, (int)call->arg[2]);
    return poll_run(call);
}

int64_t sys_ppoll(struct call *call)
{
    int64_t answer = deadline_begin_timespec(call, call->arg[2]);

    if (!answer && call->answer == ANSWER_DONE)
        answer = call_swap_mask(call, call->arg[3], call->arg[4]);
    if (answer || call->answer != ANSWER_DONE)
        return answer;
    answer = poll_run(call);
    if (call->answer == ANSWER_DONE && answer >= 0)
        deadline_tell_timespec(call, call->arg[2]);
    return answer;
}
