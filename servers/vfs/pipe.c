#include <servers/vfs/pipe.h>

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/file.h>
#include <servers/vfs/permission.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* file->data of a reader counts the writers that had opened the FIFO before it, as long as
 * there was none: only when there was one it can have hung up. */
#define NEVER_ALONE UINTPTR_MAX

struct pipe {
    phys_t   *frames;           /* of the ring; 0: not needed so far */
    unsigned  page_count;
    uint64_t  head, tail;       /* bytes ever written and read */
    unsigned  readers, writers; /* open files */
    uint64_t  reader_opens, writer_opens;
    struct wait_queue can_read, can_write;
};

static uint64_t pipe_used(const struct pipe *pipe) { return pipe->head - pipe->tail; }

static uint64_t pipe_room(const struct pipe *pipe)
{
    return pipe->page_count * PAGE_BYTES - pipe_used(pipe);
}

static bool is_writable(const struct pipe *pipe) { return pipe_room(pipe) >= PIPE_BUF; }

struct pipe *pipe_of(struct inode *fifo)
{
    struct pipe *pipe = fifo->pipe;

    if (pipe)
        return pipe;
    pipe = calloc(1, sizeof *pipe);
    if (!pipe)
        return NULL;
    pipe->page_count = PIPE_PAGES_DEFAULT;
    pipe->frames = calloc(pipe->page_count, sizeof *pipe->frames);
    if (!pipe->frames) {
        free(pipe);
        return NULL;
    }
    fifo->pipe = pipe;
    return pipe;
}

static void frames_release(struct pipe *pipe)
{
    for (unsigned i = 0; i < pipe->page_count; i++) {
        if (pipe->frames[i])
            frames_free(pipe->frames[i], 0);
        pipe->frames[i] = 0;
    }
}

void pipe_free(struct pipe *pipe)
{
    if (!pipe)
        return;
    must(pipe->readers == 0 && pipe->writers == 0);
    wake_all(&pipe->can_read);
    wake_all(&pipe->can_write);
    frames_release(pipe);
    free(pipe->frames);
    free(pipe);
}

void pipe_attach(struct file *file)
{
    struct pipe *pipe = file->inode->pipe;

    file->data = (void *)(uintptr_t)(pipe->writers ? NEVER_ALONE : pipe->writer_opens);
    if (file->can_read) {
        pipe->readers++;
        pipe->reader_opens++;
        wake_all(&pipe->can_write);
    }
    if (file->can_write) {
        pipe->writers++;
        pipe->writer_opens++;
        wake_all(&pipe->can_read);
    }
}

uint64_t pipe_opens_of_other_end(const struct file *file)
{
    const struct pipe *pipe = file->inode->pipe;

    return file->can_read ? pipe->writer_opens : pipe->reader_opens;
}

bool pipe_open_must_wait(struct file *file, uint64_t seen_opens, struct wait_queue **queue)
{
    struct pipe *pipe = file->inode->pipe;

    if (file->can_read && file->can_write)
        return false;
    if (file->can_read && pipe->writers)
        return false;
    if (file->can_write && pipe->readers)
        return false;
    *queue = file->can_read ? &pipe->can_read : &pipe->can_write;
    return pipe_opens_of_other_end(file) == seen_opens;
}

bool pipe_has_readers(const struct pipe *pipe) { return pipe->readers > 0; }

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->inode->pipe;

    pipe->readers -= file->can_read;
    pipe->writers -= file->can_write;
    wake_all(&pipe->can_read);
    wake_all(&pipe->can_write);
    if (pipe->readers || pipe->writers)
        return;
    frames_release(pipe); /* what nobody read is lost, as in Linux */
    pipe->head = pipe->tail = 0;
}

/* The place of a byte of the ring, and how many follow it in the same frame. A frame that is
 * missing is allocated; NULL: memory is out. */
