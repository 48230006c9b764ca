#include <servers/vfs/console.h>

#include "gen/console_client.h"

#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/kinds.h>
#include <servers/vfs/process.h>
#include <servers/vfs/terminal.h>

enum { CHANNEL_MAIN = 0, CHANNEL_ERROR = 1 };
enum { EVENT_NONE = 0, EVENT_END = 1, EVENT_WINDOW = 2 };

#define READ_BYTES     1024u /* console_read gives at most so many */
#define WRITE_BYTES    3072u /* console_write takes at most so many */
#define STREAM_BYTES   16384u
#define OUTPUT_POLL_NS 1000000ull

/* Standard input that is not a terminal. */
struct stream {
    uint8_t           ring[STREAM_BYTES];
    uint64_t          head, tail; /* bytes ever put and read */
    bool              ended;
    struct wait_queue readers;
};

static struct server_ref driver;
static struct stream     input;
static struct terminal   terminal;
static bool              input_is_terminal;
static unsigned          terminal_channel; /* where its output goes */

struct terminal *console_terminal(void) { return &terminal; }

static int64_t terminal_send(struct terminal *t, const void *bytes, size_t count)
{
    (void)t;
    return console_write(&driver, terminal_channel, bytes,
                         count < WRITE_BYTES ? count : WRITE_BYTES);
}

void console_init(const struct server_ref *to)
{
    driver = *to;
    input = (struct stream){ .ended = false };
    terminal.send = terminal_send;
    terminal_reset(&terminal);
}

/* ---- input ------------------------------------------------------------------------------- */

static bool input_has_room(void)
{
    if (input_is_terminal)
        return terminal_has_room(&terminal, READ_BYTES);
    return STREAM_BYTES - (input.head - input.tail) >= READ_BYTES;
}

static void input_take(const uint8_t *bytes, size_t count)
{
    if (!count)
        return;
    if (input_is_terminal) {
        terminal_receive(&terminal, bytes, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        input.ring[input.head++ % STREAM_BYTES] = bytes[i];
    wake_all(&input.readers);
}

static void event_take(uint32_t event, uint32_t rows, uint32_t columns)
{
    if (event == EVENT_WINDOW)
        terminal_set_window(&terminal, rows, columns);
    if (event != EVENT_END)
        return;
    if (input_is_terminal)
        terminal_end_input(&terminal);
    input.ended = true;
    wake_all(&input.readers);
}

void console_pull(void)
{
    while (input_has_room()) {
        uint8_t  bytes[READ_BYTES];
        size_t   count = sizeof bytes;
        uint32_t event = EVENT_NONE, rows = 0, columns = 0;
        int64_t  result =
            console_read(&driver, CHANNEL_MAIN, &event, &rows, &columns, bytes, &count);

        if (result < 0 || (count == 0 && event == EVENT_NONE))
            return;
        input_take(bytes, count);
        event_take(event, rows, columns);
    }
}

/* ---- streams ------------------------------------------------------------------------------ */

static int stream_read(struct file *file, struct io *io, uint64_t *position)
{
    (void)file, (void)position;
    if (io->left == 0)
        return 0;
    if (input.head == input.tail)
        console_pull();
    if (input.head == input.tail) {
        io->queue = &input.readers;
        return input.ended || io->before ? 0 : IO_WAIT;
    }
    while (io->left && input.head != input.tail && !io->faulted) {
        uint64_t at = input.tail % STREAM_BYTES;
        uint64_t run = STREAM_BYTES - at;

        if (run > input.head - input.tail)
            run = input.head - input.tail;
        input.tail += io_put(io, input.ring + at, run);
    }
    return 0;
}

static int stream_write(struct file *file, struct io *io, uint64_t *position)
{
    unsigned channel = (unsigned)(uintptr_t)file->data;

    (void)position;
    while (io->left && !io->faulted) {
        uint8_t piece[WRITE_BYTES];
        size_t  count = io_take(io, piece, sizeof piece);
        int64_t taken = count ? console_write(&driver, channel, piece, count) : 0;

        if (taken < (int64_t)count)
            io_untake(io, count - (taken > 0 ? (size_t)taken : 0));
        if (taken < 0)
            return -EIO;
        if (taken < (int64_t)count) {
            io->deadline_ns = clock_ns() + OUTPUT_POLL_NS;
            return IO_WAIT;
        }
    }
    return 0;
}

static unsigned stream_poll(struct file *file, struct wait_queue *queues[2])
{
    unsigned events = 0;

    if (file->can_write)
        return POLLOUT | POLLWRNORM;
    if (input.head != input.tail)
        events |= POLLIN | POLLRDNORM;
    if (input.ended)
        events |= POLLHUP;
    queues[0] = &input.readers;
    return events;
}

const struct file_ops console_ops = {
    .read = stream_read,
    .write = stream_write,
    .poll = stream_poll,
};

/* ---- descriptors 0, 1, 2 ------------------------------------------------------------------ */

static struct file *stream_open(int fd)
{
    struct inode *inode = inode_create(S_IFIFO | 0600, 0, 0);
    struct file  *file;

    if (!inode)
        return NULL;
    inode->nlink = 1;
    file = file_create(inode, &console_ops, fd == 0 ? O_RDONLY : O_WRONLY);
    inode_put(inode);
    if (file)
        file->data = (void *)(uintptr_t)(fd == 2 ? CHANNEL_ERROR : CHANNEL_MAIN);
    return file;
}

/* The terminal's node in /dev, or if a program removed that, one without a name. */
static struct inode *terminal_inode(const struct inode *root)
{
    struct dentry *dev = directory_find(root, "dev", 3);
    struct dentry *node = NULL;

    if (dev && S_ISDIR(dev->inode->mode))
        node = directory_find(dev->inode, "console", 7);
    if (node && S_ISCHR(node->inode->mode) && device_find(node->inode->rdev) == &terminal_ops)
        return inode_get(node->inode);
    return inode_create(S_IFCHR | 0600, 0, 0);
}

static struct file *terminal_open(const struct process *process)
{
    struct inode *inode = terminal_inode(process->root);
    struct file  *file = inode ? file_create(inode, &terminal_ops, O_RDWR) : NULL;

    inode_put(inode);
    return file;
}

/* Where the terminal's output leaves: with the program's standard output if that is the
 * terminal, else on the other channel, so that it doesn't mix with data. */
static void terminal_configure(const struct process *process, unsigned terminals)
{
    terminal_channel = terminals & 2 ? CHANNEL_MAIN : CHANNEL_ERROR;
    input_is_terminal = terminals & 1;
    terminal_reset(&terminal);
    terminal.pgrp = terminal.session = process->pid;
    terminal.ended = !input_is_terminal || input.ended;
}

int console_open_stdio(struct process *process, unsigned terminals)
{
    terminal_configure(process, terminals);
    for (int fd = 0; fd < 3; fd++) {
        struct file *file;

        if (descriptors_reserve_exactly(&process->descriptors, (unsigned)fd) < 0)
            return -ENOMEM;
        file = terminals >> fd & 1 ? terminal_open(process) : stream_open(fd);
        if (!file)
            return -ENOMEM;
        descriptors_set(&process->descriptors, fd, file, false);
    }
    return 0;
}
