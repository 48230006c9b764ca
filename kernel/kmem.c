/*
 * Kernel memory: a list of free pages, and slabs on it.
 */
#include "kmem.h"
#include "account.h"

struct free_page {
    struct free_page *next;
};

static struct {
    struct spinlock lock;
    struct free_page *free;
    struct kmem_counts counts;
} pool;

void kmem_add(phys_t phys, uint64_t pages)
{
    for (; pages; pages--, phys += PAGE_BYTES) {
        spin_lock(&pool.lock);
        pool.counts.total++;
        spin_unlock(&pool.lock);
        page_free(phys_ptr(phys));
    }
}

void *page_alloc(void)
{
    struct free_page *page;

    spin_lock(&pool.lock);
    page = pool.free;
    if (page) {
        pool.free = page->next;
        pool.counts.free--;
    }
    spin_unlock(&pool.lock);
    if (page)
        page_clear(page);
    return page;
}

void page_free(void *ptr)
{
    struct free_page *page = ptr;

    assert((uint64_t)ptr % PAGE_BYTES == 0);
    spin_lock(&pool.lock);
    page->next = pool.free;
    pool.free = page;
    pool.counts.free++;
    spin_unlock(&pool.lock);
}

void *page_alloc_charged(struct account *account)
{
    void *page;

    if (!account_charge(account, PAGE_BYTES))
        return NULL;
    page = page_alloc();
    if (!page)
        account_uncharge(account, PAGE_BYTES);
    return page;
}

void page_free_charged(struct account *account, void *page)
{
    page_free(page);
    account_uncharge(account, PAGE_BYTES);
}

struct kmem_counts kmem_counts(void)
{
    struct kmem_counts counts;

    spin_lock(&pool.lock);
    counts = pool.counts;
    spin_unlock(&pool.lock);
    return counts;
}

/* ---- slabs ------------------------------------------------------------------- */

static void slab_refill(struct slab *slab)
{
    char *page = page_alloc();

    if (!page)
        return;
    for (size_t at = 0; at + slab->object_bytes <= PAGE_BYTES; at += slab->object_bytes) {
        *(void **)(page + at) = slab->free;
        slab->free = page + at;
    }
}

void *slab_alloc(struct slab *slab)
{
    void *object;

    spin_lock(&slab->lock);
    if (!slab->free)
        slab_refill(slab);
    object = slab->free;
    if (object)
        slab->free = *(void **)object;
    spin_unlock(&slab->lock);
    if (object)
        memset(object, 0, slab->object_bytes);
    return object;
}

void slab_free(struct slab *slab, void *object)
{
    spin_lock(&slab->lock);
    *(void **)object = slab->free;
    slab->free = object;
    spin_unlock(&slab->lock);
}
