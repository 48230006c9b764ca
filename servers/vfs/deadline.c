#include <servers/vfs/deadline.h>

#include <lib/native/native.h>

enum { AUX_STATE = 0, AUX_DEADLINE = 1 };
enum { STATE_NEW = 0, STATE_NEVER = 1, STATE_TIMED = 2, STATE_OVER = 3 };

void deadline_begin_ns(struct call *call, int64_t timeout_ns)
{
    uint64_t *aux = call->slot->aux;

    if (aux[AUX_STATE] != STATE_NEW) {
        if (call->reason == CALL_TIMED_OUT)
            aux[AUX_STATE] = STATE_OVER;
        return;
    }
    aux[AUX_STATE] = timeout_ns > 0 ? STATE_TIMED : STATE_OVER;
    if (__builtin_add_overflow(clock_ns(), (uint64_t)timeout_ns, &aux[AUX_DEADLINE]))
        aux[AUX_STATE] = STATE_NEVER;
}

void deadline_begin_never(struct call *call)
{
    uint64_t *aux = call->slot->aux;

    if (aux[AUX_STATE] == STATE_NEW)
        aux[AUX_STATE] = STATE_NEVER;
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
