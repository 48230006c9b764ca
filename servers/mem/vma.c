#include "servers/mem/vma.h"

#include "servers/mem/layout.h"

#include <lib/native/native.h>

struct vma *vma_find(const struct vma_tree *tree, uint64_t address)
{
    struct vma *vma = vma_at_or_after(tree, address);

    return vma && vma->start <= address ? vma : NULL;
}

struct vma *vma_at_or_after(const struct vma_tree *tree, uint64_t address)
{
    struct vma *best = NULL;

    for (struct vma *vma = tree->root; vma;) {
        if (vma->end > address) {
            best = vma;
            vma = vma->left;
        } else {
            vma = vma->right;
        }
    }
    return best;
}

struct vma *vma_before(const struct vma_tree *tree, uint64_t address)
{
    struct vma *best = NULL;

    for (struct vma *vma = tree->root; vma;) {
        if (vma->start < address) {
            best = vma;
            vma = vma->right;
        } else {
            vma = vma->left;
        }
    }
    return best;
}

struct vma *vma_next(const struct vma_tree *tree, const struct vma *vma)
{
    return vma_at_or_after(tree, vma->end);
}

uint64_t vma_guarded_start(const struct vma *vma)
{
    uint64_t guard = STACK_GUARD_PAGES * PAGE_BYTES;

    if (!(vma->flags & VMA_GROWSDOWN))
        return vma->start;
    return vma->start > guard ? vma->start - guard : 0;
}

void vma_split(struct vma_tree *tree, struct vma *vma, uint64_t at, struct vma *upper)
{
    must(page_offset(at) == 0 && vma->start < at && at < vma->end);
    *upper = *vma;
    upper->start = at;
    if (vma->object)
        upper->index += page_number(at - vma->start);
    vma->zero_from = 0;
    vma_resize(tree, vma, vma->start, at);
    vma_insert(tree, upper);
}

bool vma_can_merge(const struct vma *low, const struct vma *high)
{
    if (low->end != high->start || low->prot != high->prot || low->max_prot != high->max_prot ||
        low->flags != high->flags || low->object != high->object || low->zero_from)
        return false;
    return !low->object || low->index + page_number(low->end - low->start) == high->index;
}

struct vma *vma_merge_next(struct vma_tree *tree, struct vma *vma)
{
    struct vma *next = vma_next(tree, vma);

    if (!next || !vma_can_merge(vma, next))
        return NULL;
    vma_remove(tree, next);
    vma->zero_from = next->zero_from;
    vma_resize(tree, vma, vma->start, next->end);
    return next;
}
