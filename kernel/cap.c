/*
 * Capability spaces and derivation.
 */
#include "cap.h"
#include "kmem.h"
#include "misc.h"

struct spinlock cap_lock;

/* Stands in for every page of capabilities that is not there. */
static struct cap empty_page[CAPS_PER_PAGE] __attribute__((aligned(4096)));

#define LINK_MASK 0x0000ffffffffffffull

static struct cap *link_get(uint64_t field)
{
    return (struct cap *)(uint64_t)((int64_t)(field << 16) >> 16);
}

static void link_set(uint64_t *field, struct cap *cap)
{
    *field = (*field & ~LINK_MASK) | ((uint64_t)cap & LINK_MASK);
}

static unsigned depth_of(const struct cap *cap) { return cap->next >> 48; }

/* ---- spaces -------------------------------------------------------------------- */

enum status cap_space_init(struct cap_space *space, struct account *account, struct object *owner)
{
    space->directory = page_alloc_charged(account);
    if (!space->directory)
        return ST_NO_MEMORY;
    for (unsigned i = 0; i < CAP_PAGES; i++)
        space->directory[i] = empty_page;
    space->account = account;
    space->owner = owner;
    return ST_OK;
}

void cap_space_free(struct cap_space *space)
{
    for (unsigned i = 0; i < CAP_PAGES; i++)
        if (space->directory[i] != empty_page)
            page_free_charged(space->account, space->directory[i]);
    page_free_charged(space->account, space->directory);
    space->directory = NULL;
}

/* Under cap_lock: a slot to write to; NULL with *status. */
static struct cap *slot_for_write(struct cap_space *space, cap_sel_t sel, enum status *status)
{
    struct cap **page;

    *status = ST_BAD_CAP;
    if (sel >= MAX_CAPS)
        return NULL;
    page = &space->directory[sel / CAPS_PER_PAGE];
    if (*page == empty_page) {
        struct cap *fresh = page_alloc_charged(space->account);

        *status = ST_NO_MEMORY;
        if (!fresh)
            return NULL;
        __atomic_store_n(page, fresh, __ATOMIC_RELEASE);
    }
    return &(*page)[sel % CAPS_PER_PAGE];
}

void *cap_lookup(const struct cap_space *space, cap_sel_t sel, enum object_type type,
                 unsigned rights, uint64_t *badge, enum status *status)
{
    const struct cap *cap = cap_slot(space, sel);
    uint64_t word = cap ? __atomic_load_n(&cap->word, __ATOMIC_ACQUIRE) : 0;

    if (unlikely(cap_type(word) != type)) {
        *status = ST_BAD_CAP;
        return NULL;
    }
    if (unlikely((cap_rights(word) & rights) != rights)) {
        *status = ST_BAD_RIGHTS;
        return NULL;
    }
    if (badge)
        *badge = cap->badge;
    return cap_object(word);
}

/* ---- derivation ------------------------------------------------------------------- */

/* Under cap_lock. Puts a capability behind parent (NULL: first of the object). */
static void cap_fill(struct cap_space *space, struct cap *cap, struct cap *parent,
                     struct object *object, unsigned rights, uint64_t badge)
{
    struct cap *next = parent ? link_get(parent->next) : object->first_cap;
    unsigned depth = parent ? depth_of(parent) + 1 : 0;

    cap->badge = badge;
    cap->next = (uint64_t)depth << 48 | ((uint64_t)next & LINK_MASK);
    cap->prev = (uint64_t)parent & LINK_MASK;
    if (next)
        link_set(&next->prev, cap);
    if (parent)
        link_set(&parent->next, cap);
    else
        object->first_cap = cap;
    if (space->owner == object)
        cap->prev |= CAP_UNCOUNTED;
    else
        object->caps++;
    __atomic_store_n(&cap->word, cap_word(object, rights), __ATOMIC_RELEASE);
}

/* Under cap_lock. */
static void cap_delete(struct cap *cap)
{
    struct object *object = cap_object(cap->word);
    struct cap *next = link_get(cap->next), *prev = link_get(cap->prev);
    bool counted = !(cap->prev & CAP_UNCOUNTED);

    __atomic_store_n(&cap->word, 0, __ATOMIC_RELEASE);
    if (next)
        link_set(&next->prev, prev);
    if (prev)
        link_set(&prev->next, next);
    else
        object->first_cap = next;
    cap->badge = cap->next = cap->prev = 0;
    if (counted && --object->caps == 0)
        object_orphan(object);
}

enum status cap_insert(struct cap_space *space, cap_sel_t sel, struct object *object,
                       unsigned rights)
{
    enum status status = ST_BAD_CAP;
    struct cap *cap = NULL;

    spin_lock(&cap_lock);
    /* A space whose PD has ended is being cleared and takes nothing new. */
    if (!space->owner->ended)
        cap = slot_for_write(space, sel, &status);
    if (cap && cap->word) {
        cap = NULL;
        status = ST_EXISTS;
    }
    if (cap) {
        cap_fill(space, cap, NULL, object, rights, 0);
        status = ST_OK;
    }
    spin_unlock(&cap_lock);
    return status;
}

/* Under cap_lock. */
static enum status delegate_locked(struct cap *from, struct cap_space *dst_space, cap_sel_t dst,
                                   unsigned mask, uint64_t badge)
{
    struct object *object = cap_object(from->word);
    enum status status;
    struct cap *to;

    if (object->ended || depth_of(from) == CAP_MAX_DEPTH)
        return ST_BAD_CAP;
    if (badge && (cap_type(from->word) != OBJ_PT || from->badge))
        return ST_BAD_RIGHTS;
    to = slot_for_write(dst_space, dst, &status);
    if (!to)
        return status;
    if (to->word)
        return ST_EXISTS;
    cap_fill(dst_space, to, from, object, cap_rights(from->word) & mask,
             badge ? badge : from->badge);
    return ST_OK;
}

enum status cap_delegate(struct cap_space *src_space, cap_sel_t src, struct cap_space *dst_space,
                         cap_sel_t dst, unsigned mask, uint64_t badge)
{
    enum status status = ST_BAD_CAP;
    struct cap *from;

    if (src >= MAX_CAPS)
        return ST_BAD_CAP;
    spin_lock(&cap_lock);
    from = (struct cap *)cap_slot(src_space, src);
    /* A space whose PD has ended is being cleared and takes nothing new. */
    if (!dst_space->owner->ended)
        status = from->word ? delegate_locked(from, dst_space, dst, mask, badge) : ST_OK;
    spin_unlock(&cap_lock);
    return status;
}

/* Under cap_lock. */
static void revoke_locked(struct cap *cap, bool self)
{
    unsigned depth = depth_of(cap);
    struct cap *child;

    if (!cap->word)
        return;
    while ((child = link_get(cap->next)) != NULL && depth_of(child) > depth)
        cap_delete(child);
    if (self)
        cap_delete(cap);
}

void cap_revoke(struct cap_space *space, cap_sel_t sel, bool self)
{
    spin_lock(&cap_lock);
    revoke_locked((struct cap *)cap_slot(space, sel), self);
    spin_unlock(&cap_lock);
}

void cap_space_clear(struct cap_space *space)
{
    for (unsigned i = 0; i < CAP_PAGES; i++) {
        struct cap *page = space->directory[i];

        if (page == empty_page)
            continue;
        spin_lock(&cap_lock);
        for (unsigned j = 0; j < CAPS_PER_PAGE; j++)
            if (page[j].word)
                cap_delete(&page[j]);
        spin_unlock(&cap_lock);
    }
}
