/*
 * A copy of an address space: fork(2).
 *
 * Everything that can fail comes before the parent's mappings lose the right to be
 * written, or is undone by clearing the child. That the parent's private pages can't be
 * written any more does no harm: the next write finds whether they are shared.
 */
#include "servers/mem/frames.h"
#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <abi/hypercall.h>
#include <errno.h>
#include <lib/native/native.h>
#include <stdlib.h>

/* ---- what the child knows ----------------------------------------------------------------- */

static void spare_free(struct vma *spare)
{
    while (spare) {
        struct vma *next = spare->right;

        free(spare);
        spare = next;
    }
}

/* So many VMAs, linked by right. */
static int spare_alloc(unsigned count, struct vma **spare)
{
    for (*spare = NULL; count > 0; count--) {
        struct vma *vma = malloc(sizeof *vma);

        if (!vma) {
            spare_free(*spare);
            return -ENOMEM;
        }
        vma->right = *spare;
        *spare = vma;
    }
    return 0;
}

static int copy_vmas(struct space *child, const struct space *parent)
{
    struct vma *spare, *vma;
    int error = spare_alloc(parent->vmas.count, &spare);

    if (error)
        return error;
    vma_copy_tree(&child->vmas, &parent->vmas, spare);
    for (vma = vma_at_or_after(&child->vmas, 0); vma; vma = vma_next(&child->vmas, vma))
        if (vma->object)
            object_get(vma->object);
    return 0;
}

static void copy_facts(struct space *child, const struct space *parent)
{
    child->counts = parent->counts;
    child->peak_total = parent->counts.total;
    child->peak_own = parent->pages.count;
    child->limits = parent->limits;
    child->marks = parent->marks;
    child->brk_start = parent->brk_start;
    child->brk = parent->brk;
    child->mmap_base = parent->mmap_base;
}

/* The child has copies of all; takes away what madvise(2) said. Nothing is mapped yet. */
static void apply_advice(struct space *child)
{
    struct vma *vma = vma_at_or_after(&child->vmas, 0);

    while (vma) {
        struct vma *next = vma_next(&child->vmas, vma);
        uint64_t first = page_number(vma->start), end = page_number(vma->end);

        if (vma->flags & (VMA_DONTFORK | VMA_WIPEONFORK))
            pagemap_drain(&child->pages, first, end, frame_put);
        if (vma->flags & VMA_DONTFORK) {
            space_count_pages(child, -(int64_t)(end - first), vma->prot, vma->flags);
            vma_remove(&child->vmas, vma);
            object_put(vma->object, &child->released);
            free(vma);
        }
        vma = next;
    }
}

/* ---- mappings ----------------------------------------------------------------------------- */

/* Runs of mappings are copied by one hypercall, also over gaps of so many pages. */
#define GAP_PAGES 16u
/* Private pages are looked for in blocks of this size. */
#define BLOCK_PAGES 64u

struct run {
    uint64_t start, end;
    unsigned rights;
    bool     cow;
};

static int run_flush(struct space *parent, struct space *child, struct run *run)
{
    struct run done = *run;

    *run = (struct run){ 0 };
    if (done.start == done.end)
        return 0;
    return pager_clone(&parent->pager, &child->pager, done.start,
                       page_number(done.end - done.start), done.rights, done.cow);
}

/* Adds mappings behind those of the run; copies the run first if they don't belong to it. */
static int run_add(struct space *parent, struct space *child, struct run *run,
                   const struct run *more)
{
    int error;

    if (more->rights == run->rights && more->cow == run->cow &&
        more->start - run->end <= GAP_PAGES * PAGE_BYTES) {
        run->end = more->end;
        return 0;
    }
    error = run_flush(parent, child, run);
    *run = *more;
    return error;
}

/* The next blocks from *start on in which there are private pages: up to *end. */
static bool next_blocks(const struct space *space, uint64_t *start, uint64_t *end)
{
    uint64_t page = page_number(*start), last = page_number(*end);

    if (!pagemap_next(&space->pages, &page, last))
        return false;
    *start = page << PAGE_SHIFT;
    do {
        page = (page & ~(uint64_t)(BLOCK_PAGES - 1)) + BLOCK_PAGES;
        if (page >= last)
            return true;
        *end = page << PAGE_SHIFT;
    } while (pagemap_next(&space->pages, &page, page + BLOCK_PAGES));
    return true;
}

/* Anonymous private memory can only be mapped where private pages are. */
static int clone_private(struct space *parent, struct space *child, const struct vma *vma,
                         struct run *run)
{
    struct run more = { .start = vma->start, .rights = prot_to_rights(vma->prot) & ~MEM_W,
                        .cow = true };
    int error = 0;

    while (!error && more.start < vma->end) {
        more.end = vma->end;
        if (!next_blocks(parent, &more.start, &more.end))
            break;
        error = run_add(parent, child, run, &more);
        more.start = more.end;
    }
    return error;
}

static int clone_vma(struct space *parent, struct space *child, const struct vma *vma,
                     struct run *run)
{
    bool shared = vma->flags & VMA_SHARED;
    struct run all = { .start = vma->start, .end = vma->end,
                       .rights = prot_to_rights(vma->prot), .cow = !shared };

    if (vma->flags & (VMA_DONTFORK | VMA_WIPEONFORK))
        return run_flush(parent, child, run); /* no run may reach over it */
    if (!(all.rights & MEM_R))
        return 0;
    if (!vma->object)
        return clone_private(parent, child, vma, run);
    if (!shared)
        all.rights &= ~MEM_W;
    return run_add(parent, child, run, &all);
}

static int clone_mappings(struct space *parent, struct space *child)
{
    const struct vma *vma = vma_at_or_after(&parent->vmas, 0);
    struct run run = { 0 };
    int error = 0;

    for (; vma && !error; vma = vma_next(&parent->vmas, vma))
        error = clone_vma(parent, child, vma, &run);
    return error ? error : run_flush(parent, child, &run);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static int fill(struct space *child, struct space *parent)
{
    int error = copy_vmas(child, parent);

    if (error)
        return error;
    copy_facts(child, parent);
    error = pagemap_copy(&child->pages, &parent->pages, frame_get);
    if (error)
        return error;
    apply_advice(child);
    return clone_mappings(parent, child);
}

int space_clone(struct space *parent, uint32_t id, cap_sel_t pd)
{
    struct space *child;
    int error;

    if (parent->exec)
        return -EBUSY;
    error = space_create(id, pd, &child);
    if (error)
        return error;
    error = fill(child, parent);
    if (!error)
        return 0;
    space_clear(child);
    must(!child->released); /* the parent holds all that the child had */
    child->pager.pd = SEL_NONE;
    space_free(child);
    return error;
}
