/*
 * A priority queue of nodes that are part of something else: a pairing heap. The node with the
 * smallest key is the root. Inserting costs O(1), removing O(log n) on average.
 */
#pragma once

#include <stdint.h>

struct heap_node {
    uint64_t          key;    /* 0: in no heap */
    struct heap_node *child;  /* the first */
    struct heap_node *next;   /* sibling */
    struct heap_node *before; /* sibling, or for the first child the parent; root: NULL */
};

/* key is not 0; the node is in no heap. */
void heap_insert(struct heap_node **root, struct heap_node *node, uint64_t key);
/* Does nothing if the node is in no heap. */
void heap_remove(struct heap_node **root, struct heap_node *node);
