/*
 * The heap: a slab of one frame holds objects of one size class, a bitmap in its
 * header says which are in use. Anything larger has frames of its own, with the
 * same header. So the header of each object is at the start of its page.
 *
 * Its lock is the exception to the rule that no lock is held across a call to
 * another server: frames may come from the roottask, which calls nobody.
 */
#include <lib/native/runtime.h>

#define SLAB_MAGIC  0x736c6162736c6162ull
#define LARGE_MAGIC 0x6c617267656f626aull
#define HEADER_BYTES 64u

struct slab {
    uint64_t magic;
    uint64_t used[4];          /* bit per object */
    struct slab *next, *prev;  /* slabs of the class with a free object */
    uint16_t class_index, used_count;
    uint32_t order;            /* large objects: of their frames */
};
_Static_assert(sizeof(struct slab) <= HEADER_BYTES, "objects begin after it");

/* Chosen so that 4032 bytes hold a whole number of them with little left over. */
static const uint16_t class_bytes[] = { 16,  32,  48,  64,  96,  128, 192,  256,
                                        336, 448, 576, 672, 800, 1008, 1344, 2016 };
#define CLASSES (sizeof class_bytes / sizeof class_bytes[0])
#define LARGEST_CLASS_BYTES 2016u

void runtime_heap_init(void);

static struct lock  heap_lock;           /* protects all below */
static struct slab *available[CLASSES];  /* slabs with a free object */
static struct slab *spare[CLASSES];      /* one of them without objects, or NULL */
static size_t       bytes_in_use;

void runtime_heap_init(void) { lock_init(&heap_lock); }

_Static_assert(CLASSES == 16, "class_for halves them four times");

/* The first class that is large enough, for at most LARGEST_CLASS_BYTES. */
static unsigned class_for(size_t bytes)
{
    unsigned index = 0;

    for (unsigned step = CLASSES / 2; step; step /= 2)
        if (class_bytes[index + step - 1] < bytes)
            index += step;
    return index;
}

static unsigned class_capacity(unsigned index)
{
    return (PAGE_BYTES - HEADER_BYTES) / class_bytes[index];
}

static struct slab *slab_of(const void *ptr)
{
    return (struct slab *)((uintptr_t)ptr & ~(PAGE_BYTES - 1));
}

/* ---- slabs ------------------------------------------------------------------------------------ */

static void list_add(struct slab *slab)
{
    struct slab **head = &available[slab->class_index];

    slab->prev = NULL;
    slab->next = *head;
    if (*head)
        (*head)->prev = slab;
    *head = slab;
}

static void list_remove(struct slab *slab)
{
    if (slab->prev)
        slab->prev->next = slab->next;
    else
        available[slab->class_index] = slab->next;
    if (slab->next)
        slab->next->prev = slab->prev;
}

static struct slab *slab_create(unsigned index)
{
    phys_t       phys = frames_alloc(0);
    struct slab *slab = frame_ptr(phys);

    if (!phys)
        return NULL;
    slab->magic = SLAB_MAGIC;
    slab->class_index = (uint16_t)index;
    list_add(slab);
    return slab;
}

static void slab_destroy(struct slab *slab)
{
    slab->magic = 0;
    list_remove(slab);
    frames_free(frame_phys(slab), 0);
}

static unsigned slab_first_free(const struct slab *slab)
{
    unsigned word = 0;

    while (slab->used[word] == ~0ull)
        word++;
    return word * 64 + (unsigned)__builtin_ctzll(~slab->used[word]);
}

static void *slab_take(struct slab *slab)
{
    unsigned index = slab_first_free(slab), class = slab->class_index;

    must(index < class_capacity(class));
    slab->used[index / 64] |= 1ull << index % 64;
    if (slab == spare[class])
        spare[class] = NULL;
    if (++slab->used_count == class_capacity(class))
        list_remove(slab);
    bytes_in_use += class_bytes[class];
    return (char *)slab + HEADER_BYTES + index * class_bytes[class];
}

static void slab_release(struct slab *slab, const void *ptr)
{
    unsigned class = slab->class_index;
    size_t   offset = (size_t)((const char *)ptr - (const char *)slab) - HEADER_BYTES;
    unsigned index = (unsigned)(offset / class_bytes[class]);
    uint64_t bit = 1ull << index % 64;

    must(class < CLASSES && offset % class_bytes[class] == 0 && index < class_capacity(class));
    must(slab->used[index / 64] & bit);
    slab->used[index / 64] &= ~bit;
    bytes_in_use -= class_bytes[class];
    if (slab->used_count-- == class_capacity(class))
        list_add(slab);
    if (slab->used_count > 0)
        return;
    if (spare[class])
        slab_destroy(slab);
    else
        spare[class] = slab;
}

/* ---- large objects ------------------------------------------------------------------------------ */

static void *large_alloc(size_t bytes)
{
    unsigned     order = 0;
    struct slab *header;
    phys_t       phys;

    if (bytes > SIZE_MAX / 4)
        return NULL;
    while (PAGE_BYTES << order < bytes + HEADER_BYTES)
        order++;
    phys = frames_alloc(order);
    if (!phys)
        return NULL;
    header = frame_ptr(phys);
    header->magic = LARGE_MAGIC;
    header->order = order;
    bytes_in_use += PAGE_BYTES << order;
    return (char *)header + HEADER_BYTES;
}

static void large_free(struct slab *header, const void *ptr)
{
    must((const char *)ptr == (const char *)header + HEADER_BYTES);
    header->magic = 0;
    bytes_in_use -= PAGE_BYTES << header->order;
    frames_free(frame_phys(header), header->order);
}

/* ---- interface -------------------------------------------------------------------------------------- */

void *heap_alloc(size_t bytes)
{
    struct slab *slab;
    void        *ptr = NULL;

    lock_acquire(&heap_lock);
    if (bytes > LARGEST_CLASS_BYTES) {
        ptr = large_alloc(bytes);
    } else {
        slab = available[class_for(bytes)];
        if (!slab)
            slab = slab_create(class_for(bytes));
        if (slab)
            ptr = slab_take(slab);
    }
    lock_release(&heap_lock);
    return ptr;
}

void heap_free(void *ptr)
{
    struct slab *slab = slab_of(ptr);

    if (!ptr)
        return;
    lock_acquire(&heap_lock);
    if (slab->magic == LARGE_MAGIC) {
        large_free(slab, ptr);
    } else {
        must(slab->magic == SLAB_MAGIC);
        slab_release(slab, ptr);
    }
    lock_release(&heap_lock);
}

size_t heap_usable_bytes(const void *ptr)
{
    const struct slab *slab = slab_of(ptr);

    if (slab->magic == LARGE_MAGIC)
        return (PAGE_BYTES << slab->order) - HEADER_BYTES;
    must(slab->magic == SLAB_MAGIC);
    return class_bytes[slab->class_index];
}

void heap_trim(void)
{
    lock_acquire(&heap_lock);
    for (unsigned class = 0; class < CLASSES; class++) {
        if (spare[class])
            slab_destroy(spare[class]);
        spare[class] = NULL;
    }
    lock_release(&heap_lock);
    frames_trim();
}

size_t heap_bytes_in_use(void) { return __atomic_load_n(&bytes_in_use, __ATOMIC_RELAXED); }
