/*
 * The loop-back: each nested call has a UTCB of its own, as each EC has.
 */
#include "fakes.h"

#include <abi/message.h>
#include <gen/common_client.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <string.h>

#define MAX_DEPTH 8

static struct utcb utcbs[MAX_DEPTH];
static unsigned    depth;

struct utcb *utcb_self(void) { return &utcbs[depth]; }

void ipc_message_init(struct ipc_message *message, uint16_t label)
{
    *message = (struct ipc_message){ .label = label, .extra = utcbs[depth].data };
}

int ipc_call(const struct server_ref *to, struct ipc_message *message)
{
    return to->loopback(to, message);
}

/* A capability arrives at a fresh selector. */
static void deliver(struct ipc_message *to, const struct ipc_message *from, uint64_t *extra)
{
    *to = *from;
    to->extra = extra;
    must(from->extra_words <= UTCB_WORDS && from->items <= UTCB_ITEMS);
    memcpy(extra, from->extra, from->extra_words * sizeof *extra);
    for (unsigned i = 0; i < from->items; i++)
        to->cap[i] = host_cap_copy(from->cap[i]);
}

static int loop_back(const struct server_ref *to, struct ipc_message *message)
{
    struct ipc_message received;
    uint64_t          *extra = message->extra;

    must(depth + 1 < MAX_DEPTH);
    depth++;
    deliver(&received, message, utcbs[depth].data);
    (void)server_handle(to->context, MSG_CALL, to->badge, &received);
    depth--;
    deliver(message, &received, extra);
    return 0;
}

struct server_ref host_server(struct server *server, uint64_t badge)
{
    return (struct server_ref){
        .portal = SEL_NONE, .loopback = loop_back, .context = server, .badge = badge
    };
}

struct host_answer host_call(struct server *server, uint64_t slot, unsigned nr,
                             enum call_reason reason, const uint64_t arg[6])
{
    struct server_ref  to = host_server(server, slot);
    struct ipc_message message;
    struct host_answer answer;

    ipc_message_init(&message, (uint16_t)(nr | (unsigned)reason << LABEL_REASON_SHIFT));
    memcpy(message.word, arg, sizeof message.word);
    must(ipc_call(&to, &message) == 0);
    answer.answer = message.label;
    answer.result = (int64_t)message.word[0];
    memcpy(answer.word, &message.word[1], sizeof answer.word);
    return answer;
}

struct host_answer host_call_whole(struct server *server, uint64_t slot, unsigned nr,
                                   const uint64_t arg[6])
{
    struct host_answer answer = host_call(server, slot, nr, CALL_FIRST, arg);

    while (answer.answer == ANSWER_FAULT_IN || answer.answer == ANSWER_MASK) {
        struct slot *live = server->slots[slot];
        cap_sel_t    space = server->space_of ? server->space_of(live) : SEL_NONE;
        enum call_reason reason = CALL_MASKED;

        if (answer.answer == ANSWER_FAULT_IN)
            reason = host_fault_in(space, answer.word[0], answer.word[1], answer.word[2])
                         ? CALL_RETRY
                         : CALL_FAULTED;
        answer = host_call(server, slot, nr, reason, arg);
    }
    return answer;
}

cap_sel_t host_slot(struct server *server, uint32_t slot, uint32_t tid, uint32_t owner)
{
    struct server_ref to = host_server(server, 0);
    cap_sel_t         sem = cap_alloc(1);

    must(sem != SEL_NONE && common_slot_create(&to, slot, sem) == 0);
    must(common_slot_bind(&to, slot, tid, owner) == 0);
    return sem;
}
