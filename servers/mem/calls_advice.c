/*
 * madvise, mincore, msync: calls that change what is in memory, not what is mapped.
 */
#include "servers/mem/calls.h"

#include "servers/mem/fault.h"
#include "servers/mem/frames.h"
#include "servers/mem/layout.h"
#include "servers/mem/pager.h"

#include "gen/linux_calls_mem.h"

#include <asm/mman.h>
#include <signal.h>
#include <errno.h>
#include <lib/native/native.h>
#include <linux/mman.h>
#include <string.h>

/* ---- what one advice means for one VMA ---------------------------------------------------- */

/* Whether the advice may be given to it: 0 or -errno. */
static int check_advice(const struct vma *vma, int advice)
{
    bool private_anon = !vma->object && !(vma->flags & VMA_SHARED);

    switch (advice) {
    case MADV_FREE:
    case MADV_WIPEONFORK:
        return private_anon ? 0 : -EINVAL;
    case MADV_REMOVE:
        if (!vma->object)
            return -EINVAL;
        if (!(vma->flags & VMA_SHARED) || !(vma->prot & PROT_WRITE))
            return -EACCES;
        return vma->object->kind == OBJECT_ANON ? 0 : -EOPNOTSUPP;
    default:
        return 0;
    }
}

static unsigned advised_flags(unsigned flags, int advice)
{
    switch (advice) {
    case MADV_DONTFORK:
        return flags | VMA_DONTFORK;
    case MADV_DOFORK:
        return flags & ~VMA_DONTFORK;
    case MADV_WIPEONFORK:
        return flags | VMA_WIPEONFORK;
    case MADV_KEEPONFORK:
        return flags & ~VMA_WIPEONFORK;
    default:
        return flags;
    }
}

/* MADV_REMOVE: the pages of shared memory become zeroes for all who see them. If nobody else
 * can, their frames are freed. */
static void remove_pages(struct space *space, const struct vma *vma, uint64_t start, uint64_t end)
{
    uint64_t index = vma->index + page_number(start - vma->start);
    uint64_t last = index + page_number(end - start);
    phys_t phys;

    if (vma->object->refs == 1) {
        space_drop_pages(space, start, end);
        pagemap_drain(&vma->object->frames, index, last, frame_put);
        return;
    }
    for (; (phys = pagemap_next(&vma->object->frames, &index, last)); index++)
        memset(frame_ptr(phys), 0, PAGE_BYTES);
}

static int advise_vma(struct space *space, struct vma *vma, uint64_t start, uint64_t end,
                      int advice)
{
    unsigned flags = advised_flags(vma->flags, advice);
    int error = check_advice(vma, advice);

    if (error)
        return error;
    if (advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED || advice == MADV_FREE)
        space_drop_pages(space, start, end);
    if (advice == MADV_REMOVE)
        remove_pages(space, vma, start, end);
    if (flags == vma->flags)
        return 0;
    error = space_isolate(space, start, end);
    if (error)
        return error;
    vma_find(&space->vmas, start)->flags = flags;
    space_merge(space, start, end);
    return 0;
}

static bool advice_is_known(int advice)
{
    switch (advice) {
    case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED:
    case MADV_DONTNEED: case MADV_DONTNEED_LOCKED: case MADV_FREE: case MADV_REMOVE:
    case MADV_DONTFORK: case MADV_DOFORK: case MADV_WIPEONFORK: case MADV_KEEPONFORK:
    case MADV_MERGEABLE: case MADV_UNMERGEABLE: case MADV_HUGEPAGE: case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP: case MADV_DODUMP: case MADV_COLD: case MADV_PAGEOUT:
    case MADV_POPULATE_READ: case MADV_POPULATE_WRITE:
        return true;
    default:
        return false;
    }
}

/* Holes are passed over, and reported at the end. */
static int64_t advise_range(struct space *space, uint64_t start, uint64_t end, int advice)
{
    int64_t result = 0;

    while (start < end) {
        struct vma *vma = vma_at_or_after(&space->vmas, start);
        uint64_t stop;
        int error;

        if (!vma || vma->start >= end)
            return -ENOMEM;
        if (vma->start > start) {
            result = -ENOMEM;
            start = vma->start;
        }
        stop = vma->end < end ? vma->end : end;
        error = advise_vma(space, vma, start, stop, advice);
        if (error)
            return error;
        start = stop;
    }
    return result;
}

/* ---- bringing pages in -------------------------------------------------------------------- */

