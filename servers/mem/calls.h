/*
 * What the handlers of Linux calls and of mem's own operations share.
 */
#pragma once

#include "servers/mem/space.h"

#include <lib/server/server.h>

struct map_request {
    uint64_t address, bytes;
    unsigned prot, max_prot, flags; /* as in mmap(2) */
    uint64_t offset;                /* in the file, in bytes */
    struct object *object;          /* the file; NULL: anonymous */
};

/* mmap(2) behind the look at the descriptor. Returns the address, or -errno. */
int64_t map_range(struct space *space, const struct map_request *request);

/* Touches pages of the range as far as that is possible now, at most POPULATE_PAGES. */
void populate(struct space *space, uint64_t start, uint64_t end);

enum touch_kind {
    TOUCH_READ,
    TOUCH_WRITE,
    TOUCH_AS_MAPPED, /* for writing where that is allowed */
};

/* Brings a range in, or a part, in which case the answer is "fault in" and the call comes
 * again; progress is in call->slot->aux[0] (bytes). 0, -ENOMEM (also where nothing is mapped),
 * -EFAULT. */
int64_t touch_range(struct call *call, struct space *space, uint64_t start, uint64_t end,
                    enum touch_kind kind);

/* The space of the calling thread, or NULL. */
struct space *call_space(const struct call *call);

/* Word 1 of an answer is FOLLOW_FILES if files have lost their last mapping: the router
 * then fetches them by the operation `released`. Returns result. */
int64_t call_finish(struct call *call, const struct space *space, int64_t result);
