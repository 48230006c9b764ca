/*
 * Operations on ranges of mappings: copy to another address space, take rights,
 * unmap, map physical memory. The tables are walked once per 2 MiB.
 */
#include "kmem.h"
#include "misc.h"
#include "smp.h"
#include "x86.h"

/* A place in the page tables that moves forward page by page. */
struct cursor {
    struct space *space;
    vaddr_t   va;
    bool      create;
    bool      big;   /* entry is a 2 MiB entry */
    uint64_t *entry; /* NULL: no table here (or, with create, no memory) */
};

static void cursor_seek(struct cursor *c)
{
    c->entry = space_walk(c->space, c->va, c->create, &c->big);
}

static void cursor_next(struct cursor *c)
{
    c->va += PAGE_BYTES;
    if (c->va % BIG_PAGE_BYTES == 0)
        cursor_seek(c);
    else if (c->entry && !c->big)
        c->entry++;
}

/* Physical address that the cursor's page maps to. */
static phys_t cursor_phys(const struct cursor *c)
{
    phys_t base = *c->entry & PTE_ADDR;

    return c->big ? base + (c->va % BIG_PAGE_BYTES & ~(PAGE_BYTES - 1)) : base;
}

static void lock_two(struct space *a, struct space *b)
{
    if (a > b) {
        struct space *swap = a;

        a = b;
        b = swap;
    }
    spin_lock(&a->lock);
    if (a != b)
        spin_lock(&b->lock);
}

