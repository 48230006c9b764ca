/*
 * The tree of VMAs against a plain array: one entry a page, which VMA is there.
 */
#include "servers/mem/layout.h"
#include "servers/mem/vma.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGES  512u
#define FIRST  0x100000ull
#define ROUNDS 1000000u

struct model {
    struct vma_tree tree;
    struct vma     *at[PAGES]; /* what is on each page */
};

static uint32_t random_state = 0x2545f491;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

static uint64_t address_of(unsigned page) { return FIRST + page * PAGE_BYTES; }
static unsigned page_of(uint64_t address) { return (unsigned)page_number(address - FIRST); }

static void model_fill(struct model *model, struct vma *vma, struct vma *with)
{
    for (unsigned page = page_of(vma->start); page < page_of(vma->end); page++)
        model->at[page] = with;
}

static struct vma *vma_new(uint64_t start, uint64_t end)
{
    struct vma *vma = calloc(1, sizeof *vma);

    vma->start = start;
    vma->end = end;
    vma->prot = random_below(3);
    return vma;
}

static bool is_free(const struct model *model, unsigned from, unsigned to)
{
    for (unsigned page = from; page < to; page++)
        if (model->at[page])
            return false;
    return true;
}

static void do_insert(struct model *model)
{
    unsigned from = random_below(PAGES), to = from + 1 + random_below(12);
    struct vma *vma;

    if (to > PAGES || !is_free(model, from, to))
        return;
    vma = vma_new(address_of(from), address_of(to));
    vma_insert(&model->tree, vma);
    model_fill(model, vma, vma);
}

static void do_remove(struct model *model)
{
    struct vma *vma = model->at[random_below(PAGES)];

    if (!vma)
        return;
    vma_remove(&model->tree, vma);
    model_fill(model, vma, NULL);
    free(vma);
}

static void do_split(struct model *model)
{
    unsigned page = random_below(PAGES);
    struct vma *vma = model->at[page], *upper;

    if (!vma || vma->start == address_of(page))
        return;
    upper = malloc(sizeof *upper);
    vma_split(&model->tree, vma, address_of(page), upper);
    model_fill(model, upper, upper);
}

static void do_merge(struct model *model)
{
    struct vma *vma = model->at[random_below(PAGES)], *gone;

    if (!vma)
        return;
    gone = vma_merge_next(&model->tree, vma);
    model_fill(model, vma, vma);
    if (gone)
        assert_int_equal(gone->prot, vma->prot);
    free(gone);
}

static void do_shrink(struct model *model)
{
    struct vma *vma = model->at[random_below(PAGES)];

    if (!vma || vma->end - vma->start < 3 * PAGE_BYTES)
        return;
    model_fill(model, vma, NULL);
    vma_resize(&model->tree, vma, vma->start + PAGE_BYTES, vma->end - PAGE_BYTES);
    model_fill(model, vma, vma);
}

static uint64_t model_gap_highest(const struct model *model, unsigned low, unsigned high,
                                  unsigned pages)
{
    for (unsigned from = high >= pages ? high - pages + 1 : 0; from-- > low;)
        if (is_free(model, from, from + pages))
            return address_of(from);
    return NO_GAP;
}

static uint64_t model_gap_lowest(const struct model *model, unsigned low, unsigned high,
                                 unsigned pages)
{
    for (unsigned from = low; from + pages <= high; from++)
        if (is_free(model, from, from + pages))
            return address_of(from);
    return NO_GAP;
}

static void check_gaps(const struct model *model)
{
    unsigned low = random_below(PAGES), high = low + random_below(PAGES - low + 1);
    unsigned pages = 1 + random_below(40);
    uint64_t bytes = pages * PAGE_BYTES;

    assert_int_equal(vma_gap_highest(&model->tree, address_of(low), address_of(high), bytes),
                     model_gap_highest(model, low, high, pages));
    assert_int_equal(vma_gap_lowest(&model->tree, address_of(low), address_of(high), bytes),
                     model_gap_lowest(model, low, high, pages));
}

static void check_lookups(const struct model *model)
{
    unsigned page = random_below(PAGES), other;
    uint64_t address = address_of(page) + random_below(PAGE_BYTES);

    assert_ptr_equal(vma_find(&model->tree, address), model->at[page]);
    for (other = page; other < PAGES && !model->at[other]; other++)
        ;
    assert_ptr_equal(vma_at_or_after(&model->tree, address),
                     other < PAGES ? model->at[other] : NULL);
    for (other = page; other > 0 && !model->at[other - 1]; other--)
        ;
    assert_ptr_equal(vma_before(&model->tree, address_of(page)),
                     other > 0 ? model->at[other - 1] : NULL);
}

