/*
 * mremap(2).
 */
#include "servers/mem/calls.h"

#include "servers/mem/layout.h"
#include "servers/mem/pager.h"

#include "gen/linux_calls_mem.h"

#include <abi/hypercall.h>
#include <asm/mman.h>
#include <errno.h>
#include <lib/native/native.h>
#include <linux/mman.h>

struct remap {
    uint64_t old, old_bytes;
    uint64_t target, new_bytes; /* target: with MREMAP_FIXED */
    unsigned flags;
};

/* Makes pages known at another place as well; all or none. */
static int alias_pages(struct space *space, uint64_t from, uint64_t to, uint64_t bytes)
{
    uint64_t shift = page_number(to) - page_number(from), page = page_number(from), undo;
    phys_t phys;

    for (; (phys = pagemap_next(&space->pages, &page, page_number(from + bytes))); page++) {
        if (!pagemap_set(&space->pages, page + shift, phys))
            continue;
        for (undo = page_number(from); undo < page; undo++)
            pagemap_clear(&space->pages, undo + shift);
        return -ENOMEM;
    }
    return 0;
}

/* Forgets pages that have another place by now. */
static void forget_pages(struct space *space, uint64_t start, uint64_t bytes)
{
    uint64_t page = page_number(start);

    for (; pagemap_next(&space->pages, &page, page_number(start + bytes)); page++)
        pagemap_clear(&space->pages, page);
}

/* The VMA at its new place. */
static struct vma moved(const struct vma *vma, const struct remap *remap, uint64_t to)
{
    struct vma what = *vma;
    uint64_t tail = vma->zero_from - remap->old;

    what.start = to;
    what.end = to + remap->new_bytes;
    if (vma->object)
        what.index = vma->index + page_number(remap->old - vma->start);
    if (vma->zero_from)
        what.zero_from = tail < remap->new_bytes && vma->zero_from >= remap->old ? to + tail : 0;
    return what;
}

static int64_t move(struct space *space, const struct remap *remap, uint64_t to)
{
    uint64_t kept = remap->old_bytes < remap->new_bytes ? remap->old_bytes : remap->new_bytes;
    uint64_t old_end = remap->old + remap->old_bytes;
    struct vma what;
    int error = remap->old_bytes ? space_isolate(space, remap->old, old_end) : 0;

    if (error)
        return error;
    what = moved(vma_find(&space->vmas, remap->old), remap, to);
    error = alias_pages(space, remap->old, to, kept);
    if (error)
        return error;
    error = space_map(space, &what);
    if (error) {
        forget_pages(space, to, kept);
        return error;
    }
    if (kept)
        pager_copy(&space->pager, remap->old, to, page_number(kept), prot_to_rights(what.prot));
    forget_pages(space, remap->old, kept);
    if (remap->flags & MREMAP_DONTUNMAP)
        space_drop_pages(space, remap->old, old_end);
    else if (remap->old_bytes)
        must(space_unmap(space, remap->old, old_end) == 0);
    return (int64_t)to;
}

/* Whether the VMA may have the new size: 0 or -errno. */
static int check_resize(const struct space *space, const struct vma *vma, const struct remap *remap)
{
    uint64_t first = vma->index + page_number(remap->old - vma->start);

    if (remap->old_bytes == 0 && !(vma->flags & VMA_SHARED))
        return -EINVAL;
    if (remap->old_bytes > vma->end - remap->old)
        return -EFAULT;
    if ((remap->flags & MREMAP_DONTUNMAP) && vma->object)
        return -EINVAL;
    if (remap->new_bytes <= remap->old_bytes)
        return 0;
    if (vma->object && first + page_number(remap->new_bytes) > UINT64_MAX >> PAGE_SHIFT)
        return -EINVAL;
    return space_may_grow(space, page_number(remap->new_bytes - remap->old_bytes),
                          vma->prot, vma->flags);
}

