/*
 * The sparse array against a plain one, and at the far ends of its range.
 */
#include "servers/mem/pagemap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENTRIES 3000u
#define ROUNDS  300000u

static uint64_t model_next(const uint64_t *model, uint64_t *index, uint64_t end)
{
    for (; *index < end; ++*index)
        if (model[*index])
            return model[*index];
    return 0;
}

static void check_next(const struct pagemap *map, const uint64_t *model)
{
    uint64_t from = rand() % ENTRIES, end = from + rand() % (ENTRIES - from + 1);
    uint64_t index = from, expected_index = from;
    uint64_t expected = model_next(model, &expected_index, end);

    assert_int_equal(pagemap_next(map, &index, end), expected);
    assert_int_equal(index, expected ? expected_index : from);
}

static void random_operations_match_the_array(void **state)
{
    static uint64_t model[ENTRIES];
    struct pagemap map = { 0 };

    (void)state;
    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        /* filling and emptying take turns, so that the tree grows and shrinks */
        unsigned index = rand() % ENTRIES;
        bool fill = round / 8192 % 2 == 0 ? rand() % 4 : rand() % 8 == 0;

        if (fill) {
            model[index] = rand() + 1ull;
            assert_int_equal(pagemap_set(&map, index, model[index]), 0);
        } else {
            assert_int_equal(pagemap_clear(&map, index), model[index]);
            model[index] = 0;
        }
        assert_int_equal(pagemap_get(&map, index), model[index]);
        check_next(&map, model);
    }
    for (unsigned index = 0; index < ENTRIES; index++)
        pagemap_clear(&map, index);
    assert_int_equal(map.count, 0);
    assert_null(map.root);
}

static void far_indices_work(void **state)
{
    static const uint64_t indices[] = { 0, 63, 64, 1ull << 35, 1ull << 59, UINT64_MAX - 1 };
    struct pagemap map = { 0 };
    uint64_t index = 0;

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(pagemap_set(&map, indices[i], i + 1), 0);
    for (unsigned i = 0; i < 6; i++, index++) {
        assert_int_equal(pagemap_next(&map, &index, UINT64_MAX), i + 1);
        assert_int_equal(index, indices[i]);
    }
    assert_int_equal(pagemap_get(&map, UINT64_MAX), 0);
    for (unsigned i = 6; i-- > 0;)
        assert_int_equal(pagemap_clear(&map, indices[i]), i + 1);
    assert_null(map.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_match_the_array),
        cmocka_unit_test(far_indices_work),
    };

    return cmocka_run_group_tests_name("mem: page map", tests, NULL, NULL);
}
