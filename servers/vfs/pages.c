#include <servers/vfs/pages.h>

#include <asm/errno.h>
#include <lib/native/native.h>
#include <stdlib.h>
#include <string.h>

/* Pages that one write prepares ahead, so that it is copied in few pieces. */
#define WRITE_AHEAD_PAGES 16u

static const uint8_t zero_page[PAGE_BYTES] __attribute__((aligned(4096)));

static uint64_t pages_of(uint64_t bytes)
{
    return bytes / PAGE_BYTES + (bytes % PAGE_BYTES != 0);
}

static size_t min_size(uint64_t a, size_t b) { return a < b ? (size_t)a : b; }

/* Length of a run that begins in own frame phys: over frames that follow each other both in
 * the file and in memory. */
static size_t own_run(const struct page_store *store, uint64_t offset, phys_t phys, size_t max)
{
    uint64_t index = offset / PAGE_BYTES;
    size_t   run = PAGE_BYTES - offset % PAGE_BYTES;

    while (run < max && radix_get(&store->own, ++index) == (phys += PAGE_BYTES))
        run += PAGE_BYTES;
    return min_size(run, max);
}

static size_t lower_run(const struct page_store *store, uint64_t offset, size_t max)
{
    uint64_t end = store->lower_bytes;

    if (store->own_over_lower) {
        uint64_t own = radix_next(&store->own, offset / PAGE_BYTES);

        if (own != RADIX_END && own * PAGE_BYTES < end)
            end = own * PAGE_BYTES;
    }
    return min_size(end - offset, max);
}

size_t pages_read_run(const struct page_store *store, uint64_t offset, size_t max,
                      const void **at)
{
    uint64_t within = offset % PAGE_BYTES;
    phys_t   phys = radix_get(&store->own, offset / PAGE_BYTES);

    must(max > 0);
    if (phys) {
        *at = (const uint8_t *)frame_ptr(phys) + within;
        return own_run(store, offset, phys, max);
    }
    if (offset < store->lower_bytes) {
        *at = store->lower + offset;
        return lower_run(store, offset, max);
    }
    *at = zero_page;
    return min_size(PAGE_BYTES - within, max);
}

/* Makes page index our own. Returns its frame, or 0. */
static phys_t page_own(struct page_store *store, uint64_t index)
{
    phys_t   phys = radix_get(&store->own, index);
    uint64_t offset = index * PAGE_BYTES;

    if (phys)
        return phys;
    phys = frames_alloc(0);
    if (!phys)
        return 0;
    if (radix_set(&store->own, index, phys)) {
        frames_free(phys, 0);
        return 0;
    }
    store->own_count++;
    if (offset < store->lower_bytes) {
        store->own_over_lower++;
        memcpy(frame_ptr(phys), store->lower + offset,
               min_size(store->lower_bytes - offset, PAGE_BYTES));
    }
    return phys;
}

size_t pages_write_run(struct page_store *store, uint64_t offset, size_t max, void **at)
{
    uint64_t index = offset / PAGE_BYTES;
    phys_t   first = page_own(store, index);
    size_t   run = PAGE_BYTES - offset % PAGE_BYTES;

    must(max > 0);
    if (!first)
        return 0;
    *at = (uint8_t *)frame_ptr(first) + offset % PAGE_BYTES;
    for (unsigned i = 1; i < WRITE_AHEAD_PAGES && run < max; i++) {
        if (page_own(store, index + i) != first + i * PAGE_BYTES)
            break;
        run += PAGE_BYTES;
    }
    return min_size(run, max);
}

static bool kept_reserve(struct page_store *store, uint64_t more)
{
    uint64_t want = store->kept_count + more;
    phys_t  *kept;

    if (want <= store->kept_room)
        return true;
    kept = realloc(store->kept, want * sizeof *kept);
    if (!kept)
        return false;
    store->kept = kept;
    store->kept_room = want;
    return true;
}

