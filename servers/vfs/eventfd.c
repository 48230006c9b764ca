/*
 * Counters as files: eventfd(2).
 */
#include <servers/vfs/anonymous.h>

#include "gen/linux_calls_vfs.h"

#include <asm/poll.h>
#include <stdlib.h>

/* eventfd(2); the UAPI headers of this Linux don't have it. */
#define EFD_SEMAPHORE 1

#define COUNT_MAX (UINT64_MAX - 1)

struct event {
    uint64_t          count;        /* up to COUNT_MAX */
    bool              is_semaphore; /* a read takes 1 instead of all */
    struct wait_queue can_read, can_write;
};

static int event_read(struct file *file, struct io *io, uint64_t *position)
{
    struct event *event = file->data;
    uint64_t      value = event->is_semaphore ? 1 : event->count;

    (void)position;
    if (io->left < sizeof value)
        return -EINVAL;
    if (!event->count) {
        io->queue = &event->can_read;
        return IO_WAIT;
    }
    if (!io_put_whole(io, &value, sizeof value))
        return 0;
    event->count -= value;
    wake_all(&event->can_write);
    return 0;
}

static int event_write(struct file *file, struct io *io, uint64_t *position)
{
    struct event *event = file->data;
    uint64_t      value;

    (void)position;
    if (io->left != sizeof value)
        return -EINVAL;
    if (!io_take_whole(io, &value, sizeof value))
        return 0;
    if (value <= COUNT_MAX - event->count) {
        event->count += value;
        wake_all(&event->can_read);
        return 0;
    }
    io_untake(io, sizeof value);
    io->queue = &event->can_write;
    return value == UINT64_MAX ? -EINVAL : IO_WAIT;
}

static unsigned event_poll(struct file *file, struct wait_queue *queues[2])
{
    struct event *event = file->data;
    unsigned      events = 0;

    queues[0] = &event->can_read;
    queues[1] = &event->can_write;
    if (event->count)
        events |= POLLIN;
    if (event->count < COUNT_MAX)
        events |= POLLOUT;
    return events;
}

static void event_release(struct file *file) { free(file->data); }

const struct file_ops event_ops = {
    .read = event_read,
    .write = event_write,
    .poll = event_poll,
    .release = event_release,
    .anonymous = "[eventfd]",
};

static int64_t event_open(struct call *call, unsigned count, uint64_t flags)
{
    struct event *event;
    struct file  *file;

    if (flags & ~(uint64_t)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    event = calloc(1, sizeof *event);
    if (!event)
        return -ENOMEM;
    event->count = count;
    event->is_semaphore = flags & EFD_SEMAPHORE;
    file = anonymous_create(call, &event_ops, flags, event);
    if (!file) {
        free(event);
        return -ENOMEM;
    }
    return call_install(call, file, flags);
}

int64_t sys_eventfd(struct call *call) { return event_open(call, (unsigned)call->arg[0], 0); }

int64_t sys_eventfd2(struct call *call)
{
    return event_open(call, (unsigned)call->arg[0], (unsigned)call->arg[1]);
}
