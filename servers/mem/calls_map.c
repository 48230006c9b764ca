/*
 * mmap, munmap, mprotect, brk.
 */
#include "servers/mem/calls.h"

#include "servers/mem/fault.h"
#include "servers/mem/layout.h"
#include "servers/mem/pager.h"

#include "gen/linux_calls_mem.h"

#include <asm/mman.h>
#include <errno.h>
#include <linux/mman.h>

struct space *call_space(const struct call *call)
{
    return call->slot ? call->slot->data : NULL;
}

int64_t call_finish(struct call *call, const struct space *space, int64_t result)
{
    call->answer_word[0] = space->released ? FOLLOW_FILES : FOLLOW_NONE;
    return result;
}

/* ---- mmap --------------------------------------------------------------------------------- */

static int64_t place_fixed(const struct space *space, const struct map_request *request,
                           uint64_t bytes)
{
    uint64_t address = request->address;
    const struct vma *next;

    if (!layout_is_user(address, bytes))
        return -ENOMEM;
    if (page_offset(address))
        return -EINVAL;
    if (address < USER_LOW)
        return -EPERM;
    if (layout_is_reserved(address, address + bytes))
        return -ENOMEM;
    next = vma_at_or_after(&space->vmas, address);
    if ((request->flags & MAP_FIXED_NOREPLACE) && next && next->start < address + bytes)
        return -EEXIST;
    return (int64_t)address;
}

