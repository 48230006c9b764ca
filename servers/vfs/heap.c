#include <servers/vfs/heap.h>

#include <lib/native/native.h>
#include <stddef.h>

/* Two roots become one. Either may be NULL. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->key < a->key) {
        struct heap_node *lower = b;

        b = a;
        a = lower;
    }
    b->next = a->child;
    b->before = a;
    if (a->child)
        a->child->before = b;
    a->child = b;
    a->next = a->before = NULL;
    return a;
}

/* Siblings become one heap: in pairs from the left, then together from the right. */
static struct heap_node *meld_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL, *root = NULL;

    while (first) {
        struct heap_node *second = first->next;
        struct heap_node *rest = second ? second->next : NULL;
        struct heap_node *pair = meld(first, second);

        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs) {
        struct heap_node *rest = pairs->next;

        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = rest;
    }
    return root;
}

void heap_insert(struct heap_node **root, struct heap_node *node, uint64_t key)
{
    must(!node->key && key);
    *node = (struct heap_node){ .key = key };
    *root = meld(*root, node);
}

void heap_remove(struct heap_node **root, struct heap_node *node)
{
    struct heap_node *below;

    if (!node->key)
        return;
    below = meld_siblings(node->child);
    if (below)
        below->next = below->before = NULL;
    if (node == *root) {
        *root = below;
    } else {
        if (node->before->child == node)
            node->before->child = node->next;
        else
            node->before->next = node->next;
        if (node->next)
            node->next->before = node->before;
        *root = meld(*root, below);
    }
    node->key = 0;
}