static int64_t move_to_target(struct space *space, struct remap *remap)
{
    uint64_t target_end = remap->target + remap->new_bytes;
    const struct vma *vma;
    int error;

    if (page_offset(remap->target) || !layout_is_user(remap->target, remap->new_bytes) ||
        layout_is_reserved(remap->target, target_end))
        return -EINVAL;
    if (remap->target < remap->old + remap->old_bytes && remap->old < target_end)
        return -EINVAL;
    if (remap->target < USER_LOW)
        return -EPERM;
    vma = vma_find(&space->vmas, remap->old);
    error = check_resize(space, vma, remap);
    if (error)
        return error;
    error = space_unmap(space, remap->target, target_end);
    if (!error && remap->old_bytes > remap->new_bytes) {
        error = space_unmap(space, remap->old + remap->new_bytes, remap->old + remap->old_bytes);
        remap->old_bytes = remap->new_bytes;
    }
    return error ? error : move(space, remap, remap->target);
}

/* Grows the VMA at its place, if there is room: 0, or -ENOMEM. */
static int grow_in_place(struct space *space, const struct vma *vma, const struct remap *remap)
{
    uint64_t end = remap->old + remap->new_bytes;
    const struct vma *next = vma_next(&space->vmas, vma);
    struct vma what = *vma;

    if (remap->old + remap->old_bytes != vma->end || end > USER_END || end < vma->end ||
        layout_is_reserved(vma->end, end) || (next && vma_guarded_start(next) < end))
        return -ENOMEM;
    what.start = vma->end;
    what.end = end;
    what.zero_from = 0;
    if (vma->object)
        what.index = vma->index + page_number(vma->end - vma->start);
    return space_map(space, &what);
}

static int64_t resize(struct space *space, const struct remap *remap)
{
    const struct vma *vma = vma_find(&space->vmas, remap->old);
    uint64_t to;
    int error;

    if (remap->old_bytes >= remap->new_bytes) {
        if (remap->old_bytes == remap->new_bytes)
            return (int64_t)remap->old;
        error = space_unmap(space, remap->old + remap->new_bytes, remap->old + remap->old_bytes);
        return error ? error : (int64_t)remap->old;
    }
    error = check_resize(space, vma, remap);
    if (error)
        return error;
    if (remap->old_bytes && grow_in_place(space, vma, remap) == 0)
        return (int64_t)remap->old;
    if (!(remap->flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    to = space_find_gap(space, 0, remap->new_bytes, false);
    return to == NO_GAP ? -ENOMEM : move(space, remap, to);
}

static int check_flags(const struct call *call)
{
    unsigned flags = call->arg[3];

    if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) &&
        (!(flags & MREMAP_MAYMOVE) || call->arg[1] != call->arg[2]))
        return -EINVAL;
    return page_offset(call->arg[0]) ? -EINVAL : 0;
}

static int64_t remap_range(struct space *space, struct remap *remap)
{
    uint64_t to;

    if (!vma_find(&space->vmas, remap->old))
        return -EFAULT;
    if (remap->flags & MREMAP_FIXED)
        return move_to_target(space, remap);
    if (!(remap->flags & MREMAP_DONTUNMAP))
        return resize(space, remap);
    to = space_find_gap(space, page_down(remap->target), remap->new_bytes, false);
    if (to == NO_GAP)
        return -ENOMEM;
    remap->target = to;
    return move_to_target(space, remap);
}

/* mremap(2) */
int64_t sys_mremap(struct call *call)
{
    struct space *space = call_space(call);
    struct remap remap = {
        .old = call->arg[0],           .old_bytes = page_up(call->arg[1]),
        .new_bytes = page_up(call->arg[2]), .flags = call->arg[3], .target = call->arg[4],
    };
    int error = check_flags(call);

    if (!space)
        return -ESRCH;
    if (error)
        return error;
    if (remap.new_bytes == 0 || !layout_is_user(remap.old, remap.old_bytes))
        return -EINVAL;
    if (remap.new_bytes > USER_END)
        return -ENOMEM;
    return call_finish(call, space, remap_range(space, &remap));
}
