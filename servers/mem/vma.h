/*
 * A VMA: a run of pages of an address space with one protection and one source.
 * VMAs of a space don't overlap; they are in an AVL tree that also knows the
 * gaps between them. Nothing here allocates or refers to anything outside.
 */
#pragma once

#include <abi/types.h>

struct object;

enum vma_flag {
    VMA_SHARED       = 1 << 0, /* writes go to the object, not into own pages */
    VMA_GROWSDOWN    = 1 << 1, /* a fault below it makes it grow */
    VMA_NORESERVE    = 1 << 2,
    VMA_DONTFORK     = 1 << 3, /* madvise: for clones of the space */
    VMA_WIPEONFORK   = 1 << 4,
};

struct vma {
    uint64_t       start, end; /* addresses, page-aligned */
    unsigned       prot;       /* PROT_READ, ... */
    unsigned       max_prot;   /* the most that mprotect may give */
    unsigned       flags;
    struct object *object;     /* where pages come from; NULL: zeroes */
    uint64_t       index;      /* page of the object at start */
    uint64_t       zero_from;  /* address in the last page from which on it is zero; or 0 */
    /* owned by the tree */
    struct vma    *left, *right;
    uint64_t       first, last; /* of the subtree: start less guard, end */
    uint64_t       max_gap;     /* bytes; between neighbours within the subtree */
    int            height;
};

struct vma_tree {
    struct vma *root;
    unsigned    count;
};

#define NO_GAP UINT64_MAX

/* The VMA that contains address, or NULL. */
struct vma *vma_find(const struct vma_tree *tree, uint64_t address);
/* The first VMA that ends after address, or NULL. */
struct vma *vma_at_or_after(const struct vma_tree *tree, uint64_t address);
/* The last VMA that starts before address, or NULL. */
struct vma *vma_before(const struct vma_tree *tree, uint64_t address);
/* The neighbour above. */
struct vma *vma_next(const struct vma_tree *tree, const struct vma *vma);

/* It must not overlap another one. */
void vma_insert(struct vma_tree *tree, struct vma *vma);
void vma_remove(struct vma_tree *tree, struct vma *vma);
/* Moves its borders; it must not overlap another one then. index stays. */
void vma_resize(struct vma_tree *tree, struct vma *vma, uint64_t start, uint64_t end);

/* The highest (lowest) address in [low, high) at which so many bytes are free, also of
 * the guard below VMAs that grow down; or NO_GAP. O(log n). */
uint64_t vma_gap_highest(const struct vma_tree *tree, uint64_t low, uint64_t high, uint64_t bytes);
uint64_t vma_gap_lowest(const struct vma_tree *tree, uint64_t low, uint64_t high, uint64_t bytes);

/* Makes to, which is empty, a copy of from. spare: as many VMAs as from has, linked by
 * `right`; they become the copy. */
void vma_copy_tree(struct vma_tree *to, const struct vma_tree *from, struct vma *spare);

/* Its start, or the start of the guard below it. */
uint64_t vma_guarded_start(const struct vma *vma);

/* Cuts vma at an address inside of it; upper (uninitialised) becomes the upper part. */
void vma_split(struct vma_tree *tree, struct vma *vma, uint64_t at, struct vma *upper);
/* Whether the two neighbours could be one. */
bool vma_can_merge(const struct vma *low, const struct vma *high);
/* Extends vma over its upper neighbour if they can be one; returns the neighbour,
 * which is out of the tree then, or NULL. */
struct vma *vma_merge_next(struct vma_tree *tree, struct vma *vma);
