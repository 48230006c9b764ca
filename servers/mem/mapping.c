/*
 * Changing ranges of an address space. Each function first gets all memory that it
 * may need and then can't fail.
 */
#include "servers/mem/frames.h"
#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <errno.h>
#include <lib/native/native.h>
#include <abi/hypercall.h>
#include <asm/mman.h>
#include <stdlib.h>

unsigned prot_to_rights(unsigned prot)
{
    unsigned rights = 0;

    if (prot & PROT_ALL) /* x86 has no pages that can be written or run but not read */
        rights = MEM_R;
    if (prot & PROT_WRITE)
        rights |= MEM_W;
    if (prot & PROT_EXEC)
        rights |= MEM_X;
    return rights;
}

void space_drop_pages(struct space *space, uint64_t start, uint64_t end)
{
    pager_protect(&space->pager, start, page_number(end - start), 0);
    pagemap_drain(&space->pages, page_number(start), page_number(end), frame_put);
}

/* Whether a border at this address would cut a VMA in two. */
static bool cuts(const struct space *space, uint64_t at)
{
    const struct vma *vma = vma_find(&space->vmas, at);

    return vma && vma->start < at;
}

/* A VMA to split with, or NULL. */
static struct vma *spare_vma(const struct space *space, unsigned taken)
{
    return space->vmas.count + taken >= VMA_COUNT_MAX ? NULL : malloc(sizeof(struct vma));
}

static void split(struct space *space, struct vma *vma, uint64_t at, struct vma *spare)
{
    must(spare);
    vma_split(&space->vmas, vma, at, spare);
    if (vma->object)
        object_get(vma->object);
}

/* Whether unmapping the range leaves two parts of one VMA. */
static bool makes_hole(const struct space *space, uint64_t start, uint64_t end)
{
    const struct vma *vma = vma_find(&space->vmas, start);

    return vma && vma->start < start && vma->end > end;
}

/* Takes [start, end) away from a VMA that touches it. */
static void carve(struct space *space, struct vma *vma, uint64_t start, uint64_t end)
{
    uint64_t from = vma->start > start ? vma->start : start;
    uint64_t to = vma->end < end ? vma->end : end;

    space_drop_pages(space, from, to);
    space_count_pages(space, -(int64_t)page_number(to - from), vma->prot, vma->flags);
    if (from == vma->start && to == vma->end) {
        vma_remove(&space->vmas, vma);
        object_put(vma->object, &space->released);
        free(vma);
    } else if (to == vma->end) {
        vma->zero_from = 0;
        vma_resize(&space->vmas, vma, vma->start, from);
    } else {
        if (vma->object)
            vma->index += page_number(to - from);
        vma_resize(&space->vmas, vma, to, vma->end);
    }
}

/* spare: needed if makes_hole. */
static void unmap(struct space *space, uint64_t start, uint64_t end, struct vma *spare)
{
    struct vma *vma;

    if (makes_hole(space, start, end))
        split(space, vma_find(&space->vmas, start), end, spare);
    while ((vma = vma_at_or_after(&space->vmas, start)) && vma->start < end)
        carve(space, vma, start, end);
}

int space_unmap(struct space *space, uint64_t start, uint64_t end)
{
    struct vma *spare = NULL;

    must(start < end && !page_offset(start) && !page_offset(end));
    if (makes_hole(space, start, end)) {
        spare = spare_vma(space, 0);
        if (!spare)
            return -ENOMEM;
    }
    unmap(space, start, end, spare);
    return 0;
}

int space_isolate(struct space *space, uint64_t start, uint64_t end)
{
    bool low = cuts(space, start), high = cuts(space, end);
    struct vma *first = low ? spare_vma(space, 0) : NULL;
    struct vma *second = high ? spare_vma(space, low) : NULL;

    if ((low && !first) || (high && !second)) {
        free(first);
        free(second);
        return -ENOMEM;
    }
    if (low)
        split(space, vma_find(&space->vmas, start), start, first);
    if (high)
        split(space, vma_find(&space->vmas, end), end, second);
    return 0;
}

void space_merge(struct space *space, uint64_t start, uint64_t end)
{
    struct vma *vma = start ? vma_find(&space->vmas, start - 1) : NULL;

    if (!vma)
        vma = vma_at_or_after(&space->vmas, start);
    while (vma && vma->start <= end) {
        struct vma *gone = vma_merge_next(&space->vmas, vma);

        if (!gone) {
            vma = vma_next(&space->vmas, vma);
            continue;
        }
        object_put(gone->object, &space->released);
        free(gone);
    }
}

int space_map(struct space *space, const struct vma *what)
{
    uint64_t pages = page_number(what->end - what->start);
    bool hole = makes_hole(space, what->start, what->end);
    struct vma *spare = NULL, *vma;

    must(what->start < what->end && !page_offset(what->start) && !page_offset(what->end));
    if (space_may_map(space, what->start, what->end, what->prot, what->flags))
        return -ENOMEM;
    vma = spare_vma(space, hole);
    if (hole)
        spare = spare_vma(space, 0);
    if (!vma || (hole && !spare)) {
        free(vma);
        free(spare);
        return -ENOMEM;
    }
    unmap(space, what->start, what->end, spare);
    *vma = *what;
    if (vma->object)
        object_get(vma->object);
    vma_insert(&space->vmas, vma);
    space_count_pages(space, (int64_t)pages, what->prot, what->flags);
    space_merge(space, what->start, what->end);
    return 0;
}

bool space_is_mapped(const struct space *space, uint64_t start, uint64_t end)
{
    while (start < end) {
        const struct vma *vma = vma_find(&space->vmas, start);

        if (!vma)
            return false;
        start = vma->end;
    }
    return true;
}

/* Whether the range is free, with the guard of what is above it. */
static bool is_free(const struct space *space, uint64_t start, uint64_t bytes)
{
    const struct vma *next = vma_at_or_after(&space->vmas, start);

    if (start < USER_LOW || !layout_is_user(start, bytes) ||
        layout_is_reserved(start, start + bytes))
        return false;
    return !next || start + bytes <= vma_guarded_start(next);
}

uint64_t space_find_gap(const struct space *space, uint64_t hint, uint64_t bytes, bool low32)
{
    uint64_t found;

    if (low32)
        return vma_gap_lowest(&space->vmas, LOW32_START, LOW32_END, bytes);
    if (hint && hint < USER_LOW)
        hint = USER_LOW;
    if (hint && is_free(space, hint, bytes))
        return hint;
    found = vma_gap_highest(&space->vmas, USER_LOW, space->mmap_base, bytes);
    if (found != NO_GAP)
        return found;
    return vma_gap_lowest(&space->vmas, space->mmap_base, STACK_TOP, bytes);
}
