#include "servers/mem/frames.h"

#include <errno.h>
#include <lib/native/native.h>
#include <string.h>

/* Counters are in chunks, each for a range of 64 MiB and 16 frames large. */
#define CHUNK_SHIFT  14
#define CHUNK_FRAMES (1u << CHUNK_SHIFT)
#define CHUNK_ORDER  4
#define CHUNKS       4096u /* 256 GiB */

_Static_assert(CHUNK_FRAMES * sizeof(uint32_t) == PAGE_BYTES << CHUNK_ORDER, "chunks are full");

static struct {
    uint32_t *refs; /* by frame; NULL: no chunk */
    uint32_t  used; /* frames that have references, and 1 if it is reserved */
} chunks[CHUNKS];
static phys_t zero_frame;

static uint64_t chunk_of(phys_t phys) { return phys >> (PAGE_SHIFT + CHUNK_SHIFT); }

static uint32_t *refs_of(phys_t phys)
{
    uint64_t chunk = chunk_of(phys);

    must(phys && chunk < CHUNKS && chunks[chunk].refs);
    return &chunks[chunk].refs[phys >> PAGE_SHIFT & (CHUNK_FRAMES - 1)];
}

/* One more user of a chunk. -ENOMEM. */
static int chunk_get(uint64_t chunk)
{
    if (chunk >= CHUNKS)
        return -ENOMEM;
    if (!chunks[chunk].refs) {
        phys_t phys = frames_alloc(CHUNK_ORDER);

        if (!phys)
            return -ENOMEM;
        chunks[chunk].refs = frame_ptr(phys);
    }
    chunks[chunk].used++;
    return 0;
}

static void chunk_put(uint64_t chunk)
{
    must(chunks[chunk].used > 0);
    if (--chunks[chunk].used > 0)
        return;
    frames_free(frame_phys(chunks[chunk].refs), CHUNK_ORDER);
    chunks[chunk].refs = NULL;
}

int frames_reserve(phys_t base, uint64_t bytes)
{
    uint64_t last = bytes ? chunk_of(base + bytes - 1) : 0;
    int error = 0;

    for (uint64_t chunk = chunk_of(base); bytes && chunk <= last && !error; chunk++)
        if (chunk >= CHUNKS || !chunks[chunk].used)
            error = chunk_get(chunk);
    return error;
}

/* The first reference of an allocated frame, or 0 if there is no counter for it. */
static phys_t first_reference(phys_t phys)
{
    if (!phys)
        return 0;
    if (chunk_get(chunk_of(phys))) {
        frames_free(phys, 0);
        return 0;
    }
    *refs_of(phys) = 1;
    return phys;
}

phys_t frame_new(void) { return first_reference(frames_alloc(0)); }

phys_t frame_copy(phys_t from)
{
    phys_t phys = first_reference(frames_alloc_dirty(0));

    if (phys)
        memcpy(frame_ptr(phys), frame_ptr(from), PAGE_BYTES);
    return phys;
}

void frame_get(phys_t phys)
{
    uint32_t *refs = refs_of(phys);

    must(*refs > 0 && *refs < UINT32_MAX);
    ++*refs;
}

void frame_put(phys_t phys)
{
    uint32_t *refs = refs_of(phys);

    must(*refs > 0);
    if (--*refs > 0)
        return;
    frames_free(phys, 0);
    chunk_put(chunk_of(phys));
}

bool frame_is_shared(phys_t phys) { return *refs_of(phys) > 1; }

phys_t frame_zero(void) { return zero_frame; }

int frames_init(void)
{
    zero_frame = frame_new();
    return zero_frame ? 0 : -ENOMEM;
}

void frames_exit(void)
{
    frame_put(zero_frame);
    zero_frame = 0;
}
