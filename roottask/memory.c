/*
 * The frames of the machine: all free memory, mapped in the window, behind a
 * buddy allocator.
 */
#include "buddy.h"
#include "root.h"
#include <string.h>

/* Donations are at least so large. */
#define DONATION_ORDER 6u

static struct {
    struct lock lock; /* protects buddy; taken inside donation_lock */
    struct buddy buddy;
    struct lock donation_lock; /* protects prepared */
    phys_t prepared;           /* a block of DONATION_ORDER that is not in the window, or 0 */
} memory;

/* Page tables may need more than the kernel's first pool: then some of what is
 * already mapped is donated. */
static bool window_map(phys_t base, uint64_t pages, unsigned rights)
{
    enum status status =
        with_kernel_memory(hc_map_phys(ROOT_SEL_PD, base, WINDOW_VA + base, pages, rights));

    if (status != ST_OK)
        log_line("can't map memory at 0x%llx, %llu pages: status %d", (unsigned long long)base,
                 (unsigned long long)pages, status);
    return status == ST_OK;
}

static void region_take(const struct info_region *region)
{
    phys_t first = (region->base + PAGE_BYTES - 1) & -PAGE_BYTES;
    phys_t end = (region->base + region->bytes) & -PAGE_BYTES;

    if (first < end && window_map(first, (end - first) >> PAGE_SHIFT, MEM_R | MEM_W))
        buddy_add(&memory.buddy, first, end - first);
}

phys_t memory_take(unsigned order, uint8_t owner)
{
    phys_t phys;

    lock_acquire(&memory.lock);
    phys = order <= BUDDY_MAX_ORDER ? buddy_alloc(&memory.buddy, order, owner) : 0;
    lock_release(&memory.lock);
    if (phys)
        memset(frame_ptr(phys), 0, PAGE_BYTES << order);
    return phys;
}

bool memory_give_back(phys_t phys, unsigned order, uint8_t owner)
{
    bool given;

    lock_acquire(&memory.lock);
    given = order <= BUDDY_MAX_ORDER && buddy_free(&memory.buddy, phys, order, owner);
    lock_release(&memory.lock);
    return given;
}

bool memory_is_owned(phys_t phys, unsigned order, uint8_t owner)
{
    bool owned;

    lock_acquire(&memory.lock);
    owned = order <= BUDDY_MAX_ORDER && buddy_owns(&memory.buddy, phys, order, owner);
    lock_release(&memory.lock);
    return owned;
}

uint64_t memory_free_frames(void)
{
    uint64_t frames;

    lock_acquire(&memory.lock);
    frames = memory.buddy.frames_free;
    lock_release(&memory.lock);
    return frames;
}

/* Takes a block out of the window, for the kernel. Unmapping part of a large page
 * needs memory of the kernel itself. */
static phys_t donation_prepare(unsigned order)
{
    phys_t phys = memory_take(order, OWNER_KERNEL);

    if (phys && hc_protect(own_pd, WINDOW_VA + phys, 1ull << order, 0) != ST_OK) {
        memory_give_back(phys, order, OWNER_KERNEL);
        phys = 0;
    }
    return phys;
}

static bool donate(phys_t phys, unsigned order)
{
    enum status status = phys ? hc_kmem(KMEM_OP_DONATE, phys, 1ull << order) : ST_BAD_PARAM;

    must(status == ST_OK || !phys);
    return status == ST_OK;
}

/* A block lies prepared, as when it is wanted the kernel has nothing left to
 * prepare one with. */
bool memory_donate(uint64_t pages)
{
    phys_t prepared;
    unsigned order = DONATION_ORDER;
    bool given;

    while (order <= BUDDY_MAX_ORDER && (1ull << order) < pages)
        order++;
    lock_acquire(&memory.donation_lock);
    prepared = memory.prepared;
    memory.prepared = 0;
    given = donate(prepared, DONATION_ORDER);
    if (order > DONATION_ORDER || !given)
        given = donate(donation_prepare(order), order);
    memory.prepared = donation_prepare(DONATION_ORDER);
    lock_release(&memory.donation_lock);
    return given;
}

void memory_init(const struct kernel_info *info)
{
    uint64_t module_end = info->module_base + info->module_bytes;
    phys_t module_page = info->module_base & -PAGE_BYTES;

    buddy_init(&memory.buddy, WINDOW_VA);
    for (unsigned i = 0; i < info->region_count && i < INFO_MAX_REGIONS; i++)
        if (info->regions[i].type == REGION_FREE)
            region_take(&info->regions[i]);
    if (memory.buddy.frames_total == 0) {
        log_line("there is no free memory");
        system_fail();
    }
    lock_init(&memory.lock);
    lock_init(&memory.donation_lock);
    memory.prepared = donation_prepare(DONATION_ORDER);
    if (info->module_bytes > 0 &&
        !window_map(module_page, (module_end - module_page + PAGE_BYTES - 1) >> PAGE_SHIFT, MEM_R))
        system_fail();
}

void kernel_memory_stat(struct kmem_stat *stat)
{
    must(hc_kmem(KMEM_OP_STAT, 0, 0) == ST_OK);
    memcpy(stat, utcb_self()->data, sizeof *stat);
}

/* ---- what lib/native wants from every program ------------------------------------------- */

bool kernel_memory_more(void) { return memory_donate(1); }

phys_t frames_alloc(unsigned order) { return memory_take(order, OWNER_ROOT); }

void frames_free(phys_t phys, unsigned order)
{
    bool ours = memory_give_back(phys, order, OWNER_ROOT);

    must(ours);
}