/* Returns the height; checks balance and what each node knows of its subtree. */
static int check_node(const struct vma *vma, unsigned *count)
{
    int left, right;

    if (!vma)
        return 0;
    left = check_node(vma->left, count);
    right = check_node(vma->right, count);
    assert_in_range(left - right + 1, 0, 2);
    assert_int_equal(vma->height, 1 + (left > right ? left : right));
    assert_int_equal(vma->last, vma->right ? vma->right->last : vma->end);
    ++*count;
    return vma->height;
}

static void check_tree(const struct model *model)
{
    unsigned count = 0;

    check_node(model->tree.root, &count);
    assert_int_equal(count, model->tree.count);
}

static void clear(struct model *model)
{
    while (model->tree.root) {
        struct vma *vma = model->tree.root;

        vma_remove(&model->tree, vma);
        free(vma);
    }
}

static void random_operations_match_the_array(void **state)
{
    static void (*const operations[])(struct model *) = {
        do_insert, do_insert, do_insert, do_remove, do_split, do_merge, do_shrink,
    };
    static struct model model;

    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        operations[random_below(sizeof operations / sizeof operations[0])](&model);
        check_lookups(&model);
        if (round % 16 == 0)
            check_gaps(&model);
        if (round % 1024 == 0)
            check_tree(&model);
    }
    clear(&model);
}

static void stays_balanced_when_filled_in_order(void **state)
{
    struct model model = { 0 };

    (void)state;
    for (unsigned i = 0; i < 4096; i++)
        vma_insert(&model.tree, vma_new(FIRST + 2 * i * PAGE_BYTES,
                                        FIRST + (2 * i + 1) * PAGE_BYTES));
    assert_in_range(model.tree.root->height, 12, 14);
    check_tree(&model);
    clear(&model);
}

static void guard_below_a_stack_is_not_free(void **state)
{
    struct vma_tree tree = { 0 };
    uint64_t guard = STACK_GUARD_PAGES * PAGE_BYTES, top = 1ull << 32;
    struct vma stack = { .start = top - PAGE_BYTES, .end = top, .flags = VMA_GROWSDOWN };
    struct vma below = { .start = top - 2 * guard, .end = top - 2 * guard + PAGE_BYTES };

    (void)state;
    vma_insert(&tree, &stack);
    assert_int_equal(vma_gap_highest(&tree, FIRST, top, PAGE_BYTES),
                     stack.start - guard - PAGE_BYTES);
    vma_insert(&tree, &below);
    assert_int_equal(vma_gap_highest(&tree, FIRST, top, guard), below.start - guard);
}

static void merge_needs_pages_that_follow_each_other(void **state)
{
    struct object *object = (struct object *)&object;
    struct vma low = { .start = 0x1000, .end = 0x3000, .object = object, .index = 7 };
    struct vma high = { .start = 0x3000, .end = 0x4000, .object = object, .index = 9 };

    (void)state;
    assert_true(vma_can_merge(&low, &high));
    high.index = 10;
    assert_false(vma_can_merge(&low, &high));
    high.index = 9;
    low.zero_from = 0x2100;
    assert_false(vma_can_merge(&low, &high));
    low.zero_from = 0;
    high.start = 0x4000;
    high.end = 0x5000;
    assert_false(vma_can_merge(&low, &high));
}

static void split_keeps_index_and_zero_tail(void **state)
{
    struct vma_tree tree = { 0 };
    struct object *object = (struct object *)&object;
    struct vma low = { .start = 0x1000, .end = 0x5000, .object = object, .index = 7,
                       .zero_from = 0x4100 };
    struct vma high;

    (void)state;
    vma_insert(&tree, &low);
    vma_split(&tree, &low, 0x3000, &high);
    assert_int_equal(low.end, 0x3000);
    assert_int_equal(low.zero_from, 0);
    assert_int_equal(high.index, 9);
    assert_int_equal(high.zero_from, 0x4100);
    assert_ptr_equal(vma_merge_next(&tree, &low), &high);
    assert_int_equal(low.zero_from, 0x4100);
    assert_int_equal(tree.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_match_the_array),
        cmocka_unit_test(stays_balanced_when_filled_in_order),
        cmocka_unit_test(guard_below_a_stack_is_not_free),
        cmocka_unit_test(merge_needs_pages_that_follow_each_other),
        cmocka_unit_test(split_keeps_index_and_zero_tail),
    };

    return cmocka_run_group_tests_name("mem: VMA tree", tests, NULL, NULL);
}