static uint8_t *ring_at(struct pipe *pipe, uint64_t at, size_t *run)
{
    phys_t *frame = &pipe->frames[at / PAGE_BYTES % pipe->page_count];

    if (!*frame)
        *frame = frames_alloc(0);
    if (!*frame)
        return NULL;
    *run = PAGE_BYTES - at % PAGE_BYTES;
    return (uint8_t *)frame_ptr(*frame) + at % PAGE_BYTES;
}

int pipe_await_data(struct file *end, struct io *io)
{
    struct pipe *pipe = end->inode->pipe;

    io->queue = &pipe->can_read;
    return !pipe_used(pipe) && pipe->writers && !io->before ? IO_WAIT : 0;
}

const void *pipe_peek(struct file *end, uint64_t skip, size_t *run)
{
    struct pipe *pipe = end->inode->pipe;
    uint64_t     left = pipe_used(pipe) - skip;
    uint8_t     *at;

    must(skip <= pipe_used(pipe));
    if (!left)
        return NULL;
    at = ring_at(pipe, pipe->tail + skip, run);
    must(at);
    if (*run > left)
        *run = left;
    return at;
}

void pipe_consume(struct file *end, size_t bytes)
{
    struct pipe *pipe = end->inode->pipe;
    bool         was_writable = is_writable(pipe);

    must(bytes <= pipe_used(pipe));
    pipe->tail += bytes;
    if (!was_writable && is_writable(pipe)) /* not earlier: that would be news to nobody */
        wake_all(&pipe->can_write);
}

static int pipe_read(struct file *file, struct io *io, uint64_t *position)
{
    int         status = io->left ? pipe_await_data(file, io) : 0;
    uint64_t    done = 0;
    size_t      run;
    const void *at;

    (void)position;
    if (status)
        return status;
    while (io->left && !io->faulted && (at = pipe_peek(file, done, &run)))
        done += io_put(io, at, run);
    pipe_consume(file, done);
    return 0;
}

int pipe_await_room(struct file *end, struct io *io)
{
    struct pipe *pipe = end->inode->pipe;

    if (!pipe->readers) {
        io->call->answer_word[0] = FOLLOW_SIGNAL;
        io->call->answer_word[1] = SIGPIPE;
        return -EPIPE;
    }
    io->queue = &pipe->can_write;
    return pipe_room(pipe) ? 0 : IO_WAIT;
}

void *pipe_space(struct file *end, size_t *run)
{
    struct pipe *pipe = end->inode->pipe;
    uint64_t     room = pipe_room(pipe);
    uint8_t     *at = room ? ring_at(pipe, pipe->head, run) : NULL;

    if (at && *run > room)
        *run = room;
    return at;
}

void pipe_commit(struct file *end, size_t bytes)
{
    struct pipe *pipe = end->inode->pipe;

    must(bytes <= pipe_room(pipe));
    pipe->head += bytes;
    if (bytes)
        wake_all(&pipe->can_read);
}

/* Takes up to bytes from io into the ring, beyond its head. Returns how many, or -ENOMEM. */
static int64_t ring_fill(struct pipe *pipe, struct io *io, size_t bytes)
{
    size_t total = 0;

    while (total < bytes && !io->faulted) {
        size_t   run, want = bytes - total;
        uint8_t *at = ring_at(pipe, pipe->head + total, &run);

        if (!at)
            return total ? (int64_t)total : -ENOMEM;
        total += io_take(io, at, run < want ? run : want);
    }
    return (int64_t)total;
}

/* Up to PIPE_BUF bytes go in one piece: all of them, or none. */
static int pipe_write_whole(struct pipe *pipe, struct io *io)
{
    size_t  bytes = io->left;
    int64_t filled;

    if (pipe_room(pipe) < bytes) {
        io->queue = &pipe->can_write;
        return IO_WAIT;
    }
    filled = ring_fill(pipe, io, bytes);
    if (filled != (int64_t)bytes) {
        if (filled > 0)
            io_untake(io, (size_t)filled);
        return io->faulted ? 0 : -ENOMEM;
    }
    pipe->head += bytes;
    wake_all(&pipe->can_read);
    return 0;
}