/* Faults one page in: 0, -errno, or 1 when the answer is "fault in" and comes again. */
static int64_t touch(struct call *call, struct space *space, uint64_t va, bool write,
                     uint64_t *pages)
{
    struct fault fault = { .address = va, .write = write };

    switch (fault_resolve(space, &fault)) {
    case FAULT_MAP:
        *pages = fault.pages;
        return pager_map(&space->pager, fault.phys, va, fault.pages, fault.rights) ? -EFAULT : 0;
    case FAULT_NEED:
        call_fault_in(call, va, PAGE_BYTES, write);
        return 1;
    case FAULT_NO_MEMORY:
        return -ENOMEM;
    default:
        return fault.signal == SIGSEGV && fault.code == SEGV_MAPERR ? -ENOMEM : -EFAULT;
    }
}

int64_t touch_range(struct call *call, struct space *space, uint64_t start, uint64_t end,
                    enum touch_kind kind)
{
    uint64_t *done = &call->slot->aux[0], budget = TOUCH_PAGES;

    while (start + *done < end) {
        uint64_t va = start + *done, pages = 1;
        const struct vma *vma = vma_find(&space->vmas, va);
        bool write = kind == TOUCH_WRITE ||
                     (kind == TOUCH_AS_MAPPED && vma && (vma->prot & PROT_WRITE));
        int64_t result = vma ? touch(call, space, va, write, &pages) : -ENOMEM;

        if (result)
            return result < 0 ? result : 0;
        *done += pages * PAGE_BYTES;
        if (budget <= pages && start + *done < end)
            return call_fault_in(call, va, PAGE_BYTES, write); /* lets others in between */
        budget -= pages;
    }
    return 0;
}

/* madvise(2) */
int64_t sys_madvise(struct call *call)
{
    struct space *space = call_space(call);
    uint64_t start = call->arg[0], bytes = page_up(call->arg[1]);
    int advice = (int)call->arg[2];

    if (!space)
        return -ESRCH;
    if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
        return -EPERM;
    if (!advice_is_known(advice) || page_offset(start) || (call->arg[1] && !bytes) ||
        start + bytes < start)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!layout_is_user(start, bytes))
        return -ENOMEM;
    if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
        return touch_range(call, space, start, start + bytes,
                           advice == MADV_POPULATE_READ ? TOUCH_READ : TOUCH_WRITE);
    return advise_range(space, start, start + bytes, advice);
}

/* ---- mincore, msync ----------------------------------------------------------------------- */

/* All file systems here are in memory, so a page that a file has is resident. */
static bool is_resident(const struct space *space, uint64_t va)
{
    const struct vma *vma = vma_find(&space->vmas, va);
    uint64_t index = vma->index + page_number(va - vma->start);

    if (pagemap_get(&space->pages, page_number(va)))
        return true;
    if (!vma->object)
        return false;
    if (vma->object->kind == OBJECT_FILE)
        return index < page_number(page_up(vma->object->file_bytes));
    return pagemap_get(&vma->object->frames, index) != 0;
}

/* mincore(2) */
int64_t sys_mincore(struct call *call)
{
    struct space *space = call_space(call);
    uint64_t start = call->arg[0], pages = page_number(page_up(call->arg[1]));
    unsigned char vector[256];

    if (!space)
        return -ESRCH;
    if (page_offset(start))
        return -EINVAL;
    if (!layout_is_user(start, call->arg[1]))
        return -ENOMEM;
    for (uint64_t *done = &call->slot->aux[0]; *done < pages;) {
        uint64_t va = start + *done * PAGE_BYTES;
        uint64_t count = pages - *done < sizeof vector ? pages - *done : sizeof vector;

        if (!space_is_mapped(space, va, va + count * PAGE_BYTES))
            return -ENOMEM;
        for (uint64_t i = 0; i < count; i++)
            vector[i] = is_resident(space, va + i * PAGE_BYTES);
        if (copy_out(call, call->arg[2] + *done, vector, count))
            return 0;
        *done += count;
    }
    return 0;
}

/* msync(2): programs map the frames of the file itself, so it is always in step. */
int64_t sys_msync(struct call *call)
{
    struct space *space = call_space(call);
    uint64_t start = call->arg[0], bytes = page_up(call->arg[1]), flags = call->arg[2];

    if (!space)
        return -ESRCH;
    if (flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || page_offset(start) ||
        (flags & MS_ASYNC && flags & MS_SYNC))
        return -EINVAL;
    if (start + bytes < start)
        return -ENOMEM;
    return space_is_mapped(space, start, start + bytes) ? 0 : -ENOMEM;
}