static void page_drop(void *context, uint64_t index, uint64_t phys)
{
    struct page_store *store = context;

    store->own_count--;
    if (index * PAGE_BYTES < store->lower_bytes)
        store->own_over_lower--;
    if (store->pins == 0) {
        frames_free(phys, 0);
    } else {
        must(store->kept_count < store->kept_room);
        store->kept[store->kept_count++] = phys;
    }
}

int pages_trim(struct page_store *store, uint64_t bytes)
{
    uint64_t first = pages_of(bytes);
    phys_t   last;

    if (store->pins && !kept_reserve(store, store->own_count))
        return -ENOMEM;
    radix_drop_from(&store->own, first, page_drop, store);
    if (store->lower_bytes > bytes)
        store->lower_bytes = bytes;
    last = bytes % PAGE_BYTES ? radix_get(&store->own, first - 1) : 0;
    if (last)
        memset((uint8_t *)frame_ptr(last) + bytes % PAGE_BYTES, 0,
               PAGE_BYTES - bytes % PAGE_BYTES);
    return 0;
}

static void page_drop_new(void *context, uint64_t index, uint64_t phys)
{
    struct page_store *store = context;

    must(index * PAGE_BYTES >= store->lower_bytes);
    store->own_count--;
    frames_free(phys, 0);
}

void pages_trim_new(struct page_store *store, uint64_t bytes)
{
    radix_drop_from(&store->own, pages_of(bytes), page_drop_new, store);
}

/* Whether a borrowed page can be handed out as it lies in the archive: aligned, and zero
 * beyond the end of the content. */
static bool lower_is_mappable(const struct page_store *store, uint64_t offset)
{
    const uint8_t *page = store->lower + offset;
    size_t         used = min_size(store->lower_bytes - offset, PAGE_BYTES);

    if ((uintptr_t)page % PAGE_BYTES)
        return false;
    /* The frame is in the archive's memory, which ends on a frame boundary. */
    return memcmp(page + used, zero_page, PAGE_BYTES - used) == 0;
}

phys_t pages_frame(struct page_store *store, uint64_t index, bool own)
{
    uint64_t offset = index * PAGE_BYTES;
    phys_t   phys = radix_get(&store->own, index);

    if (phys)
        return phys;
    if (!own && offset < store->lower_bytes && lower_is_mappable(store, offset))
        return frame_phys(store->lower + offset);
    return page_own(store, index);
}

void pages_pin(struct page_store *store) { store->pins++; }

void pages_unpin(struct page_store *store)
{
    must(store->pins > 0);
    if (--store->pins)
        return;
    for (size_t i = 0; i < store->kept_count; i++)
        frames_free(store->kept[i], 0);
    free(store->kept);
    store->kept = NULL;
    store->kept_count = store->kept_room = 0;
}

uint64_t pages_present(const struct page_store *store)
{
    return store->own_count + pages_of(store->lower_bytes) - store->own_over_lower;
}

uint64_t pages_next_data(const struct page_store *store, uint64_t from)
{
    uint64_t own;

    if (from < store->lower_bytes)
        return from;
    own = radix_next(&store->own, from / PAGE_BYTES);
    if (own == RADIX_END)
        return UINT64_MAX;
    return own * PAGE_BYTES > from ? own * PAGE_BYTES : from;
}

uint64_t pages_next_hole(const struct page_store *store, uint64_t from)
{
    uint64_t index = from / PAGE_BYTES;

    if (index < pages_of(store->lower_bytes))
        index = pages_of(store->lower_bytes);
    while (radix_get(&store->own, index))
        index++;
    return index * PAGE_BYTES > from ? index * PAGE_BYTES : from;
}

void pages_free(struct page_store *store)
{
    must(store->pins == 0);
    must(pages_trim(store, 0) == 0);
    free(store->kept);
    *store = (struct page_store){ .lower = NULL };
}
