#include <servers/vfs/radix.h>

#include <asm/errno.h>
#include <lib/native/native.h>
#include <stdlib.h>

#define FAN_SHIFT  6u
#define FAN        (1u << FAN_SHIFT)
#define HEIGHT_MAX 11u /* 11 * 6 bits: every 64-bit key */

struct radix_node {
    union {
        struct radix_node *child[FAN]; /* above the lowest level */
        uint64_t           value[FAN];
    };
};

/* Keys below one child of a node at this height (1: the lowest), as a power of two. */
static unsigned child_shift(unsigned height) { return (height - 1) * FAN_SHIFT; }

static unsigned child_index(uint64_t key, unsigned height)
{
    return key >> child_shift(height) & (FAN - 1);
}

static bool key_fits(uint64_t key, unsigned height)
{
    return height >= HEIGHT_MAX || key >> height * FAN_SHIFT == 0;
}

uint64_t radix_get(const struct radix *map, uint64_t key)
{
    if (!key_fits(key, map->height))
        return 0;
    if (map->height == 0)
        return map->root.value;

    const struct radix_node *node = map->root.node;
    for (unsigned height = map->height; height > 1 && node; height--)
        node = node->child[child_index(key, height)];
    return node ? node->value[child_index(key, 1)] : 0;
}

static int tree_raise(struct radix *map)
{
    struct radix_node *node = calloc(1, sizeof *node);

    if (!node)
        return -ENOMEM;
    if (map->height == 0)
        node->value[0] = map->root.value;
    else
        node->child[0] = map->root.node;
    map->root.node = node;
    map->height++;
    return 0;
}

int radix_set(struct radix *map, uint64_t key, uint64_t value)
{
    must(value != 0);
    while (!key_fits(key, map->height))
        if (tree_raise(map))
            return -ENOMEM;
    if (map->height == 0) {
        map->root.value = value;
        return 0;
    }

    struct radix_node *node = map->root.node;
    for (unsigned height = map->height; height > 1; height--) {
        struct radix_node **child = &node->child[child_index(key, height)];

        if (!*child && !(*child = calloc(1, sizeof **child)))
            return -ENOMEM;
        node = *child;
    }
    node->value[child_index(key, 1)] = value;
    return 0;
}

/* One walk over a subtree in ascending order. base: the lowest key of the subtree. Empty
 * nodes are freed. Returns true if the node still holds something. */
static bool node_drop_from(struct radix_node *node, unsigned height, uint64_t base,
                           uint64_t first, radix_drop_fn *drop, void *context)
{
    bool in_use = false;

    for (unsigned i = 0; i < FAN; i++) {
        uint64_t low = base + ((uint64_t)i << child_shift(height));
        uint64_t high = low + ((1ull << child_shift(height)) - 1);

        if (!node->value[i])
            continue;
        if (high < first) {
            in_use = true;
        } else if (height == 1) {
            drop(context, low, node->value[i]);
            node->value[i] = 0;
        } else if (node_drop_from(node->child[i], height - 1, low, first, drop, context)) {
            in_use = true;
        } else {
            free(node->child[i]);
            node->child[i] = NULL;
        }
    }
    return in_use;
}

void radix_drop_from(struct radix *map, uint64_t first, radix_drop_fn *drop, void *context)
{
    if (map->height == 0) {
        if (first == 0 && map->root.value) {
            drop(context, 0, map->root.value);
            map->root.value = 0;
        }
        return;
    }
    if (node_drop_from(map->root.node, map->height, 0, first, drop, context))
        return;
    free(map->root.node);
    *map = (struct radix){ .height = 0 };
}

static uint64_t node_next(const struct radix_node *node, unsigned height, uint64_t base,
                          uint64_t first)
{
    unsigned start = first > base ? child_index(first, height) : 0;

    for (unsigned i = start; i < FAN; i++) {
        uint64_t low = base + ((uint64_t)i << child_shift(height));
        uint64_t found;

        if (!node->value[i])
            continue;
        if (height == 1)
            return low;
        found = node_next(node->child[i], height - 1, low, first);
        if (found != RADIX_END)
            return found;
    }
    return RADIX_END;
}

uint64_t radix_next(const struct radix *map, uint64_t first)
{
    if (!key_fits(first, map->height))
        return RADIX_END;
    if (map->height == 0)
        return map->root.value ? 0 : RADIX_END;
    return node_next(map->root.node, map->height, 0, first);
}
