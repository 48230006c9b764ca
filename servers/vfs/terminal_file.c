/*
 * Open files on the terminal: read, write, poll.
 */
#include <servers/vfs/kinds.h>

#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/console.h>
#include <servers/vfs/deadline.h>
#include <servers/vfs/terminal.h>

#define PIECE_BYTES    512u
#define OUTPUT_POLL_NS 1000000ull /* the channel does not tell when it takes more */
#define NS_PER_DECISECOND 100000000ll

static uint16_t entry_at(const struct terminal *t, uint64_t position)
{
    return t->input[position % TERMINAL_INPUT];
}

static int wait_input(struct terminal *t, struct io *io, uint64_t deadline_ns)
{
    if (t->ended)
        return 0;
    io->queue = &t->readers;
    io->deadline_ns = deadline_ns;
    return IO_WAIT;
}

static bool is_at_eof_mark(const struct terminal *t)
{
    return t->tail != t->committed && (entry_at(t, t->tail) & INPUT_EOF);
}

/* Copies from the first line, up to max bytes. *ends: its end is among them. */
static size_t line_piece(const struct terminal *t, uint8_t *piece, size_t max, bool *ends)
{
    size_t count = 0;

    *ends = false;
    while (count < max && t->tail + count != t->committed && !*ends) {
        uint16_t entry = entry_at(t, t->tail + count);

        if (entry & INPUT_EOF)
            break;
        piece[count++] = (uint8_t)entry;
        *ends = entry & INPUT_LINE_END;
    }
    return count;
}

/* Up to one line; only what was delivered is gone. An end of input ends a read without being
 * part of it. */
static int read_line(struct terminal *t, struct io *io)
{
    if (t->tail == t->committed)
        return io->before ? 0 : wait_input(t, io, 0);
    for (;;) {
        static uint8_t piece[PIECE_BYTES]; /* requests are serialised */
        bool           ends;
        size_t         count =
            line_piece(t, piece, io->left < sizeof piece ? io->left : sizeof piece, &ends);
        size_t         done = io_put(io, piece, count);

        t->tail += done;
        if (done < count || ends)
            return 0;
        if (is_at_eof_mark(t)) {
            t->tail++;
            return 0;
        }
        if (!io->left || t->tail == t->committed)
            return 0;
    }
}

/* Whether a raw read has to wait for more: VMIN and VTIME of termios(3). */
static bool raw_must_wait(const struct terminal *t, struct io *io, uint64_t *deadline_ns)
{
    uint64_t available = t->head - t->tail;
    uint64_t minimum = t->settings.c_cc[VMIN];
    int64_t  time_ns = t->settings.c_cc[VTIME] * NS_PER_DECISECOND;

    *deadline_ns = 0;
    if (io->before)
        return false;
    if (minimum == 0) {
        if (available || !time_ns)
            return false;
        deadline_begin_ns(io->call, time_ns);
        *deadline_ns = deadline_of(io->call);
        return !deadline_passed(io->call);
    }
    if (available >= (minimum < io->left ? minimum : io->left))
        return false;
    if (available && io->nonblock)
        return false;
    if (!available || !time_ns)
        return true;
    *deadline_ns = t->last_input_ns + (uint64_t)time_ns;
    return clock_ns() < *deadline_ns;
}

static int read_raw(struct terminal *t, struct io *io)
{
    uint64_t deadline_ns;

    if (raw_must_wait(t, io, &deadline_ns) && !t->ended)
        return wait_input(t, io, deadline_ns);
    while (io->left && t->head != t->tail && !io->faulted) {
        uint8_t piece[PIECE_BYTES];
        size_t  count = 0;

        while (count < sizeof piece && count < io->left && t->tail + count != t->head) {
            piece[count] = (uint8_t)entry_at(t, t->tail + count);
            count++;
        }
        t->tail += io_put(io, piece, count);
    }
    if (t->committed < t->tail)
        t->committed = t->tail;
    return 0;
}

static int terminal_read(struct file *file, struct io *io, uint64_t *position)
{
    struct terminal *t = console_terminal();

    (void)file, (void)position;
    if (io->left == 0)
        return 0;
    console_pull();
    return terminal_is_canonical(t) ? read_line(t, io) : read_raw(t, io);
}

static int wait_output(struct terminal *t, struct io *io)
{
    io->queue = t->stopped ? &t->writers : NULL;
    io->deadline_ns = t->stopped ? 0 : clock_ns() + OUTPUT_POLL_NS;
    return IO_WAIT;
}

static int terminal_write(struct file *file, struct io *io, uint64_t *position)
{
    struct terminal *t = console_terminal();

    (void)file, (void)position;
    while (io->left && !io->faulted) {
        uint8_t piece[PIECE_BYTES];
        size_t  room = terminal_output_room(t);
        size_t  count;

        if (t->stopped || (room == 0 && !terminal_drain(t) && terminal_output_room(t) == 0))
            return wait_output(t, io);
        room = terminal_output_room(t);
        count = io_take(io, piece, room < sizeof piece ? room : sizeof piece);
        for (size_t i = 0; i < count; i++)
            terminal_put(t, piece[i]);
    }
    if (terminal_drain(t) || io->nonblock)
        return 0;
    return wait_output(t, io); /* until it has left; then nothing is left to take */
}

static unsigned terminal_poll(struct file *file, struct wait_queue *queues[2])
{
    struct terminal *t = console_terminal();
    unsigned         events = 0;
    bool             readable;

    if (terminal_is_canonical(t))
        readable = t->tail != t->committed;
    else
        readable = t->head - t->tail >= (t->settings.c_cc[VMIN] && !t->settings.c_cc[VTIME]
                                             ? t->settings.c_cc[VMIN]
                                             : 1u);
    if (file->can_read && (readable || t->ended))
        events |= POLLIN | POLLRDNORM;
    if (file->can_write && !t->stopped)
        events |= POLLOUT | POLLWRNORM;
    queues[0] = &t->readers;
    queues[1] = &t->writers;
    return events;
}

static int64_t terminal_file_ioctl(struct file *file, struct call *call, unsigned request,
                                   uint64_t argument)
{
    (void)file;
    return terminal_ioctl(console_terminal(), call, request, argument);
}

const struct file_ops terminal_ops = {
    .read = terminal_read,
    .write = terminal_write,
    .poll = terminal_poll,
    .ioctl = terminal_file_ioctl,
};
