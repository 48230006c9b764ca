#include <servers/vfs/deadline.h>

#include <lib/native/native.h>
#include <servers/vfs/linux.h>

#define NS_PER_MS 1000000ll

enum { AUX_STATE = 0, AUX_DEADLINE = 1 };
enum { STATE_NEW = 0, STATE_NEVER = 1, STATE_TIMED = 2, STATE_OVER = 3 };

void deadline_begin_ns(struct call *call, int64_t timeout_ns)
{
    uint64_t *aux = call->slot->aux;

    if (aux[AUX_STATE] != STATE_NEW)
        return;
    aux[AUX_STATE] = timeout_ns > 0 ? STATE_TIMED : STATE_OVER;
    if (timeout_ns <= 0)
        return;
    if (__builtin_add_overflow(clock_ns(), (uint64_t)timeout_ns, &aux[AUX_DEADLINE]))
        aux[AUX_STATE] = STATE_NEVER;
}

void deadline_begin_never(struct call *call)
{
    uint64_t *aux = call->slot->aux;

    if (aux[AUX_STATE] == STATE_NEW)
        aux[AUX_STATE] = STATE_NEVER;
}

void deadline_begin_ms(struct call *call, int timeout_ms)
{
    if (timeout_ms < 0)
        deadline_begin_never(call);
    else
        deadline_begin_ns(call, timeout_ms * NS_PER_MS);
}

int64_t deadline_begin_timespec(struct call *call, uint64_t address)
{
    struct __kernel_timespec timeout;

    if (!address) {
        deadline_begin_never(call);
        return 0;
    }
    if (copy_in(call, &timeout, address, sizeof timeout))
        return 0;
    if (timeout.tv_sec < 0 || timeout.tv_nsec < 0 || timeout.tv_nsec >= NS_PER_SECOND)
        return -EINVAL;
    deadline_begin_ns(call, timeout.tv_sec > INT64_MAX / NS_PER_SECOND - 1
                                ? INT64_MAX
                                : timeout.tv_sec * NS_PER_SECOND + timeout.tv_nsec);
    return 0;
}

void deadline_tell_timespec(struct call *call, uint64_t address)
{
    int64_t                  left = deadline_left_ns(call);
    struct __kernel_timespec timeout = { left / NS_PER_SECOND, left % NS_PER_SECOND };

    if (address)
        (void)copy_out_some(call, address, &timeout, sizeof timeout);
}

bool deadline_passed(const struct call *call)
{
    const uint64_t *aux = call->slot->aux;

    return aux[AUX_STATE] == STATE_OVER ||
           (aux[AUX_STATE] == STATE_TIMED && clock_ns() >= aux[AUX_DEADLINE]);
}

uint64_t deadline_of(const struct call *call)
{
    const uint64_t *aux = call->slot->aux;

    return aux[AUX_STATE] == STATE_TIMED ? aux[AUX_DEADLINE] : 0;
}

int64_t deadline_left_ns(const struct call *call)
{
    uint64_t now = clock_ns(), deadline = deadline_of(call);

    return deadline > now ? (int64_t)(deadline - now) : 0;
}

bool deadline_is_set(const struct call *call)
{
    return call->slot->aux[AUX_STATE] == STATE_TIMED || call->slot->aux[AUX_STATE] == STATE_OVER;
}
