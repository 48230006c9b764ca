#include "servers/mem/fault.h"

#include "servers/mem/frames.h"
#include "servers/mem/layout.h"
#include "servers/mem/pager.h"

#include <abi/hypercall.h>
#include <asm/mman.h>
#include <signal.h>
#include <errno.h>
#include <lib/native/native.h>
#include <string.h>

static enum fault_outcome refuse(struct fault *fault, int signal, int code)
{
    fault->signal = signal;
    fault->code = code;
    return FAULT_SIGNAL;
}

/* ---- the VMA ------------------------------------------------------------------------------ */

/* Grows the stack above address down to it; NULL if there is none that may. */
static struct vma *stack_grow(struct space *space, uint64_t address)
{
    struct vma *vma = vma_at_or_after(&space->vmas, address);
    struct vma *below = vma_before(&space->vmas, address);
    uint64_t start = page_down(address), pages;

    if (!vma || !(vma->flags & VMA_GROWSDOWN) || start < USER_LOW ||
        vma->end - start > space->limits.stack || layout_is_reserved(start, vma->start))
        return NULL;
    if (below && !(below->flags & VMA_GROWSDOWN) && (below->prot & PROT_ALL) &&
        start - below->end < STACK_GUARD_PAGES * PAGE_BYTES)
        return NULL;
    pages = page_number(vma->start - start);
    if (vma->object || space_may_grow(space, pages, vma->prot, vma->flags))
        return NULL;
    space_count_pages(space, (int64_t)pages, vma->prot, vma->flags);
    vma_resize(&space->vmas, vma, start, vma->end);
    return vma;
}

static bool is_allowed(const struct vma *vma, const struct fault *fault)
{
    if (fault->write && !(vma->prot & PROT_WRITE))
        return false;
    if (fault->exec && !(vma->prot & PROT_EXEC))
        return false;
    return vma->prot & PROT_ALL;
}

/* ---- private pages ------------------------------------------------------------------------ */

/* Makes the page of this number a new frame with a copy of from (0: zeroes). old, which was
 * there before (0: nothing), stays alive, because it is shared, and mapped until the new one
 * takes its place. But another thread must not see in it what the other owners write from
 * now on. */
static phys_t page_replace(struct space *space, uint64_t page, phys_t old, phys_t from)
{
    phys_t phys = from ? frame_copy(from) : frame_new();

    if (!phys)
        return 0;
    if (pagemap_set(&space->pages, page, phys)) {
        frame_put(phys);
        return 0;
    }
    if (space->pages.count > space->peak_own)
        space->peak_own = space->pages.count;
    if (!old)
        return phys;
    must(frame_is_shared(old));
    if (space->threads > 1)
        pager_protect(&space->pager, page << PAGE_SHIFT, 1, 0);
    frame_put(old);
    return phys;
}

static enum fault_outcome resolve_private(struct space *space, const struct vma *vma,
                                          struct fault *fault, phys_t own)
{
    fault->rights = prot_to_rights(vma->prot);
    if (fault->write && (!own || frame_is_shared(own))) {
        fault->phys = page_replace(space, page_number(fault->va), own, own);
        return fault->phys ? FAULT_MAP : FAULT_NO_MEMORY;
    }
    fault->phys = own ? own : frame_zero(); /* which only reads see so far */
    if (!own || frame_is_shared(own))
        fault->rights &= ~MEM_W;
    return FAULT_MAP;
}

/* ---- pages of objects --------------------------------------------------------------------- */

static uint64_t index_of(const struct vma *vma, uint64_t va)
{
    return vma->index + page_number(va - vma->start);
}

/* Whether the page is the one that ends in zeroes, not in what the file has there. */
static bool has_zero_tail(const struct vma *vma, uint64_t va)
{
    return vma->zero_from && page_down(vma->zero_from) == va;
}

static phys_t copy_from_object(struct space *space, const struct vma *vma, uint64_t va, phys_t from)
{
    phys_t phys = page_replace(space, page_number(va), 0, from);

    if (phys && has_zero_tail(vma, va)) {
        unsigned offset = page_offset(vma->zero_from);

        memset((char *)frame_ptr(phys) + offset, 0, PAGE_BYTES - offset);
    }
    return phys;
}

