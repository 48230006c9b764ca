/*
 * select(2), pselect6(2).
 */
#include <servers/vfs/poll.h>

#include "gen/linux_calls_vfs.h"

#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/deadline.h>
#include <servers/vfs/process.h>

#define SET_WORDS (DESCRIPTORS_MAX / 64)

enum { SET_READ, SET_WRITE, SET_EXCEPT, SET_COUNT };

static const unsigned set_events[SET_COUNT] = {
    [SET_READ] = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
    [SET_WRITE] = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
    [SET_EXCEPT] = POLLPRI,
};

struct selection {
    unsigned count;                       /* descriptors 0 .. count - 1 are looked at */
    uint64_t address[SET_COUNT];          /* in the caller's memory; 0: no set */
    uint64_t wanted[SET_COUNT][SET_WORDS];
    uint64_t ready[SET_COUNT][SET_WORDS];
};

static size_t set_bytes(const struct selection *s)
{
    return (s->count + 63) / 64 * sizeof(uint64_t);
}

static bool is_in(const uint64_t *set, unsigned fd) { return set[fd / 64] >> fd % 64 & 1; }

static bool is_wanted(const struct selection *s, unsigned fd)
{
    return is_in(s->wanted[SET_READ], fd) || is_in(s->wanted[SET_WRITE], fd) ||
           is_in(s->wanted[SET_EXCEPT], fd);
}

/* Returns 0, 1 (fault in) or -EINVAL. */
static int selection_read(struct call *call, struct selection *s)
{
    int count = (int)call->arg[0];

    if (count < 0)
        return -EINVAL;
    *s = (struct selection){ .count = (unsigned)count < DESCRIPTORS_MAX ? (unsigned)count
                                                                        : DESCRIPTORS_MAX };
    for (unsigned i = 0; i < SET_COUNT; i++) {
        s->address[i] = call->arg[1 + i];
        if (s->address[i] && copy_in(call, s->wanted[i], s->address[i], set_bytes(s)))
            return 1;
    }
    return 0;
}

/* Fills s->ready. Returns how many bits are set in it, or -EBADF. */
static int64_t select_all(struct call *call, struct selection *s)
{
    int64_t ready = 0;

    for (unsigned fd = 0; fd < s->count; fd++) {
        struct file *file;
        unsigned     events;

        if (!is_wanted(s, fd))
            continue;
        file = call_file(call, fd);
        if (!file)
            return -EBADF;
        events = file_readiness(file);
        for (unsigned i = 0; i < SET_COUNT; i++) {
            if (!is_in(s->wanted[i], fd) || !(events & set_events[i]))
                continue;
            s->ready[i][fd / 64] |= 1ull << fd % 64;
            ready++;
        }
    }
    return ready;
}

static unsigned wanted_events(const struct selection *s, unsigned fd)
{
    unsigned events = 0;

    for (unsigned i = 0; i < SET_COUNT; i++)
        if (is_in(s->wanted[i], fd))
            events |= set_events[i];
    return events;
}

static int64_t select_wait(struct call *call, const struct selection *s)
{
    for (unsigned fd = 0; fd < s->count; fd++)
        if (is_wanted(s, fd) &&
            file_wait_readiness(call, call_file(call, fd), wanted_events(s, fd)) < 0)
            return -ENOMEM;
    return call_sleep(call, deadline_of(call));
}

/* The deadline has been set. */
static int64_t select_run(struct call *call)
{
    static struct selection s; /* requests are serialised */
    int64_t                 ready;
    int                     error = selection_read(call, &s);

    if (error)
        return error;
    ready = select_all(call, &s);
    if (ready < 0)
        return ready;
    if (!ready && !deadline_passed(call))
        return select_wait(call, &s);
    for (unsigned i = 0; i < SET_COUNT; i++)
        if (s.address[i] && copy_out(call, s.address[i], s.ready[i], set_bytes(&s)))
            return 0;
    return ready;
}

static int64_t ns_from_parts(int64_t seconds, int64_t ns)
{
    return seconds > INT64_MAX / NS_PER_SECOND - 1 ? INT64_MAX : seconds * NS_PER_SECOND + ns;
}

int64_t sys_select(struct call *call)
{
    uint64_t                    address = call->arg[4];
    struct __kernel_old_timeval timeout;
    int64_t                     answer;

    if (!address) {
        deadline_begin_never(call);
        return select_run(call);
    }
    if (copy_in(call, &timeout, address, sizeof timeout))
        return 0;
    /* More than a second of microseconds is allowed here, as in Linux. */
    if (timeout.tv_sec < 0 || timeout.tv_usec < 0)
        return -EINVAL;
    deadline_begin_ns(call, ns_from_parts(timeout.tv_sec + timeout.tv_usec / 1000000,
                                          timeout.tv_usec % 1000000 * 1000));
    answer = select_run(call);
    if (call->answer == ANSWER_DONE && answer >= 0) {
        timeout.tv_sec = deadline_left_ns(call) / NS_PER_SECOND;
        timeout.tv_usec = deadline_left_ns(call) % NS_PER_SECOND / 1000;
        (void)copy_out_some(call, address, &timeout, sizeof timeout);
    }
    return answer;
}

/* The sixth argument points to where the mask is. */
static int64_t pselect_mask(struct call *call)
{
    struct { uint64_t address, bytes; } mask;

    if (!call->arg[5])
        return 0;
    if (copy_in(call, &mask, call->arg[5], sizeof mask))
        return 1;
    return call_swap_mask(call, mask.address, mask.bytes);
}

int64_t sys_pselect6(struct call *call)
{
    int64_t answer = deadline_begin_timespec(call, call->arg[4]);

    if (!answer && call->answer == ANSWER_DONE)
        answer = pselect_mask(call);
    if (answer || call->answer != ANSWER_DONE)
        return answer;
    answer = select_run(call);
    if (call->answer == ANSWER_DONE && answer >= 0)
        deadline_tell_timespec(call, call->arg[4]);
    return answer;
}
