/*
 * mem's operations on whole spaces: proto/mem.def says what they do.
 */
#include "servers/mem/layout.h"
#include "servers/mem/space.h"
#include "servers/mem/vdso.h"

#include <gen/mem_server.h>

#include <errno.h>
#include <lib/native/native.h>
#include <lib/server/server.h>
#include <string.h>

/* ---- life --------------------------------------------------------------------------------- */

int64_t mem_op_space_create(struct call *call, uint32_t space, cap_sel_t pd)
{
    struct space *created;

    (void)call;
    return pd == SEL_NONE ? -EINVAL : space_create(space, pd, &created);
}

int64_t mem_op_space_clone(struct call *call, uint32_t id, uint32_t new_space, cap_sel_t pd)
{
    struct space *space = space_lookup(id);

    (void)call;
    if (!space)
        return -ESRCH;
    return pd == SEL_NONE ? -EINVAL : space_clone(space, new_space, pd);
}

int64_t mem_op_space_share(struct call *call, uint32_t id)
{
    struct space *space = space_lookup(id);

    (void)call;
    if (!space)
        return -ESRCH;
    if (space->users == UINT32_MAX)
        return -EAGAIN;
    space->users++;
    return 0;
}

int64_t mem_op_space_limits(struct call *call, uint32_t id, uint64_t as, uint64_t data,
                            uint64_t stack)
{
    struct space *space = space_lookup(id);

    (void)call;
    if (!space)
        return -ESRCH;
    space->limits = (struct space_limits){ .as = as, .data = data, .stack = stack };
    return 0;
}

/* Threads that are still bound lose their space. */
static void unbind(struct server *server, const struct space *space)
{
    for (unsigned i = 0; i < MAX_SLOTS && space->threads > 0; i++)
        if (server->slots[i] && server->slots[i]->data == space)
            server->slots[i]->data = NULL;
}

static size_t take_released(struct space *space, void *to, size_t *bytes)
{
    size_t count = space_take_released(space, to, *bytes / sizeof(uint64_t));

    *bytes = count * sizeof(uint64_t);
    return count;
}

int64_t mem_op_space_destroy(struct call *call, uint32_t id, void *released, size_t *released_bytes)
{
    struct space *space = space_lookup(id);

    if (!space) {
        *released_bytes = 0;
        return -ESRCH;
    }
    if (space->users > 1) {
        space->users--;
        take_released(space, released, released_bytes);
        return 0;
    }
    unbind(call->server, space);
    space_clear(space);
    take_released(space, released, released_bytes);
    if (space->released)
        return -EAGAIN;
    space_free(space);
    return 0;
}

int64_t mem_op_released(struct call *call, uint32_t id, void *released, size_t *released_bytes)
{
    struct space *space = space_lookup(id);

    (void)call;
    if (space)
        return (int64_t)take_released(space, released, released_bytes);
    *released_bytes = 0;
    return -ESRCH;
}

int64_t mem_op_realtime_offset(struct call *call, int64_t offset_ns)
{
    (void)call;
    vdso_set_realtime(offset_ns);
    return 0;
}

