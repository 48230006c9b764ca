#include "servers/mem/pagemap.h"

#include <errno.h>
#include <lib/native/native.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS 6
#define SLOTS     (1u << SLOT_BITS)
#define HEIGHT_MAX 10

struct pagemap_node {
    uint64_t used; /* bit n: slot n is in use */
    union {
        struct pagemap_node *child;
        uint64_t             value;
    } slot[SLOTS];
};

static unsigned slot_of(uint64_t index, unsigned height)
{
    return index >> (height * SLOT_BITS) & (SLOTS - 1);
}

/* Whether a tree of this height has a place for index. */
static bool fits(uint64_t index, unsigned height)
{
    return height >= HEIGHT_MAX || index >> ((height + 1) * SLOT_BITS) == 0;
}

uint64_t pagemap_get(const struct pagemap *map, uint64_t index)
{
    const struct pagemap_node *node = map->root;

    if (!node || !fits(index, map->height))
        return 0;
    for (unsigned height = map->height; height > 0; height--) {
        node = node->slot[slot_of(index, height)].child;
        if (!node)
            return 0;
    }
    return node->slot[slot_of(index, 0)].value;
}

/* Makes the tree no higher than its entries demand. */
static void shrink(struct pagemap *map)
{
    while (map->height > 0 && map->root->used == 1) {
        struct pagemap_node *top = map->root;

        map->root = top->slot[0].child;
        map->height--;
        free(top);
    }
}

/* Frees the empty nodes on the way to index, then shrinks the height while only
 * the first slot of the root is in use. */
static void prune(struct pagemap *map, uint64_t index)
{
    struct pagemap_node *path[HEIGHT_MAX + 1];
    struct pagemap_node *node = map->root;
    unsigned height = map->height;

    for (; node; node = node->slot[slot_of(index, height)].child, height--) {
        path[height] = node;
        if (height == 0)
            break;
    }
    if (!node) /* pagemap_set stopped half-way */
        height++;
    for (; height <= map->height && path[height]->used == 0; height++) {
        free(path[height]);
        if (height == map->height) {
            map->root = NULL;
            map->height = 0;
            return;
        }
        path[height + 1]->slot[slot_of(index, height + 1)].child = NULL;
        path[height + 1]->used &= ~(1ull << slot_of(index, height + 1));
    }
    shrink(map);
}

/* Makes the tree high enough for index. */
static int grow(struct pagemap *map, uint64_t index)
{
    while (!fits(index, map->height)) {
        struct pagemap_node *top = calloc(1, sizeof *top);

        if (!top)
            return -ENOMEM;
        top->used = 1;
        top->slot[0].child = map->root;
        map->root = top;
        map->height++;
    }
    return 0;
}

static int set_root(struct pagemap *map, uint64_t index)
{
    if (map->root)
        return grow(map, index);
    map->root = calloc(1, sizeof *map->root);
    if (!map->root)
        return -ENOMEM;
    for (map->height = 0; !fits(index, map->height);)
        map->height++;
    return 0;
}

int pagemap_set(struct pagemap *map, uint64_t index, uint64_t value)
{
    struct pagemap_node *node;

    must(value != 0);
    if (set_root(map, index)) {
        if (map->root)
            prune(map, 0);
        return -ENOMEM;
    }
    node = map->root;
    for (unsigned height = map->height; height > 0; height--) {
        unsigned slot = slot_of(index, height);

        if (!node->slot[slot].child) {
            node->slot[slot].child = calloc(1, sizeof *node);
            if (!node->slot[slot].child) {
                prune(map, index);
                return -ENOMEM;
            }
            node->used |= 1ull << slot;
        }
        node = node->slot[slot].child;
    }
    map->count += !(node->used >> slot_of(index, 0) & 1);
    node->used |= 1ull << slot_of(index, 0);
    node->slot[slot_of(index, 0)].value = value;
    return 0;
}

uint64_t pagemap_clear(struct pagemap *map, uint64_t index)
{
    struct pagemap_node *node = map->root;
    unsigned slot = slot_of(index, 0);
    uint64_t old;

    if (!node || !fits(index, map->height))
        return 0;
    for (unsigned height = map->height; height > 0; height--) {
        node = node->slot[slot_of(index, height)].child;
        if (!node)
            return 0;
    }
    old = node->slot[slot].value;
    if (!old)
        return 0;
    node->slot[slot].value = 0;
    node->used &= ~(1ull << slot);
    map->count--;
    if (!node->used)
        prune(map, index);
    return old;
}

/* First entry at or after *index within the subtree whose slots begin at base. */
static uint64_t next_in(const struct pagemap_node *node, unsigned height, uint64_t base,
                        uint64_t *index)
{
    unsigned shift = height * SLOT_BITS;
    unsigned first = *index > base ? (*index - base) >> shift : 0;

    for (uint64_t left = first < SLOTS ? node->used >> first << first : 0; left; left &= left - 1) {
        unsigned slot = __builtin_ctzll(left);
        uint64_t start = base + ((uint64_t)slot << shift);
        uint64_t value;

        if (height == 0) {
            *index = start;
            return node->slot[slot].value;
        }
        value = next_in(node->slot[slot].child, height - 1, start, index);
        if (value)
            return value;
    }
    return 0;
}

