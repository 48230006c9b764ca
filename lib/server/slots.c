/*
 * Slots, and the operations that all servers have in common (proto/common.def).
 */
#include <errno.h>
#include <gen/common_server.h>
#include <lib/native/native.h>
#include <lib/server/backend.h>
#include <lib/server/kit.h>
#include <stdlib.h>
#include <string.h>

struct slot *slot_find(struct server *server, uint64_t number)
{
    return number < MAX_SLOTS ? server->slots[number] : NULL;
}

void slot_reset(struct slot *slot)
{
    slot_stop_waiting(slot);
    slot->done = 0;
    memset(slot->aux, 0, sizeof slot->aux);
    slot->declined_nr = 0;
    slot->answered = false;
}

/* Owner 0: unbind. The server sees the new owner, and its own data as it was. */
static int slot_set_owner(struct server *server, struct slot *slot, uint32_t tid, uint32_t owner)
{
    struct slot before = *slot;
    int         result = 0;

    slot->owner = owner;
    slot->tid = tid;
    if (server->on_bind && (owner || before.owner))
        result = server->on_bind(slot);
    if (result < 0 && owner) {
        *slot = before;
        return result;
    }
    if (!owner)
        slot->data = NULL;
    return 0;
}

int64_t common_op_slot_create(struct call *call, uint32_t slot, cap_sel_t sem)
{
    struct slot *created;

    if (slot >= MAX_SLOTS || sem == SEL_NONE)
        return -EINVAL;
    if (call->server->slots[slot])
        return -EEXIST;
    created = calloc(1, sizeof *created);
    if (!created)
        return -ENOMEM;
    created->sem = sem;
    created->number = slot;
    call->server->slots[slot] = created;
    return 0;
}

int64_t common_op_slot_destroy(struct call *call, uint32_t slot)
{
    struct slot *found = slot_find(call->server, slot);

    if (!found)
        return -ENOENT;
    slot_reset(found);
    (void)slot_set_owner(call->server, found, 0, 0);
    ipc_cap_drop(found->sem);
    call->server->slots[slot] = NULL;
    free(found);
    call->slot = NULL;
    return 0;
}

int64_t common_op_slot_bind(struct call *call, uint32_t slot, uint32_t tid, uint32_t owner)
{
    struct slot *found = slot_find(call->server, slot);

    if (!found)
        return -ENOENT;
    slot_reset(found);
    return slot_set_owner(call->server, found, tid, owner);
}

int64_t common_op_usage(struct call *call, uint64_t *frames, uint64_t *heap_bytes,
                        uint64_t *objects)
{
    backend_trim();
    *frames = frames_in_use();
    *heap_bytes = heap_bytes_in_use();
    *objects = call->server->object_count ? call->server->object_count() : 0;
    return 0;
}
