/*
 * Slots and calls: see linux_thread.h.
 */
#include "linux_thread.h"

#include <errno.h>
#include <gen/common_client.h>
#include <lib/native/runtime.h>
#include <string.h>

bool linux_thread_open(struct linux_thread *thread, const char *server, uint32_t slot)
{
    cap_sel_t badged = cap_alloc(1);

    *thread = (struct linux_thread){ .slot = slot, .sem = semaphore_create(0) };
    thread->all.portal = portal_find(server);
    thread->server.portal = badged;
    if (thread->all.portal == SEL_NONE || badged == SEL_NONE || thread->sem == SEL_NONE)
        return false;
    return hc_mint(thread->all.portal, badged, PT_CALL, slot) == ST_OK &&
           common_slot_create(&thread->all, slot, thread->sem) == 0;
}

bool linux_thread_close(struct linux_thread *thread)
{
    int64_t result = common_slot_destroy(&thread->all, thread->slot);

    ipc_cap_drop(thread->server.portal);
    ipc_cap_drop(thread->sem);
    return result == 0;
}

int linux_thread_try(struct linux_thread *thread, unsigned nr, enum call_reason reason,
                     const uint64_t *arg, int64_t *result)
{
    struct ipc_message message;

    ipc_message_init(&message, (uint16_t)(nr | (unsigned)reason << LABEL_REASON_SHIFT));
    memcpy(message.word, arg, sizeof message.word);
    if (ipc_call(&thread->server, &message))
        return -EIO;
    memcpy(thread->word, message.word, sizeof thread->word);
    *result = (int64_t)message.word[0];
    return message.label;
}

int64_t linux_thread_call(struct linux_thread *thread, unsigned nr, const uint64_t *arg)
{
    int64_t result;

    if (linux_thread_try(thread, nr, CALL_FIRST, arg, &result) != ANSWER_DONE)
        return LINUX_NOT_DONE;
    return result;
}