uint64_t pagemap_next(const struct pagemap *map, uint64_t *index, uint64_t end)
{
    uint64_t found = *index, value;

    if (!map->root || *index >= end || !fits(*index, map->height))
        return 0;
    value = next_in(map->root, map->height, 0, &found);
    if (!value || found >= end)
        return 0;
    *index = found;
    return value;
}

/* ---- many at once ------------------------------------------------------------------------- */

/* The used slots of a node that reach into [first, last]; its slots begin at base <= last. */
static uint64_t used_within(const struct pagemap_node *node, unsigned shift, uint64_t base,
                            uint64_t first, uint64_t last)
{
    uint64_t low = first > base ? (first - base) >> shift : 0, high = (last - base) >> shift;

    if (low >= SLOTS)
        return 0;
    return node->used >> low << low & (high >= SLOTS - 1 ? ~0ull : (2ull << high) - 1);
}

/* Returns how many entries there were. */
static uint64_t drain_below(struct pagemap_node *node, unsigned height, uint64_t base,
                            uint64_t first, uint64_t last, void (*visit)(uint64_t value))
{
    unsigned shift = height * SLOT_BITS;
    uint64_t count = 0;

    for (uint64_t left = used_within(node, shift, base, first, last); left; left &= left - 1) {
        unsigned slot = __builtin_ctzll(left);
        struct pagemap_node *child = node->slot[slot].child;

        if (height == 0) {
            visit(node->slot[slot].value);
            count++;
        } else {
            count += drain_below(child, height - 1, base + ((uint64_t)slot << shift), first, last,
                                 visit);
            if (child->used)
                continue;
            free(child);
        }
        node->slot[slot].value = 0;
        node->used &= ~(1ull << slot);
    }
    return count;
}

void pagemap_drain(struct pagemap *map, uint64_t first, uint64_t end,
                   void (*visit)(uint64_t value))
{
    if (!map->root || first >= end || !fits(first, map->height))
        return;
    map->count -= drain_below(map->root, map->height, 0, first, end - 1, visit);
    if (map->root->used) {
        shrink(map);
        return;
    }
    free(map->root);
    map->root = NULL;
    map->height = 0;
}

static void free_below(struct pagemap_node *node, unsigned height)
{
    for (uint64_t left = height ? node->used : 0; left; left &= left - 1)
        free_below(node->slot[__builtin_ctzll(left)].child, height - 1);
    free(node);
}

/* NULL: memory is out, and nothing is left of the copy. */
static struct pagemap_node *copy_below(const struct pagemap_node *node, unsigned height)
{
    struct pagemap_node *copy = malloc(sizeof *copy);

    if (!copy)
        return NULL;
    memcpy(copy, node, sizeof *copy);
    if (height == 0)
        return copy;
    copy->used = 0; /* what free_below may look at */
    for (uint64_t left = node->used; left; left &= left - 1) {
        unsigned slot = __builtin_ctzll(left);

        copy->slot[slot].child = copy_below(node->slot[slot].child, height - 1);
        if (!copy->slot[slot].child) {
            free_below(copy, height);
            return NULL;
        }
        copy->used |= 1ull << slot;
    }
    return copy;
}

static void visit_below(const struct pagemap_node *node, unsigned height,
                        void (*visit)(uint64_t value))
{
    for (uint64_t left = node->used; left; left &= left - 1) {
        unsigned slot = __builtin_ctzll(left);

        if (height)
            visit_below(node->slot[slot].child, height - 1, visit);
        else
            visit(node->slot[slot].value);
    }
}

int pagemap_copy(struct pagemap *to, const struct pagemap *from, void (*visit)(uint64_t value))
{
    must(!to->root);
    *to = (struct pagemap){ .height = from->height, .count = from->count };
    if (!from->root)
        return 0;
    to->root = copy_below(from->root, from->height);
    if (!to->root) {
        *to = (struct pagemap){ 0 };
        return -ENOMEM;
    }
    visit_below(to->root, to->height, visit);
    return 0;
}

static uint64_t count_below(const struct pagemap_node *node, unsigned height, uint64_t base,
                            uint64_t first, uint64_t last)
{
    unsigned shift = height * SLOT_BITS;
    uint64_t left = used_within(node, shift, base, first, last), count = 0;

    if (height == 0)
        return (uint64_t)__builtin_popcountll(left);
    for (; left; left &= left - 1) {
        unsigned slot = __builtin_ctzll(left);

        count += count_below(node->slot[slot].child, height - 1, base + ((uint64_t)slot << shift),
                             first, last);
    }
    return count;
}

uint64_t pagemap_count(const struct pagemap *map, uint64_t first, uint64_t end)
{
    if (!map->root || first >= end || !fits(first, map->height))
        return 0;
    return count_below(map->root, map->height, 0, first, end - 1);
}
