/*
 * The AVL tree of VMAs. Each node knows the extent of its subtree and the
 * greatest gap between neighbours in it, so that a search for free space leaves
 * out all subtrees without a gap that is large enough.
 */
#include "servers/mem/vma.h"

#include <lib/native/native.h>

static int height(const struct vma *vma) { return vma ? vma->height : 0; }

static uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }
/* The guard of a VMA may reach into its lower neighbour. */
static uint64_t gap_between(uint64_t end, uint64_t start) { return start > end ? start - end : 0; }

/* Recomputes what a node knows of its subtree from its children. */
static void update(struct vma *vma)
{
    const struct vma *left = vma->left, *right = vma->right;

    vma->height = 1 + (height(left) > height(right) ? height(left) : height(right));
    vma->first = left ? left->first : vma_guarded_start(vma);
    vma->last = right ? right->last : vma->end;
    vma->max_gap = 0;
    if (left)
        vma->max_gap = max_u64(left->max_gap, gap_between(left->last, vma_guarded_start(vma)));
    if (right)
        vma->max_gap = max_u64(vma->max_gap,
                               max_u64(right->max_gap, gap_between(vma->end, right->first)));
}

static struct vma *rotate_right(struct vma *vma)
{
    struct vma *top = vma->left;

    vma->left = top->right;
    top->right = vma;
    update(vma);
    update(top);
    return top;
}

static struct vma *rotate_left(struct vma *vma)
{
    struct vma *top = vma->right;

    vma->right = top->left;
    top->left = vma;
    update(vma);
    update(top);
    return top;
}

/* Restores the balance of a subtree whose children are balanced; returns its root. */
static struct vma *balance(struct vma *vma)
{
    int lean = height(vma->left) - height(vma->right);

    if (lean > 1) {
        if (height(vma->left->left) < height(vma->left->right))
            vma->left = rotate_left(vma->left);
        return rotate_right(vma);
    }
    if (lean < -1) {
        if (height(vma->right->right) < height(vma->right->left))
            vma->right = rotate_right(vma->right);
        return rotate_left(vma);
    }
    update(vma);
    return vma;
}

static struct vma *insert_below(struct vma *top, struct vma *vma)
{
    if (!top) {
        update(vma);
        return vma;
    }
    if (vma->start < top->start) {
        must(vma->end <= top->start);
        top->left = insert_below(top->left, vma);
    } else {
        must(vma->start >= top->end);
        top->right = insert_below(top->right, vma);
    }
    return balance(top);
}

void vma_insert(struct vma_tree *tree, struct vma *vma)
{
    must(vma->start < vma->end);
    vma->left = vma->right = NULL;
    tree->root = insert_below(tree->root, vma);
    tree->count++;
}

/* Takes the leftmost node out of a subtree; returns the subtree's root. */
static struct vma *take_leftmost(struct vma *top, struct vma **leftmost)
{
    if (!top->left) {
        *leftmost = top;
        return top->right;
    }
    top->left = take_leftmost(top->left, leftmost);
    return balance(top);
}

static struct vma *remove_below(struct vma *top, struct vma *vma)
{
    struct vma *heir;

    must(top);
    if (vma->start < top->start) {
        top->left = remove_below(top->left, vma);
        return balance(top);
    }
    if (vma->start > top->start) {
        top->right = remove_below(top->right, vma);
        return balance(top);
    }
    must(top == vma);
    if (!top->right)
        return top->left;
    top->right = take_leftmost(top->right, &heir);
    heir->right = top->right;
    heir->left = top->left;
    return balance(heir);
}

void vma_remove(struct vma_tree *tree, struct vma *vma)
{
    tree->root = remove_below(tree->root, vma);
    tree->count--;
}

/* The order of nodes does not change with their borders, so the way down is the same. */
static void update_path(struct vma *top, const struct vma *vma)
{
    must(top);
    if (top != vma)
        update_path(vma->start < top->start ? top->left : top->right, vma);
    update(top);
}

void vma_resize(struct vma_tree *tree, struct vma *vma, uint64_t start, uint64_t end)
{
    must(start < end);
    vma->start = start;
    vma->end = end;
    update_path(tree->root, vma);
}

/* Whether the subtree, with free space around it down to low and up to high, can
 * have a gap of so many bytes. */
static bool may_hold(const struct vma *top, uint64_t low, uint64_t high, uint64_t bytes)
{
    return top->max_gap >= bytes || gap_between(low, min_u64(top->first, high)) >= bytes ||
           gap_between(max_u64(top->last, low), high) >= bytes;
}

static uint64_t highest_in(const struct vma *top, uint64_t low, uint64_t high, uint64_t bytes)
{
    uint64_t found;

    if (high < low || high - low < bytes)
        return NO_GAP;
    if (!top)
        return high - bytes;
    if (!may_hold(top, low, high, bytes))
        return NO_GAP;
    found = highest_in(top->right, max_u64(low, top->end), high, bytes);
    if (found != NO_GAP)
        return found;
    return highest_in(top->left, low, min_u64(high, vma_guarded_start(top)), bytes);
}

static uint64_t lowest_in(const struct vma *top, uint64_t low, uint64_t high, uint64_t bytes)
{
    uint64_t found;

    if (high < low || high - low < bytes)
        return NO_GAP;
    if (!top)
        return low;
    if (!may_hold(top, low, high, bytes))
        return NO_GAP;
    found = lowest_in(top->left, low, min_u64(high, vma_guarded_start(top)), bytes);
    if (found != NO_GAP)
        return found;
    return lowest_in(top->right, max_u64(low, top->end), high, bytes);
}

uint64_t vma_gap_highest(const struct vma_tree *tree, uint64_t low, uint64_t high, uint64_t bytes)
{
    return highest_in(tree->root, low, high, bytes);
}

uint64_t vma_gap_lowest(const struct vma_tree *tree, uint64_t low, uint64_t high, uint64_t bytes)
{
    return lowest_in(tree->root, low, high, bytes);
}

static struct vma *copy_below(const struct vma *top, struct vma **spare)
{
    struct vma *copy = *spare;

    if (!top)
        return NULL;
    must(copy);
    *spare = copy->right;
    *copy = *top;
    copy->left = copy_below(top->left, spare);
    copy->right = copy_below(top->right, spare);
    return copy;
}

void vma_copy_tree(struct vma_tree *to, const struct vma_tree *from, struct vma *spare)
{
    must(!to->root);
    to->root = copy_below(from->root, &spare);
    to->count = from->count;
    must(!spare);
}
