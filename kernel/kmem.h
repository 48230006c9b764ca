/*
 * Kernel memory: single pages, and objects of fixed size cut from pages.
 */
#pragma once

#include "lock.h"

struct account;

/* Adds pages to the pool: at boot, and by donation of the root program. */
void kmem_add(phys_t phys, uint64_t pages);
/* A zeroed page in the direct map, or NULL. */
void *page_alloc(void);
void page_free(void *page);
/* The same, charged. */
void *page_alloc_charged(struct account *account);
void page_free_charged(struct account *account, void *page);

/* Objects of one size, at most a page. */
struct slab {
    uint32_t object_bytes;
    struct spinlock lock;
    void    *free;
};
void *slab_alloc(struct slab *slab); /* zeroed, or NULL */
void slab_free(struct slab *slab, void *object);

struct kmem_counts {
    uint64_t total, free;
};
struct kmem_counts kmem_counts(void);
