/*
 * A sparse array from page index to a non-zero 64-bit value: a radix tree of
 * nodes with 64 slots that is as high as its greatest index demands. Empty
 * nodes are freed at once.
 */
#pragma once

#include <stdint.h>

struct pagemap_node;

struct pagemap {
    struct pagemap_node *root;
    unsigned             height; /* levels below root; 0: root is a leaf */
    uint64_t             count;  /* entries */
};

/* The value at index, or 0. */
uint64_t pagemap_get(const struct pagemap *map, uint64_t index);
/* Sets a value (not 0). Returns 0, or -ENOMEM with the map as it was. */
int pagemap_set(struct pagemap *map, uint64_t index, uint64_t value)
    __attribute__((warn_unused_result));
/* Empties a slot; returns what was in it, or 0. */
uint64_t pagemap_clear(struct pagemap *map, uint64_t index);
/* Empties all slots of [first, end), and calls visit with what was in each. */
void pagemap_drain(struct pagemap *map, uint64_t first, uint64_t end,
                   void (*visit)(uint64_t value));
/* Makes to, which is empty, equal to from, and calls visit with each value. Returns 0, or
 * -ENOMEM: nothing has happened. */
int pagemap_copy(struct pagemap *to, const struct pagemap *from, void (*visit)(uint64_t value))
    __attribute__((warn_unused_result));
/* Entries in [first, end). */
uint64_t pagemap_count(const struct pagemap *map, uint64_t first, uint64_t end);
/* Finds the first entry in [*index, end). Returns its value and sets *index, or 0. */
uint64_t pagemap_next(const struct pagemap *map, uint64_t *index, uint64_t end);
