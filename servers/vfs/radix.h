/*
 * A sparse map from page numbers to 64-bit values other than 0: a tree with 64 children a
 * node that grows in height with the highest key. A map with only key 0 needs no node.
 */
#pragma once

#include <stdint.h>

struct radix_node;

struct radix {
    union {
        uint64_t           value; /* height 0: of key 0 */
        struct radix_node *node;
    } root;
    unsigned height;
};

#define RADIX_END UINT64_MAX

typedef void radix_drop_fn(void *context, uint64_t key, uint64_t value);

/* The value of key, 0 if it has none. */
uint64_t radix_get(const struct radix *map, uint64_t key);
/* Gives key a value (not 0), or replaces it. Returns 0 or -ENOMEM. */
int radix_set(struct radix *map, uint64_t key, uint64_t value) __attribute__((warn_unused_result));
/* Takes out all keys >= first, calling drop for each in ascending order. */
void radix_drop_from(struct radix *map, uint64_t first, radix_drop_fn *drop, void *context);
/* The lowest key >= first that has a value; RADIX_END: none. */
uint64_t radix_next(const struct radix *map, uint64_t first);
