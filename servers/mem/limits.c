/*
 * How much a space may map: RLIMIT_AS, RLIMIT_DATA (getrlimit(2)), RAM.
 */
#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <lib/native/native.h>
#include <asm/mman.h>
#include <errno.h>

static uint64_t ram_pages;

void space_set_ram(uint64_t pages) { ram_pages = pages; }
bool space_exceeds_ram(uint64_t pages) { return pages > ram_pages; }

/* Whether pages of such a VMA count against RAM. */
static bool is_committed(unsigned prot, unsigned flags)
{
    return (prot & PROT_WRITE) && !(flags & (VMA_SHARED | VMA_NORESERVE));
}

static bool is_data(unsigned prot, unsigned flags)
{
    return (prot & PROT_WRITE) && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}

static bool is_exec(unsigned prot, unsigned flags)
{
    return (prot & PROT_EXEC) && !(prot & PROT_WRITE) && !(flags & VMA_GROWSDOWN);
}

static bool exceeds(uint64_t used, uint64_t more, uint64_t limit_bytes)
{
    return used + more > limit_bytes >> PAGE_SHIFT;
}

static bool exceeds_limits(const struct space *space, uint64_t pages, unsigned prot,
                           unsigned flags)
{
    return exceeds(space->counts.total, pages, space->limits.as) ||
           (is_data(prot, flags) && exceeds(space->counts.data, pages, space->limits.data));
}

int space_may_grow(const struct space *space, uint64_t pages, unsigned prot, unsigned flags)
{
    if (exceeds_limits(space, pages, prot, flags))
        return -ENOMEM;
    return is_committed(prot, flags) && space_exceeds_ram(pages) ? -ENOMEM : 0;
}

static uint64_t mapped_pages(const struct space *space, uint64_t start, uint64_t end)
{
    const struct vma *vma = vma_at_or_after(&space->vmas, start);
    uint64_t pages = 0;

    for (; vma && vma->start < end; vma = vma_next(&space->vmas, vma)) {
        uint64_t from = vma->start > start ? vma->start : start;

        pages += page_number((vma->end < end ? vma->end : end) - from);
    }
    return pages;
}

int space_may_map(const struct space *space, uint64_t start, uint64_t end, unsigned prot,
                  unsigned flags)
{
    uint64_t pages = page_number(end - start);

    if (is_committed(prot, flags) && space_exceeds_ram(pages))
        return -ENOMEM;
    if (!exceeds_limits(space, pages, prot, flags))
        return 0;
    pages -= mapped_pages(space, start, end);
    return exceeds_limits(space, pages, prot, flags) ? -ENOMEM : 0;
}

int space_may_protect(const struct space *space, const struct vma *vma, uint64_t pages,
                      unsigned prot)
{
    if (!is_data(vma->prot, vma->flags) && is_data(prot, vma->flags) &&
        exceeds(space->counts.data, pages, space->limits.data))
        return -ENOMEM;
    if (vma->object || is_committed(vma->prot, vma->flags) || !is_committed(prot, vma->flags))
        return 0;
    return space_exceeds_ram(page_number(vma->end - vma->start)) ? -ENOMEM : 0;
}

void space_count_pages(struct space *space, int64_t pages, unsigned prot, unsigned flags)
{
    struct page_counts *counts = &space->counts;

    must(pages >= 0 || counts->total >= (uint64_t)-pages);
    counts->total += (uint64_t)pages;
    if (is_data(prot, flags))
        counts->data += (uint64_t)pages;
    if (flags & VMA_GROWSDOWN)
        counts->stack += (uint64_t)pages;
    if (is_exec(prot, flags))
        counts->exec += (uint64_t)pages;
    if (counts->total > space->peak_total)
        space->peak_total = counts->total;
}
