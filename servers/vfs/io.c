#include <servers/vfs/io.h>

#include <lib/native/native.h>
#include <string.h>

/* Most that one fault-in asks for, so that a huge buffer does not take all frames at once. */
#define FAULT_IN_MAX (256 * 1024ul)

/* In slot->aux: after the first refusal memory is asked for page by page, so that everything
 * up to the bad page is moved. */
enum { AUX_BY_PAGE = 3 };

static struct iovec vector[UIO_MAXIOV]; /* requests are serialised */

bool io_is_over(struct call *call, int64_t *answer)
{
    struct slot *slot = call->slot;

    if (call->reason == CALL_INTERRUPTED) {
        *answer = slot->done ? (int64_t)slot->done : -CALL_RESTARTS;
        return true;
    }
    if (call->reason != CALL_FAULTED)
        return false;
    if (slot->aux[AUX_BY_PAGE]) {
        *answer = slot->done ? (int64_t)slot->done : -EFAULT;
        return true;
    }
    slot->aux[AUX_BY_PAGE] = 1;
    return false;
}

/* Skips what former attempts moved. */
static void io_resume(struct io *io)
{
    size_t skip = io->before;

    io->left -= skip < io->left ? skip : io->left;
    while (skip && io->segment_count && skip >= io->segments->iov_len) {
        skip -= io->segments->iov_len;
        io->segments++;
        io->segment_count--;
    }
    io->in_segment = skip;
}

void io_buffer(struct io *io, struct call *call, uint64_t address, uint64_t bytes)
{
    *io = (struct io){ .call = call, .before = call->slot->done };
    io->single = (struct iovec){ .iov_base = (void *)address, .iov_len = bytes };
    io->segments = &io->single;
    io->segment_count = 1;
    io->left = bytes < IO_BYTES_MAX ? bytes : IO_BYTES_MAX;
    io_resume(io);
}

int io_vector(struct io *io, struct call *call, uint64_t address, uint64_t count)
{
    uint64_t total = 0;
    int      error;

    *io = (struct io){ .call = call, .before = call->slot->done };
    if (count > UIO_MAXIOV)
        return -EINVAL;
    error = copy_in(call, vector, address, count * sizeof *vector);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (vector[i].iov_len > INT64_MAX)
            return -EINVAL;
        total += vector[i].iov_len;
        if (total > IO_BYTES_MAX)
            total = IO_BYTES_MAX;
    }
    io->segments = vector;
    io->segment_count = count;
    io->left = total;
    io_resume(io);
    return 0;
}

void io_memory(struct io *io, struct call *call, const void *at, size_t bytes)
{
    *io = (struct io){ .call = call, .memory = (uint8_t *)at, .left = bytes };
}

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

static void io_fault(struct io *io, uint64_t address, size_t bytes)
{
    size_t max = FAULT_IN_MAX;

    if (io->call->slot->aux[AUX_BY_PAGE])
        max = PAGE_BYTES - address % PAGE_BYTES;
    io->faulted = true;
    io->fault_address = address;
    io->fault_bytes = min_size(bytes, max);
}

static size_t memory_move(struct io *io, void *to, const void *from, size_t bytes)
{
    if (to)
        memmove(to, io->memory, bytes);
    else
        memmove(io->memory, from, bytes);
    io->memory += bytes;
    return bytes;
}

/* Moves within the first segment; to or from is ours, the other NULL. */
static size_t segment_move(struct io *io, void *to, const void *from, size_t bytes)
{
    uint64_t address = (uint64_t)io->segments->iov_base + io->in_segment;
    size_t   done = to ? copy_in_some(io->call, to, address, bytes)
                       : copy_out_some(io->call, address, from, bytes);

    if (done < bytes)
        io_fault(io, address + done, bytes - done);
    io->in_segment += done;
    return done;
}

static size_t io_move(struct io *io, uint8_t *to, const uint8_t *from, size_t bytes)
{
    size_t total = 0;

    bytes = min_size(bytes, io->left);
    while (total < bytes && !io->faulted) {
        size_t done;

        if (io->memory) {
            done = memory_move(io, to, from, bytes - total);
        } else if (io->in_segment == io->segments->iov_len) {
            io->segments++;
            io->segment_count--;
            io->in_segment = 0;
            must(io->segment_count > 0);
            continue;
        } else {
            done = segment_move(io, to, from,
                                min_size(bytes - total, io->segments->iov_len - io->in_segment));
        }
        total += done;
        to = to ? to + done : NULL;
        from = from ? from + done : NULL;
    }
    io->left -= total;
    io->moved += total;
    return total;
}

size_t io_put(struct io *io, const void *from, size_t bytes)
{
    return io_move(io, NULL, from, bytes);
}

size_t io_take(struct io *io, void *to, size_t bytes) { return io_move(io, to, NULL, bytes); }

size_t io_put_zeros(struct io *io, size_t bytes)
{
    static const uint8_t zeros[4 * PAGE_BYTES];
    size_t               total = 0;

    while (total < bytes && io->left && !io->faulted)
        total += io_put(io, zeros, min_size(bytes - total, sizeof zeros));
    return total;
}

void io_untake(struct io *io, size_t bytes)
{
    must(bytes <= io->moved);
    io->moved -= bytes;
    io->left += bytes;
    if (io->memory)
        io->memory -= bytes;
    while (!io->memory && bytes) {
        size_t back = min_size(bytes, io->in_segment);

        io->in_segment -= back;
        bytes -= back;
        if (!bytes)
            break;
        io->segments--;
        io->segment_count++;
        io->in_segment = io->segments->iov_len;
    }
}

static bool moved_whole(struct io *io, size_t moved, size_t bytes)
{
    if (moved < bytes)
        io_untake(io, moved);
    return moved == bytes;
}

bool io_put_whole(struct io *io, const void *from, size_t bytes)
{
    must(bytes <= io->left);
    return moved_whole(io, io_put(io, from, bytes), bytes);
}

bool io_take_whole(struct io *io, void *to, size_t bytes)
{
    must(bytes <= io->left);
    return moved_whole(io, io_take(io, to, bytes), bytes);
}

int64_t io_answer(struct io *io, int status, bool writes_memory)
{
    struct call *call = io->call;

    call->slot->done += io->moved;
    if (status < 0)
        return call->slot->done ? (int64_t)call->slot->done : status;
    if (status != IO_WAIT && io->faulted)
        return call_fault_in(call, io->fault_address, io->fault_bytes, writes_memory);
    if (status != IO_WAIT)
        return (int64_t)call->slot->done;
    if (io->nonblock)
        return call->slot->done ? (int64_t)call->slot->done : -EAGAIN;
    return io->queue ? call_wait(call, io->queue, io->deadline_ns)
                     : call_sleep(call, io->deadline_ns);
}
