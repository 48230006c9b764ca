/*
 * Buddy allocator for physical memory.
 *
 * Memory is added in zones (runs of free frames). The state of a zone's frames,
 * two bytes each, lies in the zone's own first frames; the lists of free blocks
 * run through the free blocks themselves. All memory is reached at
 * window + physical address.
 *
 * Not thread-safe: the caller holds a lock.
 */
#pragma once

#include <abi/types.h>

/* The largest block: 2^18 frames, 1 GiB. */
#define BUDDY_MAX_ORDER 18u
#define BUDDY_MAX_ZONES 64u

struct buddy_frame;
struct buddy_block;

struct buddy_zone {
    phys_t base; /* of the first frame that is given out */
    uint64_t frames;
    struct buddy_frame *state; /* one for each */
};

struct buddy {
    uintptr_t window;
    uint64_t frames_total; /* without those that hold the state */
    uint64_t frames_free;
    unsigned zone_count;
    struct buddy_zone zones[BUDDY_MAX_ZONES];
    struct buddy_block *free[BUDDY_MAX_ORDER + 1];
};

/* window: where physical address 0 would appear in our address space. */
void buddy_init(struct buddy *buddy, uintptr_t window);

/* Adds free memory, which must already be mapped in the window. Partial pages and
 * the page at address 0 are left out. Returns the frames gained; 0 if the run is
 * too small or there is no room for a further zone. */
uint64_t buddy_add(struct buddy *buddy, phys_t base, uint64_t bytes);

/* Takes a block of 2^order frames, aligned to its size, and marks it with the
 * owner's tag. Its content is undefined. Returns its address, or 0. */
phys_t buddy_alloc(struct buddy *buddy, unsigned order, uint8_t owner);

/* Is this exactly a block that buddy_alloc gave to that owner? */
bool buddy_owns(const struct buddy *buddy, phys_t phys, unsigned order, uint8_t owner);

/* Gives a block back; false (and nothing is changed) if !buddy_owns(...). */
bool buddy_free(struct buddy *buddy, phys_t phys, unsigned order, uint8_t owner);
