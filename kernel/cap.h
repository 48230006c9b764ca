/*
 * Capabilities: the space of a PD, look-up, derivation.
 *
 * A capability space is a directory of pages of capabilities; directory entries
 * without a page point to one that is empty for ever, so that look-up never
 * tests for it. All capabilities to an object form one list in derivation
 * order, each with its depth: what was derived from a capability follows it
 * with greater depth.
 */
#pragma once

#include "lock.h"
#include "object.h"

#define CAPS_PER_PAGE 128u
#define CAP_PAGES     (MAX_CAPS / CAPS_PER_PAGE)

struct cap {
    uint64_t word;      /* object in bits 0-47 (sign-extended), rights 48-59, type 60-63; 0: empty */
    uint64_t badge;     /* portals only */
    uint64_t next;      /* derivation list, bits 48-63: depth; under cap_lock */
    uint64_t prev;      /* bit 48: CAP_UNCOUNTED; under cap_lock */
};
_Static_assert(sizeof(struct cap) * CAPS_PER_PAGE == PAGE_BYTES, "a page of capabilities");

/* A PD's capability to itself does not keep it alive. */
#define CAP_UNCOUNTED (1ull << 48)
#define CAP_MAX_DEPTH 0xffffu

struct cap_space {
    struct cap **directory; /* CAP_PAGES entries: one page */
    struct account *account;
    struct object *owner;   /* the PD */
};

extern struct spinlock cap_lock; /* derivation lists, object->caps, filling of directories */

static inline uint64_t cap_word(struct object *object, unsigned rights)
{
    return ((uint64_t)object & 0x0000ffffffffffffull) | (uint64_t)(rights & 0xfff) << 48 |
           (uint64_t)object->type << 60;
}

static inline struct object *cap_object(uint64_t word)
{
    return (struct object *)(uint64_t)((int64_t)(word << 16) >> 16);
}

static inline unsigned cap_rights(uint64_t word) { return word >> 48 & 0xfff; }
static inline unsigned cap_type(uint64_t word)   { return word >> 60; }

/* The slot of a selector, perhaps empty and perhaps in the shared empty page;
 * NULL when the selector is out of range. For reading only. */
static inline const struct cap *cap_slot(const struct cap_space *space, cap_sel_t sel)
{
    if (unlikely(sel >= MAX_CAPS))
        return NULL;
    return &space->directory[sel / CAPS_PER_PAGE][sel % CAPS_PER_PAGE];
}

/* The object behind a selector if it is of the type and has the rights; else
 * NULL and *status. badge may be NULL. */
void *cap_lookup(const struct cap_space *space, cap_sel_t sel, enum object_type type,
                 unsigned rights, uint64_t *badge, enum status *status);

enum status cap_space_init(struct cap_space *space, struct account *account, struct object *owner) PACKED_STATUS;
/* Deletes all capabilities; ended objects are left to object_reap. */
void cap_space_clear(struct cap_space *space);
void cap_space_free(struct cap_space *space);

/* Puts the first capability to a new object into an empty slot. */
enum status cap_insert(struct cap_space *space, cap_sel_t sel, struct object *object,
                       unsigned rights) PACKED_STATUS;

/* Derives dst from src: same object, rights & mask. badge: set it (portals
 * without one only; 0: keep). An empty source is skipped with ST_OK. */
enum status cap_delegate(struct cap_space *src_space, cap_sel_t src, struct cap_space *dst_space,
                         cap_sel_t dst, unsigned mask, uint64_t badge) PACKED_STATUS;

/* Deletes what was derived from sel, and with self the capability as well. */
void cap_revoke(struct cap_space *space, cap_sel_t sel, bool self);
