/*
 * One message, whatever carried it: find the slot, run the handler, form the answer.
 */
#include <errno.h>
#include <gen/common_server.h>
#include <lib/native/native.h>
#include <lib/server/kit.h>
#include <string.h>

#define COMMON_OPERATIONS 16u

static void answer_words(struct ipc_message *message, const struct call *call, int64_t result)
{
    message->label = (uint16_t)call->answer;
    message->extra_words = 0;
    message->items = 0;
    message->word[0] = (uint64_t)result;
    memcpy(&message->word[1], call->answer_word, sizeof call->answer_word);
}

static void caps_drop(struct ipc_message *message)
{
    for (unsigned i = 0; i < message->items; i++)
        ipc_cap_drop(message->cap[i]);
    message->items = 0;
}

static void call_prepare(struct call *call, struct server *server, uint64_t badge,
                         const struct ipc_message *message)
{
    *call = (struct call){ .server = server,
                           .slot = slot_find(server, badge),
                           .badge = badge,
                           .space = SEL_NONE };
    memcpy(call->arg, message->word, sizeof call->arg);
    if (server->space_of && call->slot && call->slot->owner)
        call->space = server->space_of(call->slot);
}

/* ---- Linux calls --------------------------------------------------------------------------- */

/* What a call that gives up answers unless its handler says otherwise. */
static int64_t given_up(const struct call *call, unsigned flags)
{
    if (call->slot->done > 0)
        return (int64_t)call->slot->done;
    if (call->reason == CALL_FAULTED)
        return -EFAULT;
    return flags & SERVER_NO_RESTART ? -EINTR : -CALL_RESTARTS;
}

static void call_begin(struct call *call)
{
    struct slot *slot = call->slot;

    if (call->reason == CALL_FIRST && slot->declined_nr == call->nr + 1)
        call->reason = CALL_RETRY;
    else if (call->reason == CALL_FIRST)
        slot_reset(slot);
    slot_stop_waiting(slot);
    slot->deadline_ns = 0;
    slot->declined_nr = 0;
}

static int64_t linux_call(struct call *call)
{
    const struct server     *server = call->server;
    const struct linux_call *entry = NULL;
    bool gives_up = call->reason == CALL_INTERRUPTED || call->reason == CALL_FAULTED;

    if (call->nr < server->linux_call_count)
        entry = &server->linux_calls[call->nr];
    if (!entry || !entry->handle)
        return -ENOSYS;
    if (!call->slot || !call->slot->owner)
        return -ESRCH;
    call_begin(call);
    if (gives_up && !(entry->flags & SERVER_SELF_CANCEL))
        return given_up(call, entry->flags);
    return entry->handle(call);
}

/* An error besides a pending answer means that waiting failed: it is the result. */
static int64_t linux_call_finish(struct call *call)
{
    int64_t result = linux_call(call);

    if (call->answer != ANSWER_DONE && result < 0)
        call->answer = ANSWER_DONE;
    if (call->answer == ANSWER_DONE && call->slot)
        slot_reset(call->slot);
    return call->answer == ANSWER_DONE ? result : 0;
}

static unsigned routed_call(struct call *call, struct ipc_message *message)
{
    caps_drop(message);
    call->nr = message->label & LABEL_NR_MASK;
    call->reason = message->label >> LABEL_REASON_SHIFT;
    answer_words(message, call, 0);
    if (call->reason > CALL_MASKED) {
        message->word[0] = (uint64_t)(int64_t)-EINVAL;
        return 0;
    }
    if (call->slot && call->slot->answered && call->slot->declined_nr == call->nr + 1) {
        memcpy(message->word, call->slot->answer, sizeof message->word);
        slot_reset(call->slot);
        return 0;
    }
    answer_words(message, call, linux_call_finish(call));
    return 0;
}

/* Done, but the router must do something before the thread goes on: it gets the answer
 * when it makes the call again. */
static unsigned answer_keep(struct call *call, int64_t result)
{
    struct slot *slot = call->slot;

    slot->answered = true;
    slot->answer[0] = (uint64_t)result;
    memcpy(&slot->answer[1], call->answer_word, sizeof call->answer_word);
    slot->declined_nr = call->nr + 1;
    return REPLY_DECLINE;
}

/* A direct route: what can't be finished at once goes to the router, which makes
 * the call again; progress is kept for that. */
static unsigned direct_call(struct call *call, struct ipc_message *message)
{
    int64_t result;

    call->nr = message->label;
    result = linux_call_finish(call);
    if (call->answer != ANSWER_DONE) {
        call->slot->declined_nr = call->nr + 1;
        return REPLY_DECLINE;
    }
    if (call->answer_word[0] != FOLLOW_NONE && call->slot)
        return answer_keep(call, result);
    answer_words(message, call, result);
    return 0;
}

/* ---- everything else ------------------------------------------------------------------------- */

/* Operations are the router's, whose portal has no badge. Programs hold portals
 * with a badge, for direct routes. */
static unsigned operation(struct call *call, struct ipc_message *message)
{
    unsigned number = message->label & ~LABEL_OPERATION;

    if (call->badge)
        decode_refuse(message);
    else if (number < COMMON_OPERATIONS)
        common_dispatch(call, message);
    else if (call->server->dispatch)
        call->server->dispatch(call, message);
    else
        decode_refuse(message);
    return 0;
}

static unsigned fault(struct call *call, struct ipc_message *message)
{
    if (!call->server->fault || !call->server->fault(call, call->arg[0], call->arg[1]))
        return REPLY_DECLINE;
    answer_words(message, call, 0);
    return REPLY_MAP;
}

unsigned server_handle(struct server *server, unsigned kind, uint64_t badge,
                       struct ipc_message *message)
{
    struct call call;

    call_prepare(&call, server, badge, message);
    switch (kind) {
    case MSG_CALL:
        return message->label & LABEL_OPERATION ? operation(&call, message)
                                                : routed_call(&call, message);
    case MSG_FOREIGN: return direct_call(&call, message);
    case MSG_FAULT: return fault(&call, message);
    default: return REPLY_DECLINE;
    }
}