/* How many pages from va on can be mapped in one go: their frames follow each other. */
static uint64_t run_length(const struct space *space, const struct vma *vma, uint64_t va,
                           uint64_t end)
{
    phys_t phys = pagemap_get(&vma->object->frames, index_of(vma, va));
    uint64_t pages = 0;

    for (; va < end; va += PAGE_BYTES, pages++) {
        if (has_zero_tail(vma, va) || pagemap_get(&space->pages, page_number(va)) ||
            pagemap_get(&vma->object->frames, index_of(vma, va)) != phys + pages * PAGE_BYTES)
            break;
    }
    return phys ? pages : 0;
}

/* The block of pages around va that is handled at once. */
static void block_around(const struct vma *vma, uint64_t va, uint64_t *start, uint64_t *end)
{
    uint64_t bytes = FAULT_AROUND_PAGES * PAGE_BYTES;

    *start = va & ~(bytes - 1);
    *end = *start + bytes;
    if (*start < vma->start)
        *start = vma->start;
    if (*end > vma->end)
        *end = vma->end;
}

/* What to ask vfs for: the pages of the block that are not known, in one run with the
 * one that is needed. */
static enum fault_outcome need(struct fault *fault, const struct vma *vma)
{
    struct object *object = vma->object;
    uint64_t index = index_of(vma, fault->va), start, end, first, last;

    if (index >= object->end_index) {
        object->end_index = UINT64_MAX; /* the file may grow: ask again next time */
        return refuse(fault, SIGBUS, BUS_ADRERR);
    }
    block_around(vma, fault->va, &start, &end);
    for (first = index; first > index_of(vma, start); first--)
        if (pagemap_get(&object->frames, first - 1))
            break;
    for (last = index + 1; last < index_of(vma, start) + page_number(end - start); last++)
        if (pagemap_get(&object->frames, last))
            break;
    fault->object = object;
    fault->index = first;
    fault->pages = last - first;
    return FAULT_NEED;
}

static unsigned object_rights(const struct vma *vma)
{
    unsigned rights = prot_to_rights(vma->prot);

    return vma->flags & VMA_SHARED ? rights : rights & ~MEM_W;
}

static enum fault_outcome resolve_object(struct space *space, const struct vma *vma,
                                         struct fault *fault)
{
    phys_t phys = object_frame(vma->object, index_of(vma, fault->va));
    uint64_t start, end;

    if (!phys)
        return vma->object->kind == OBJECT_FILE ? need(fault, vma) : FAULT_NO_MEMORY;
    fault->phys = phys;
    fault->rights = object_rights(vma);
    if (has_zero_tail(vma, fault->va) || (fault->write && !(vma->flags & VMA_SHARED))) {
        fault->phys = copy_from_object(space, vma, fault->va, phys);
        fault->rights = prot_to_rights(vma->prot);
        return fault->phys ? FAULT_MAP : FAULT_NO_MEMORY;
    }
    block_around(vma, fault->va, &start, &end);
    fault->pages = run_length(space, vma, fault->va, end);
    must(fault->pages > 0);
    return FAULT_MAP;
}

enum fault_outcome fault_resolve(struct space *space, struct fault *fault)
{
    struct vma *vma;
    phys_t own;

    fault->va = page_down(fault->address);
    fault->pages = 1;
    space->faults++;
    if (fault->address >= USER_END)
        return refuse(fault, SIGSEGV, SEGV_MAPERR);
    vma = vma_find(&space->vmas, fault->address);
    if (!vma)
        vma = stack_grow(space, fault->address);
    if (!vma)
        return refuse(fault, SIGSEGV, SEGV_MAPERR);
    if (!is_allowed(vma, fault))
        return refuse(fault, SIGSEGV, SEGV_ACCERR);
    own = pagemap_get(&space->pages, page_number(fault->va));
    if (own || !vma->object)
        return resolve_private(space, vma, fault, own);
    return resolve_object(space, vma, fault);
}

void fault_around(struct space *space, uint64_t va)
{
    const struct vma *vma = vma_find(&space->vmas, va);
    uint64_t start, end;

    if (!vma || !vma->object || !(vma->prot & PROT_ALL))
        return;
    block_around(vma, page_down(va), &start, &end);
    while (start < end) {
        uint64_t pages = run_length(space, vma, start, end);

        if (pages && pager_map(&space->pager, pagemap_get(&vma->object->frames, index_of(vma, start)),
                               start, pages, object_rights(vma)))
            return;
        start += (pages ? pages : 1) * PAGE_BYTES;
    }
}

phys_t fault_private_page(struct space *space, uint64_t va)
{
    phys_t own = pagemap_get(&space->pages, page_number(va));

    must(!page_offset(va));
    return own && !frame_is_shared(own) ? own : page_replace(space, page_number(va), own, own);
}
