/*
 * Frames: orders up to 5 come from chunks of 64 frames, larger ones straight
 * from the roottask.
 *
 * The first frame of a chunk is its header, so a chunk is found from any frame in
 * it. Chunks with free frames are in a list. A chunk that becomes empty is kept
 * for the next allocation if it is the only one, else given back.
 */
#include <lib/native/runtime.h>
#include <string.h>

#define CHUNK_ORDER  6u
#define CHUNK_BYTES  (PAGE_BYTES << CHUNK_ORDER)
#define CHUNK_MAGIC  0x63686e6b63686e6bull
#define HEADER_FRAME 1ull /* the bit of the header itself */

struct chunk {
    uint64_t magic;
    uint64_t used;  /* bit per frame */
    uint64_t dirty; /* frames that may not be zero */
    struct chunk *next, *prev; /* in the list, while a frame is free */
};

void runtime_frames_init(void);

static struct lock   frames_lock; /* protects all below */
static struct chunk *available;   /* chunks with a free frame */
static struct chunk *empty;       /* one of them without used frames, or NULL */
static uint64_t      frames_held;

void runtime_frames_init(void) { lock_init(&frames_lock); }

/* ---- one chunk --------------------------------------------------------------------------- */

static uint64_t run_of(unsigned order) { return (1ull << (1u << order)) - 1; }

/* Returns the index of a free aligned run, or -1. */
static int chunk_find(const struct chunk *chunk, unsigned order)
{
    static const uint64_t aligned[CHUNK_ORDER] = {
        ~0ull, 0x5555555555555555, 0x1111111111111111, 0x0101010101010101, 0x0001000100010001,
        0x0000000100000001,
    };
    uint64_t begins = ~chunk->used; /* bit: a free run of the order begins here */

    for (unsigned half = 0; half < order; half++)
        begins &= begins >> (1u << half);
    begins &= aligned[order];
    return begins ? __builtin_ctzll(begins) : -1;
}

static void list_add(struct chunk *chunk)
{
    chunk->prev = NULL;
    chunk->next = available;
    if (available)
        available->prev = chunk;
    available = chunk;
}

static void list_remove(struct chunk *chunk)
{
    if (chunk->prev)
        chunk->prev->next = chunk->next;
    else
        available = chunk->next;
    if (chunk->next)
        chunk->next->prev = chunk->prev;
}

static phys_t chunk_take(struct chunk *chunk, unsigned order, unsigned at, bool *dirty)
{
    uint64_t run = run_of(order) << at;

    *dirty = chunk->dirty & run;
    chunk->used |= run;
    chunk->dirty |= run;
    if (chunk == empty)
        empty = NULL;
    if (chunk->used == ~0ull)
        list_remove(chunk);
    frames_held += 1ull << order;
    return frame_phys(chunk) + at * PAGE_BYTES;
}

/* Returns a chunk that has to be given back to the roottask, or NULL. */
static struct chunk *chunk_release(struct chunk *chunk, unsigned order, unsigned at)
{
    uint64_t run = run_of(order) << at;
    bool     was_full = chunk->used == ~0ull;

    must(chunk->magic == CHUNK_MAGIC && (chunk->used & run) == run && !(run & HEADER_FRAME));
    chunk->used &= ~run;
    frames_held -= 1ull << order;
    if (was_full)
        list_add(chunk);
    if (chunk->used != HEADER_FRAME)
        return NULL;
    if (!empty) {
        empty = chunk;
        return NULL;
    }
    list_remove(chunk);
    return chunk;
}

/* ---- all chunks --------------------------------------------------------------------------- */

static phys_t chunks_take(unsigned order, bool *dirty)
{
    for (struct chunk *chunk = available; chunk; chunk = chunk->next) {
        int at = chunk_find(chunk, order);

        if (at >= 0)
            return chunk_take(chunk, order, (unsigned)at, dirty);
    }
    return 0;
}

/* Gets a chunk without holding the lock: that is a call to another server. */
static bool chunk_add(void)
{
    phys_t        phys = chunk_fetch(CHUNK_ORDER);
    struct chunk *chunk = frame_ptr(phys);

    if (!phys)
        return false;
    must(phys % CHUNK_BYTES == 0);
    *chunk = (struct chunk){ .magic = CHUNK_MAGIC, .used = HEADER_FRAME, .dirty = HEADER_FRAME };
    lock_acquire(&frames_lock);
    list_add(chunk);
    lock_release(&frames_lock);
    return true;
}

/* *dirty: the frames may not be zero. */
static phys_t small_alloc(unsigned order, bool *dirty)
{
    phys_t phys;

    do {
        lock_acquire(&frames_lock);
        phys = chunks_take(order, dirty);
        lock_release(&frames_lock);
    } while (!phys && chunk_add());
    return phys;
}

static phys_t large_alloc(unsigned order)
{
    phys_t phys = chunk_fetch(order);

    if (!phys)
        return 0;
    lock_acquire(&frames_lock);
    frames_held += 1ull << order;
    lock_release(&frames_lock);
    return phys;
}

static void large_free(phys_t phys, unsigned order)
{
    lock_acquire(&frames_lock);
    frames_held -= 1ull << order;
    lock_release(&frames_lock);
    chunk_return(phys, order);
}

phys_t frames_alloc_dirty(unsigned order)
{
    bool dirty;

    return order < CHUNK_ORDER ? small_alloc(order, &dirty) : large_alloc(order);
}

phys_t frames_alloc(unsigned order)
{
    bool   dirty = false;
    phys_t phys = order < CHUNK_ORDER ? small_alloc(order, &dirty) : large_alloc(order);

    if (phys && dirty)
        memset(frame_ptr(phys), 0, PAGE_BYTES << order);
    return phys;
}

void frames_free(phys_t phys, unsigned order)
{
    phys_t        base = phys & ~(CHUNK_BYTES - 1);
    struct chunk *unused;

    must(phys && phys % (PAGE_BYTES << order) == 0);
    if (order >= CHUNK_ORDER) {
        large_free(phys, order);
        return;
    }
    lock_acquire(&frames_lock);
    unused = chunk_release(frame_ptr(base), order, (unsigned)((phys - base) / PAGE_BYTES));
    lock_release(&frames_lock);
    if (unused)
        chunk_return(frame_phys(unused), CHUNK_ORDER);
}

void frames_trim(void)
{
    struct chunk *unused;

    lock_acquire(&frames_lock);
    unused = empty;
    empty = NULL;
    if (unused)
        list_remove(unused);
    lock_release(&frames_lock);
    if (unused)
        chunk_return(frame_phys(unused), CHUNK_ORDER);
}

uint64_t frames_in_use(void)
{
    uint64_t count;

    lock_acquire(&frames_lock);
    count = frames_held;
    lock_release(&frames_lock);
    return count;
}