static void unlock_two(struct space *a, struct space *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

/* ---- copying mappings ----------------------------------------------------------- */

struct changed {
    bool src, dst; /* some translation lost rights or was replaced */
};

/* Copies one mapping. Writing needs the right at the source; executing is the
 * destination's own affair. */
static enum status copy_page(struct cursor *src, struct cursor *dst, unsigned rights, bool cow,
                             struct changed *changed)
{
    uint64_t from = *src->entry, to;

    if (!dst->entry)
        return ST_NO_MEMORY;
    if (*dst->entry & PTE_KERNEL_OWNED)
        return ST_BAD_PARAM;
    if (cow && src->big && from & PTE_W) { /* a part of it changes */
        src->entry = space_walk(src->space, src->va, true, &src->big);
        if (!src->entry)
            return ST_NO_MEMORY;
        from = *src->entry;
    }
    if (cow || !(from & PTE_W))
        rights &= ~(unsigned)MEM_W;
    to = cursor_phys(src) | pte_from_rights(rights) | (from & (PTE_PCD | PTE_PWT));
    changed->dst |= *dst->entry & PTE_P && *dst->entry != to;
    *dst->entry = to;
    if (cow && from & PTE_W) {
        *src->entry = from & ~PTE_W;
        changed->src = true;
    }
    return ST_OK;
}

/* Copies a 2 MiB mapping as such, where both sides allow. */
static bool copy_big(struct cursor *src, struct space *dst, vaddr_t to, uint64_t pages,
                     unsigned rights, bool cow, struct changed *changed)
{
    uint64_t *entry;

    if (!src->entry || !src->big || src->va % BIG_PAGE_BYTES || to % BIG_PAGE_BYTES ||
        pages < TABLE_ENTRIES)
        return false;
    entry = space_walk_big(dst, to);
    if (!entry || *entry & PTE_P)
        return false;
    if (cow || !(*src->entry & PTE_W))
        rights &= ~(unsigned)MEM_W;
    if (cow && *src->entry & PTE_W) {
        *src->entry &= ~PTE_W;
        changed->src = true;
    }
    *entry = (*src->entry & (PTE_ADDR | PTE_PCD | PTE_PWT)) | pte_from_rights(rights) | PTE_PS;
    return true;
}

static uint64_t at_most(uint64_t value, uint64_t limit) { return value < limit ? value : limit; }

/* Moves over pages that the source does not have. */
static uint64_t hole_skip(struct cursor *src, uint64_t pages)
{
    uint64_t step = src->entry ? 1 : space_gap(src->space, src->va) / PAGE_BYTES;

    step = at_most(step, pages);
    if (step == 1) {
        cursor_next(src);
    } else {
        src->va += step * PAGE_BYTES;
        cursor_seek(src);
    }
    return step;
}

/* The destination's cursor follows the source's, and makes tables only where
 * there is something to map. */
static void follow(struct cursor *dst, vaddr_t va)
{
    bool same_table = dst->entry && (dst->va ^ va) < BIG_PAGE_BYTES;

    if (same_table)
        dst->entry += ((int64_t)(va - dst->va)) / (int64_t)PAGE_BYTES;
    dst->va = va;
    if (!same_table)
        cursor_seek(dst);
}

static struct range_result map_locked(struct space *src_space, vaddr_t from,
                                      struct space *dst_space, vaddr_t to, uint64_t pages,
                                      unsigned rights, unsigned flags, struct changed *changed)
{
    struct cursor src = { .space = src_space, .va = from };
    struct cursor dst = { .space = dst_space, .create = true };
    struct range_result result = { ST_OK, 0 };

    cursor_seek(&src);
    while (result.done < pages && result.status == ST_OK) {
        vaddr_t at = to + result.done * PAGE_BYTES;
        bool present = src.entry && *src.entry & PTE_P && !(*src.entry & PTE_KERNEL_OWNED);

        if (copy_big(&src, dst_space, at, pages - result.done, rights, flags & MAP_COW, changed)) {
            src.va += BIG_PAGE_BYTES;
            cursor_seek(&src);
            dst.entry = NULL;
            result.done += TABLE_ENTRIES;
        } else if (present) {
            follow(&dst, at);
            if (src.big)
                cursor_seek(&src); /* it may have been split for the destination */
            result.status = copy_page(&src, &dst, rights, flags & MAP_COW, changed);
            if (result.status == ST_OK) {
                cursor_next(&src);
                result.done++;
            }
        } else if (flags & MAP_SPARSE) {
            result.done += hole_skip(&src, pages - result.done);
        } else {
            result.status = ST_FAULT;
        }
    }
    return result;
}

struct range_result range_map(struct space *src, vaddr_t from, struct space *dst, vaddr_t to,
                              uint64_t pages, unsigned rights, unsigned flags)
{
    struct changed changed = { false, false };
    struct range_result result = { ST_BAD_PARAM, 0 };

    if (!user_range_valid(from, pages) || !user_range_valid(to, pages))
        return result;
    lock_two(src, dst);
    result = map_locked(src, from, dst, to, pages, rights, flags, &changed);
    unlock_two(src, dst);
    if (changed.src)
        tlb_shootdown(src, from, pages);
    if (changed.dst)
        tlb_shootdown(dst, to, pages);
    return result;
}

/* ---- taking rights --------------------------------------------------------------- */

/* Page tables that became empty, linked by their first words. */
struct freed {
    struct space *space;
    uint64_t *tables;
    bool      changed;
};

static uint64_t reduce(uint64_t pte, unsigned rights)
{
    if (!(pte & PTE_P) || pte & PTE_KERNEL_OWNED)
        return pte;
    if (!(rights & MEM_R))
        return 0;
    if (!(rights & MEM_W))
        pte &= ~PTE_W;
    if (!(rights & MEM_X))
        pte |= pte_from_rights(MEM_R) & PTE_NX;
    return pte;
}

/* A whole table is unmapped: it can go, unless it holds pages of the kernel. */
static void unmap_table(struct freed *freed, uint64_t *pd_entry)
{
    uint64_t *table = phys_ptr(*pd_entry & PTE_ADDR);
    bool kept = false;

    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        freed->changed |= table[i] & PTE_P;
        table[i] = reduce(table[i], 0);
        kept |= table[i] & PTE_P;
    }
    if (kept)
        return;
    *pd_entry = 0;
    *table = (uint64_t)freed->tables;
    freed->tables = table;
}

/* Handles 2 MiB at va if it can be done as a whole. */
static bool protect_big(struct freed *freed, vaddr_t va, unsigned rights)
{
    bool big;
    uint64_t *entry = space_walk(freed->space, va, false, &big);

    if (!entry)
        return false;
    if (big) {
        freed->changed = true;
        *entry = reduce(*entry, rights);
        return true;
    }
    if (rights & MEM_R)
        return false;
    unmap_table(freed, space_walk_big(freed->space, va));
    return true;
}

static enum status protect_pages(struct freed *freed, vaddr_t va, uint64_t pages, unsigned rights)
{
    while (pages) {
        bool big;
        uint64_t *entry;

        if (va % BIG_PAGE_BYTES == 0 && pages >= TABLE_ENTRIES && protect_big(freed, va, rights)) {
            va += BIG_PAGE_BYTES;
            pages -= TABLE_ENTRIES;
            continue;
        }
        entry = space_walk(freed->space, va, false, &big);
        if (!entry) {
            uint64_t step = at_most(space_gap(freed->space, va) / PAGE_BYTES, pages);

            va += step * PAGE_BYTES;
            pages -= step;
            continue;
        }
        if (big) {
            entry = space_walk(freed->space, va, true, &big); /* splits it */
            if (!entry)
                return ST_NO_MEMORY;
        }
        if (*entry & PTE_P) {
            *entry = reduce(*entry, rights);
            freed->changed = true;
        }
        va += PAGE_BYTES;
        pages--;
    }
    return ST_OK;
}

