/*
 * Memory of the calling thread. A page that is not there ends the attempt: the
 * router has it brought in and asks again.
 */
#include <errno.h>
#include <lib/native/native.h>
#include <lib/server/backend.h>
#include <lib/server/server.h>
#include <string.h>

/* Nothing is ever at this address, so asking for it ends the call with EFAULT. */
#define NOWHERE UINT64_MAX

/* How many of the bytes from address on lie in user space. */
static uint64_t bytes_in_user_space(uint64_t address, uint64_t bytes)
{
    if (address >= USER_END)
        return 0;
    return bytes < USER_END - address ? bytes : USER_END - address;
}

int64_t call_fault_in(struct call *call, uint64_t address, uint64_t bytes, bool write)
{
    call->answer = ANSWER_FAULT_IN;
    call->answer_word[0] = address;
    call->answer_word[1] = bytes;
    call->answer_word[2] = write;
    return 0;
}

/* Copies as far as it gets. *gone: the memory is not to be had at all. */
static size_t copy_some(struct call *call, unsigned op, void *local, uint64_t remote, uint64_t bytes,
                        bool *gone)
{
    uint64_t    done = 0;
    enum status status;

    *gone = false;
    bytes = bytes_in_user_space(remote, bytes);
    if (!bytes)
        return 0;
    status = backend_copy(call->space, op, local, remote, bytes, &done);
    must(status != ST_FAULT_LOCAL && done <= bytes);
    *gone = status != ST_OK && status != ST_FAULT;
    return done;
}

static int copy_all(struct call *call, unsigned op, void *local, uint64_t remote, size_t bytes)
{
    bool   gone;
    size_t done = copy_some(call, op, local, remote, bytes, &gone);

    if (done == bytes)
        return 0;
    call_fault_in(call, gone ? NOWHERE : remote + done, bytes - done, op == COPY_TO);
    return 1;
}

int copy_in(struct call *call, void *to, uint64_t from, size_t bytes)
{
    return copy_all(call, COPY_FROM, to, from, bytes);
}

int copy_out(struct call *call, uint64_t to, const void *from, size_t bytes)
{
    return copy_all(call, COPY_TO, (void *)(uintptr_t)from, to, bytes);
}

size_t copy_in_some(struct call *call, void *to, uint64_t from, size_t bytes)
{
    bool gone;

    return copy_some(call, COPY_FROM, to, from, bytes, &gone);
}

size_t copy_out_some(struct call *call, uint64_t to, const void *from, size_t bytes)
{
    bool gone;

    return copy_some(call, COPY_TO, (void *)(uintptr_t)from, to, bytes, &gone);
}

int copy_in_string(struct call *call, char *to, uint64_t from, size_t max)
{
    bool   gone;
    size_t done = copy_some(call, COPY_STRING, to, from, max, &gone);

    if (done > 0 && to[done - 1] == 0)
        return 0;
    if (done == max)
        return -ENAMETOOLONG;
    call_fault_in(call, gone ? NOWHERE : from + done, 1, false);
    return 1;
}
