#include "servers/mem/frames.h"

#include <errno.h>
#include <lib/native/native.h>
#include <stdlib.h>

/* Counts are kept by ranges of frames, which come and go with them. A range is as large
 * as what fits into 16 pages of the heap. */
#define CHUNK_FRAMES 16000u
#define CHUNKS 4200u /* 256 GiB */

struct chunk {
    uint32_t used;
    uint32_t refs[CHUNK_FRAMES];
};

static struct chunk *chunks[CHUNKS];
static phys_t zero_frame;

static uint32_t *refs_of(phys_t phys)
{
    uint64_t frame = phys >> PAGE_SHIFT;

    must(phys && frame / CHUNK_FRAMES < CHUNKS && chunks[frame / CHUNK_FRAMES]);
    return &chunks[frame / CHUNK_FRAMES]->refs[frame % CHUNK_FRAMES];
}

/* The chunk for a new frame, or NULL. */
static struct chunk *chunk_for(phys_t phys)
{
    uint64_t index = (phys >> PAGE_SHIFT) / CHUNK_FRAMES;
    struct chunk **chunk = &chunks[index < CHUNKS ? index : 0];

    if (index >= CHUNKS)
        return NULL;
    if (!*chunk)
        *chunk = calloc(1, sizeof **chunk);
    return *chunk;
}

phys_t frame_new(void)
{
    phys_t phys = frames_alloc(0);
    struct chunk *chunk;

    if (!phys)
        return 0;
    chunk = chunk_for(phys);
    if (!chunk) {
        frames_free(phys, 0);
        return 0;
    }
    chunk->used++;
    *refs_of(phys) = 1;
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
    struct chunk **chunk = &chunks[(phys >> PAGE_SHIFT) / CHUNK_FRAMES];

    must(*refs > 0);
    if (--*refs > 0)
        return;
    frames_free(phys, 0);
    if (--(*chunk)->used == 0) {
        free(*chunk);
        *chunk = NULL;
    }
}

bool frame_is_shared(phys_t phys) { return *refs_of(phys) > 1 || phys == zero_frame; }

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