enum status range_protect(struct space *space, vaddr_t va, uint64_t pages, unsigned rights)
{
    struct freed freed = { .space = space };
    enum status status;

    spin_lock(&space->lock);
    status = protect_pages(&freed, va, pages, rights);
    spin_unlock(&space->lock);
    if (freed.changed || freed.tables)
        tlb_shootdown(space, va, freed.tables ? ~0ull : pages);
    while (freed.tables) {
        uint64_t *table = freed.tables;

        freed.tables = (uint64_t *)*table;
        page_free_charged(space->account, table);
    }
    return status;
}

/* ---- physical memory ---------------------------------------------------------------- */

enum status range_map_phys(struct space *space, phys_t phys, vaddr_t va, uint64_t pages,
                           unsigned rights)
{
    enum status status = ST_OK;
    vaddr_t start = va;
    uint64_t count = pages;

    spin_lock(&space->lock);
    while (pages && status == ST_OK) {
        bool aligned = (phys | va) % BIG_PAGE_BYTES == 0 && pages >= TABLE_ENTRIES, big;
        uint64_t *entry = aligned ? space_walk_big(space, va) : NULL;
        uint64_t step = 1;

        if (entry && !(*entry & PTE_P)) {
            *entry = phys | pte_from_rights(rights) | PTE_PS;
            step = TABLE_ENTRIES;
        } else {
            entry = space_walk(space, va, true, &big);
            if (!entry)
                status = ST_NO_MEMORY;
            else if (*entry & PTE_KERNEL_OWNED)
                status = ST_BAD_PARAM;
            else
                *entry = phys | pte_from_rights(rights);
        }
        phys += step * PAGE_BYTES;
        va += step * PAGE_BYTES;
        pages -= step;
    }
    spin_unlock(&space->lock);
    tlb_shootdown(space, start, count);
    return status;
}

/* ---- access to memory ------------------------------------------------------------------ */

static uint64_t page_rest(vaddr_t va) { return PAGE_BYTES - va % PAGE_BYTES; }

/* Bytes up to and including the first zero; the whole chunk if there is none. */
static uint64_t string_length(const char *from, uint64_t bytes, bool *end)
{
    for (uint64_t n = 0; n < bytes; n++)
        if (!from[n]) {
            *end = true;
            return n + 1;
        }
    return bytes;
}

/* One piece that crosses no page boundary on either side. 0: not accessible (*status). */
static uint64_t copy_piece(struct space *local, vaddr_t local_va, struct space *remote,
                           vaddr_t remote_va, uint64_t bytes, unsigned op, bool *end,
                           enum status *status)
{
    bool to_remote = op == COPY_TO;
    void *there = space_access(remote, remote_va, to_remote);
    void *here = there ? space_access(local, local_va, !to_remote) : NULL;

    if (!here) {
        *status = there ? ST_FAULT_LOCAL : ST_FAULT;
        return 0;
    }
    if (op == COPY_STRING)
        bytes = string_length(there, bytes, end);
    memcpy(to_remote ? there : here, to_remote ? here : there, bytes);
    return bytes;
}

/* The remote side is locked while a piece is copied, so that a frame can't be
 * taken from it in between. */
struct range_result copy_between(struct space *local, vaddr_t local_va, struct space *remote,
                                 vaddr_t remote_va, uint64_t bytes, unsigned op)
{
    struct range_result result = { ST_OK, 0 };
    bool end = false;

    while (result.done < bytes && result.status == ST_OK && !end) {
        uint64_t piece = bytes - result.done;

        if (remote_va >= USER_END || local_va >= USER_END) {
            result.status = remote_va >= USER_END ? ST_FAULT : ST_FAULT_LOCAL;
            break;
        }
        if (piece > page_rest(local_va))
            piece = page_rest(local_va);
        if (piece > page_rest(remote_va))
            piece = page_rest(remote_va);
        lock_two(local, remote);
        piece = copy_piece(local, local_va, remote, remote_va, piece, op, &end, &result.status);
        unlock_two(local, remote);
        result.done += piece;
        local_va += piece;
        remote_va += piece;
    }
    return result;
}