/* Where the mapping goes. */
static int64_t place(const struct space *space, const struct map_request *request, uint64_t bytes)
{
    uint64_t found;

    if (bytes > USER_END)
        return -ENOMEM;
    if (request->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return place_fixed(space, request, bytes);
    found = space_find_gap(space, page_down(request->address), bytes, request->flags & MAP_32BIT);
    return found == NO_GAP ? -ENOMEM : (int64_t)found;
}

static int check_type(const struct map_request *request)
{
    switch (request->flags & MAP_TYPE) {
    case MAP_PRIVATE:
        return 0;
    case MAP_SHARED:
        return request->flags & MAP_GROWSDOWN && !request->object ? -EINVAL : 0;
    case MAP_SHARED_VALIDATE:
        return request->object ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* The size in whole pages, or an error in *error. */
static uint64_t check_size(const struct map_request *request, int64_t *error)
{
    uint64_t bytes = page_up(request->bytes);

    *error = 0;
    if (page_offset(request->offset) || request->bytes == 0)
        *error = -EINVAL;
    else if (bytes == 0)
        *error = -ENOMEM;
    else if (request->offset + bytes < request->offset)
        *error = -EOVERFLOW;
    return bytes;
}

static unsigned vma_flags(const struct map_request *request)
{
    unsigned flags = 0;

    if ((request->flags & MAP_TYPE) != MAP_PRIVATE)
        flags |= VMA_SHARED;
    if (request->flags & MAP_NORESERVE)
        flags |= VMA_NORESERVE;
    if ((request->flags & MAP_GROWSDOWN) && !request->object)
        flags |= VMA_GROWSDOWN;
    return flags;
}

/* Shared anonymous memory gets an object of its own. */
static int map_shared_anon(struct space *space, struct vma *what)
{
    int error;

    if (!(what->flags & VMA_NORESERVE) && space_exceeds_ram(page_number(what->end - what->start)))
        return -ENOMEM;
    what->object = object_create_anon();
    if (!what->object)
        return -ENOMEM;
    error = space_map(space, what);
    object_put(what->object, &space->released);
    return error;
}

int64_t map_range(struct space *space, const struct map_request *request)
{
    int64_t address, error;
    uint64_t bytes = check_size(request, &error);
    struct vma what = { .prot = request->prot & PROT_ALL, .max_prot = request->max_prot };

    if (error)
        return error;
    address = place(space, request, bytes);
    if (address < 0)
        return address;
    error = check_type(request);
    if (error)
        return error;
    if (request->flags & MAP_HUGETLB)
        return request->object ? -EINVAL : -ENOMEM;
    what.start = address;
    what.end = address + bytes;
    what.flags = vma_flags(request);
    what.object = request->object;
    what.index = page_number(request->offset);
    error = !what.object && (what.flags & VMA_SHARED) ? map_shared_anon(space, &what)
                                                     : space_map(space, &what);
    if (error)
        return error;
    if (request->flags & (MAP_POPULATE | MAP_LOCKED) || space->lock_future)
        populate(space, what.start, what.end);
    return address;
}

void populate(struct space *space, uint64_t start, uint64_t end)
{
    unsigned budget = POPULATE_PAGES;

    while (start < end && budget > 0) {
        const struct vma *vma = vma_find(&space->vmas, start);
        struct fault fault = { .address = start, .write = vma && (vma->prot & PROT_WRITE) };
        uint64_t pages;

        if (!vma || fault_resolve(space, &fault) != FAULT_MAP)
            return;
        pages = fault.pages < budget ? fault.pages : budget;
        if (pager_map(&space->pager, fault.phys, start, pages, fault.rights))
            return;
        start += pages * PAGE_BYTES;
        budget -= pages;
    }
}

/* mmap(2) of anonymous memory; file mappings come by mmap_file. */
int64_t sys_mmap(struct call *call)
{
    struct space *space = call_space(call);
    struct map_request request = {
        .address = call->arg[0], .bytes = call->arg[1], .prot = call->arg[2],
        .max_prot = PROT_ALL,    .flags = call->arg[3],
    };

    if (!space)
        return -ESRCH;
    if (page_offset(call->arg[5]))
        return -EINVAL;
    if (!(request.flags & MAP_ANONYMOUS))
        return -ENODEV;
    return call_finish(call, space, map_range(space, &request));
}

/* ---- munmap ------------------------------------------------------------------------------- */

/* munmap(2) */
int64_t sys_munmap(struct call *call)
{
    struct space *space = call_space(call);
    uint64_t start = call->arg[0], bytes = page_up(call->arg[1]);

    if (!space)
        return -ESRCH;
    if (page_offset(start) || !layout_is_user(start, call->arg[1]) || bytes == 0)
        return -EINVAL;
    return call_finish(call, space, space_unmap(space, start, start + bytes));
}

/* ---- mprotect ----------------------------------------------------------------------------- */

/* Whether all VMAs of the range may have the protection: 0, -ENOMEM, -EACCES. *stop: how
 * far they may, which is how far Linux gets. */
static int check_protect(const struct space *space, uint64_t start, uint64_t end, unsigned prot,
                         uint64_t *stop)
{
    for (*stop = start; *stop < end;) {
        const struct vma *vma = vma_find(&space->vmas, *stop);
        uint64_t upto;

        if (!vma)
            return -ENOMEM;
        if (prot & ~vma->max_prot)
            return -EACCES;
        upto = vma->end < end ? vma->end : end;
        if (space_may_protect(space, vma, page_number(upto - *stop), prot))
            return -ENOMEM;
        *stop = upto;
    }
    return 0;
}

/* Private frames that are shared, and pages of objects, stay read-only until written to;
 * so rights are only taken away here, and given by the next fault. */
static int protect_range(struct space *space, uint64_t start, uint64_t end, unsigned prot)
{
    int error = start < end ? space_isolate(space, start, end) : 0;
    struct vma *vma = error ? NULL : vma_at_or_after(&space->vmas, start);

    for (; vma && vma->start < end; vma = vma_next(&space->vmas, vma)) {
        int64_t pages = (int64_t)page_number(vma->end - vma->start);

        if (prot_to_rights(vma->prot) & ~prot_to_rights(prot))
            pager_protect(&space->pager, vma->start, (uint64_t)pages, prot_to_rights(prot));
        space_count_pages(space, -pages, vma->prot, vma->flags);
        vma->prot = prot;
        space_count_pages(space, pages, prot, vma->flags);
    }
    if (!error)
        space_merge(space, start, end);
    return error;
}

/* PROT_GROWSDOWN: the change begins where the VMA begins. */
static int64_t protect_start(const struct space *space, uint64_t start, uint64_t end)
{
    const struct vma *vma = vma_at_or_after(&space->vmas, start);

    if (!vma || vma->start >= end)
        return -ENOMEM;
    return vma->flags & VMA_GROWSDOWN ? (int64_t)vma->start : -EINVAL;
}

/* mprotect(2) */
int64_t sys_mprotect(struct call *call)
{
    struct space *space = call_space(call);
    int64_t start = call->arg[0];
    unsigned prot = call->arg[2], grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    uint64_t bytes = page_up(call->arg[1]), end = start + bytes, stop;
    int refused, error;

    if (!space)
        return -ESRCH;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || page_offset(start))
        return -EINVAL;
    if (call->arg[1] == 0)
        return 0;
    if (bytes == 0 || end <= (uint64_t)start)
        return -ENOMEM;
    if (prot & ~(PROT_ALL | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP) || (prot & PROT_GROWSUP))
        return -EINVAL;
    if (grows)
        start = protect_start(space, start, end);
    if (start < 0)
        return start;
    prot &= PROT_ALL;
    refused = check_protect(space, start, end, prot, &stop);
    error = protect_range(space, start, stop, prot);
    return error ? error : refused;
}

/* ---- brk ---------------------------------------------------------------------------------- */

static int heap_grow(struct space *space, uint64_t from, uint64_t to)
{
    const struct vma *next = vma_at_or_after(&space->vmas, from);
    struct vma what = { .start = from, .end = to, .prot = PROT_READ | PROT_WRITE,
                        .max_prot = PROT_ALL };

    if (next && vma_guarded_start(next) < to + PAGE_BYTES)
        return -ENOMEM;
    if (layout_is_reserved(from, to))
        return -ENOMEM;
    if (space_map(space, &what))
        return -ENOMEM;
    if (space->lock_future)
        populate(space, from, to);
    return 0;
}

/* brk(2), as the system call has it: the new end of the heap, or if that can't be, the old. */
int64_t sys_brk(struct call *call)
{
    struct space *space = call_space(call);
    uint64_t wish = call->arg[0], from, to;
    int error = 0;

    if (!space)
        return -ESRCH;
    if (wish < space->brk_start || wish > USER_END - PAGE_BYTES ||
        wish - space->brk_start + space->marks.data_end - space->marks.data_start >
            space->limits.data)
        return (int64_t)space->brk;
    from = page_up(space->brk);
    to = page_up(wish);
    if (to > from)
        error = heap_grow(space, from, to);
    else if (to < from)
        error = space_unmap(space, to, from);
    if (!error)
        space->brk = wish;
    return call_finish(call, space, (int64_t)space->brk);
}
