/*
 * Frames: the roottask's side of frames.c. They lie where the window would be; it
 * begins at 4 GiB of "physical" memory, since the host has something else below.
 */
#include <lib/host/host.h>
#include <lib/native/runtime.h>
#include <string.h>
#include <sys/mman.h>

#define POOL_PHYS   0x100000000ull
#define POOL_FRAMES 262144ull /* 1 GiB, used as it is touched */
#define MAX_ORDER   18u

/* Free blocks, by order, as a list through their first words. */
struct block {
    struct block *next;
};
static struct block *free_blocks[MAX_ORDER + 1];
static uint64_t      never_used;             /* frames from here on are fresh */
static uint64_t      limit = UINT64_MAX;

static void pool_map(void)
{
    void *wanted = frame_ptr(POOL_PHYS);
    void *got = mmap(wanted, POOL_FRAMES * PAGE_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

    must(got == wanted);
}

static phys_t fresh_block(unsigned order)
{
    uint64_t first = (never_used + (1ull << order) - 1) >> order << order;

    if (never_used == 0)
        pool_map();
    if (first + (1ull << order) > POOL_FRAMES)
        return 0;
    never_used = first + (1ull << order);
    return POOL_PHYS + first * PAGE_BYTES;
}

phys_t chunk_fetch(unsigned order)
{
    struct block *block = order <= MAX_ORDER ? free_blocks[order] : NULL;

    if (order > MAX_ORDER || limit < 1ull << order)
        return 0;
    if (limit != UINT64_MAX)
        limit -= 1ull << order;
    if (!block)
        return fresh_block(order);
    free_blocks[order] = block->next;
    memset(block, 0, PAGE_BYTES << order);
    return frame_phys(block);
}

void chunk_return(phys_t phys, unsigned order)
{
    struct block *block = frame_ptr(phys);

    must(order <= MAX_ORDER && phys % (PAGE_BYTES << order) == 0);
    block->next = free_blocks[order];
    free_blocks[order] = block;
    if (limit != UINT64_MAX)
        limit += 1ull << order;
}

void host_frames_limit(uint64_t frames) { limit = frames; }