static int pipe_write(struct file *file, struct io *io, uint64_t *position)
{
    struct pipe *pipe = file->inode->pipe;
    int          status = io->left ? pipe_await_room(file, io) : 0;

    (void)position;
    if (status || !io->left)
        return status;
    if (io->left + io->before <= PIPE_BUF)
        return pipe_write_whole(pipe, io);
    while (io->left && !io->faulted) {
        size_t  room = pipe_room(pipe);
        int64_t filled = room ? ring_fill(pipe, io, room < io->left ? room : io->left) : 0;

        if (filled < 0)
            return (int)filled;
        pipe->head += (uint64_t)filled;
        if (filled)
            wake_all(&pipe->can_read);
        if (!room) {
            io->queue = &pipe->can_write;
            return IO_WAIT;
        }
    }
    return 0;
}

static unsigned pipe_poll(struct file *file, struct wait_queue *queues[2])
{
    struct pipe *pipe = file->inode->pipe;
    unsigned     events = 0;

    if (file->can_read) {
        queues[0] = &pipe->can_read;
        if (pipe_used(pipe))
            events |= POLLIN | POLLRDNORM;
        if (!pipe->writers && pipe->writer_opens != (uintptr_t)file->data)
            events |= POLLHUP;
    }
    if (file->can_write) {
        queues[1] = &pipe->can_write;
        if (is_writable(pipe))
            events |= POLLOUT | POLLWRNORM;
        if (!pipe->readers)
            events |= POLLERR;
    }
    return events;
}

static int64_t pipe_ioctl(struct file *file, struct call *call, unsigned request,
                          uint64_t argument)
{
    int bytes = (int)pipe_used(file->inode->pipe);

    if (request != FIONREAD)
        return -ENOTTY;
    return copy_out(call, argument, &bytes, sizeof bytes);
}

const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
};

int64_t pipe_capacity(const struct file *file)
{
    return (int64_t)(file->inode->pipe->page_count * PAGE_BYTES);
}

/* Copies the content to the same positions of a ring with another number of pages. */
static int ring_copy(struct pipe *to, struct pipe *from)
{
    for (uint64_t at = from->tail; at < from->head;) {
        size_t   run_from, run_to, run;
        uint8_t *source = ring_at(from, at, &run_from);
        uint8_t *target = ring_at(to, at, &run_to);

        if (!target)
            return -ENOMEM;
        run = from->head - at < run_from ? from->head - at : run_from;
        memcpy(target, source, run);
        at += run;
    }
    return 0;
}

static int ring_resize(struct pipe *pipe, unsigned count)
{
    struct pipe resized = { .page_count = count, .frames = calloc(count, sizeof(phys_t)) };
    int         error = resized.frames ? ring_copy(&resized, pipe) : -ENOMEM;

    if (error) {
        if (resized.frames)
            frames_release(&resized);
        free(resized.frames);
        return error;
    }
    frames_release(pipe);
    free(pipe->frames);
    pipe->frames = resized.frames;
    pipe->page_count = count;
    return 0;
}

int64_t pipe_set_capacity(struct file *file, uint64_t bytes, const struct credentials *who)
{
    struct pipe *pipe = file->inode->pipe;
    unsigned     count = 1;
    int          error;

    if (bytes > 1u << 31)
        return -EINVAL;
    if (bytes > PIPE_PAGES_MAX * PAGE_BYTES && !permission_is_privileged(who))
        return -EPERM;
    while (count * PAGE_BYTES < bytes)
        count *= 2;
    if (pipe_used(pipe) > count * PAGE_BYTES)
        return -EBUSY;
    error = ring_resize(pipe, count);
    wake_all(&pipe->can_write);
    return error ? error : pipe_capacity(file);
}
