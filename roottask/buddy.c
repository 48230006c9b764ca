/*
 * Buddy allocator: see buddy.h. A block of order n begins at a multiple of
 * 2^n frames of physical memory, so large blocks suit large pages.
 */
#include "buddy.h"
#include <lib/native/native.h>
#include <string.h>

enum frame_kind {
    FRAME_INNER = 0,     /* within a block, not its first frame */
    FRAME_FREE = 1,      /* first frame of a free block */
    FRAME_ALLOCATED = 2, /* first frame of an allocated one */
};

struct buddy_frame {
    uint8_t kind : 2;
    uint8_t order : 6;
    uint8_t owner;
};
_Static_assert(sizeof(struct buddy_frame) == 2, "kept small: one for each frame of the machine");

/* At the beginning of a free block. */
struct buddy_block {
    struct buddy_block *next, *previous;
};

static struct buddy_block *block_at(const struct buddy *buddy, phys_t phys)
{
    return (struct buddy_block *)(buddy->window + phys);
}

static phys_t block_phys(const struct buddy *buddy, const struct buddy_block *block)
{
    return (uintptr_t)block - buddy->window;
}

static const struct buddy_zone *zone_of(const struct buddy *buddy, phys_t phys)
{
    for (unsigned i = 0; i < buddy->zone_count; i++) {
        const struct buddy_zone *zone = &buddy->zones[i];

        if (phys >= zone->base && (phys - zone->base) >> PAGE_SHIFT < zone->frames)
            return zone;
    }
    return NULL;
}

static struct buddy_frame *frame_of(const struct buddy_zone *zone, phys_t phys)
{
    return &zone->state[(phys - zone->base) >> PAGE_SHIFT];
}

static bool zone_holds(const struct buddy_zone *zone, phys_t phys, unsigned order)
{
    return phys >= zone->base &&
           ((phys - zone->base) >> PAGE_SHIFT) + (1ull << order) <= zone->frames;
}

static void list_push(struct buddy *buddy, const struct buddy_zone *zone, phys_t phys,
                      unsigned order)
{
    struct buddy_block *block = block_at(buddy, phys);

    *frame_of(zone, phys) = (struct buddy_frame){ .kind = FRAME_FREE, .order = order };
    block->previous = NULL;
    block->next = buddy->free[order];
    if (block->next)
        block->next->previous = block;
    buddy->free[order] = block;
}

static void list_remove(struct buddy *buddy, const struct buddy_zone *zone, phys_t phys,
                        unsigned order)
{
    struct buddy_block *block = block_at(buddy, phys);

    *frame_of(zone, phys) = (struct buddy_frame){ .kind = FRAME_INNER };
    if (block->previous)
        block->previous->next = block->next;
    else
        buddy->free[order] = block->next;
    if (block->next)
        block->next->previous = block->previous;
}

void buddy_init(struct buddy *buddy, uintptr_t window)
{
    memset(buddy, 0, sizeof *buddy);
    buddy->window = window;
}

/* The largest block that may begin at phys and fits into the frames left. */
static unsigned order_at(phys_t phys, uint64_t frames_left)
{
    unsigned aligned = (unsigned)__builtin_ctzll(phys) - PAGE_SHIFT;
    unsigned fitting = 63 - (unsigned)__builtin_clzll(frames_left);
    unsigned order = aligned < fitting ? aligned : fitting;

    return order < BUDDY_MAX_ORDER ? order : BUDDY_MAX_ORDER;
}

static void zone_fill(struct buddy *buddy, const struct buddy_zone *zone)
{
    phys_t phys = zone->base;
    uint64_t left = zone->frames;

    while (left > 0) {
        unsigned order = order_at(phys, left);

        list_push(buddy, zone, phys, order);
        phys += PAGE_BYTES << order;
        left -= 1ull << order;
    }
}

uint64_t buddy_add(struct buddy *buddy, phys_t base, uint64_t bytes)
{
    phys_t first = (base + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    phys_t end = (base + bytes) & ~(PAGE_BYTES - 1);
    uint64_t frames, state_frames;
    struct buddy_zone *zone;

    if (first == 0)
        first = PAGE_BYTES;
    if (first >= end || buddy->zone_count == BUDDY_MAX_ZONES)
        return 0;
    frames = (end - first) >> PAGE_SHIFT;
    state_frames = (frames * sizeof(struct buddy_frame) + PAGE_BYTES - 1) >> PAGE_SHIFT;
    if (frames <= state_frames)
        return 0;

    zone = &buddy->zones[buddy->zone_count++];
    zone->state = (struct buddy_frame *)(buddy->window + first);
    zone->base = first + (state_frames << PAGE_SHIFT);
    zone->frames = frames - state_frames;
    memset(zone->state, 0, zone->frames * sizeof(struct buddy_frame));
    zone_fill(buddy, zone);
    buddy->frames_total += zone->frames;
    buddy->frames_free += zone->frames;
    return zone->frames;
}

phys_t buddy_alloc(struct buddy *buddy, unsigned order, uint8_t owner)
{
    unsigned found = order;
    const struct buddy_zone *zone;
    phys_t phys;

    while (found <= BUDDY_MAX_ORDER && !buddy->free[found])
        found++;
    if (found > BUDDY_MAX_ORDER)
        return 0;
    phys = block_phys(buddy, buddy->free[found]);
    zone = zone_of(buddy, phys);
    must(zone && frame_of(zone, phys)->kind == FRAME_FREE);
    list_remove(buddy, zone, phys, found);
    while (found > order) {
        found--;
        list_push(buddy, zone, phys + (PAGE_BYTES << found), found);
    }
    *frame_of(zone, phys) =
        (struct buddy_frame){ .kind = FRAME_ALLOCATED, .order = order, .owner = owner };
    buddy->frames_free -= 1ull << order;
    return phys;
}

bool buddy_owns(const struct buddy *buddy, phys_t phys, unsigned order, uint8_t owner)
{
    const struct buddy_zone *zone = zone_of(buddy, phys);
    struct buddy_frame frame;

    if (!zone || phys & (PAGE_BYTES - 1))
        return false;
    frame = *frame_of(zone, phys);
    return frame.kind == FRAME_ALLOCATED && frame.order == order && frame.owner == owner;
}

bool buddy_free(struct buddy *buddy, phys_t phys, unsigned order, uint8_t owner)
{
    const struct buddy_zone *zone = zone_of(buddy, phys);

    if (!buddy_owns(buddy, phys, order, owner))
        return false;
    buddy->frames_free += 1ull << order;
    *frame_of(zone, phys) = (struct buddy_frame){ .kind = FRAME_INNER };
    while (order < BUDDY_MAX_ORDER) {
        phys_t other = phys ^ (PAGE_BYTES << order);
        struct buddy_frame *frame;

        if (!zone_holds(zone, other, order))
            break;
        frame = frame_of(zone, other);
        if (frame->kind != FRAME_FREE || frame->order != order)
            break;
        list_remove(buddy, zone, other, order);
        phys &= ~(PAGE_BYTES << order);
        order++;
    }
    list_push(buddy, zone, phys, order);
    return true;
}
