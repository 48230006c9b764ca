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

/* ---- many at once ------------------------------------------------------------------------- */

static uint64_t visited_sum, visited_count;

static void visit(uint64_t value)
{
    visited_sum += value;
    visited_count++;
}

/* Sum and count of the entries of [first, end), which are emptied. */
static uint64_t model_drain(uint64_t *model, uint64_t first, uint64_t end, uint64_t *count)
{
    uint64_t sum = 0;

    *count = 0;
    for (; first < end; first++) {
        sum += model[first];
        *count += model[first] != 0;
        model[first] = 0;
    }
    return sum;
}

static void check_equal(const struct pagemap *map, const uint64_t *model)
{
    uint64_t count = 0;

    for (unsigned index = 0; index < ENTRIES; index++) {
        assert_int_equal(pagemap_get(map, index), model[index]);
        count += model[index] != 0;
    }
    assert_int_equal(map->count, count);
    assert_int_equal(pagemap_count(map, 0, UINT64_MAX), count);
}

static void ranges_are_counted_and_drained(void **state)
{
    static uint64_t model[ENTRIES];
    struct pagemap map = { 0 };

    (void)state;
    srand(2);
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t first = rand() % ENTRIES, end = first + rand() % (ENTRIES - first + 1);
        uint64_t last = first + rand() % 200, sum, count;

        for (; first < last && first < ENTRIES; first++) {
            model[first] = rand() + 1ull;
            assert_int_equal(pagemap_set(&map, first, model[first]), 0);
        }
        first = end > first ? first : end;
        visited_sum = visited_count = 0;
        count = pagemap_count(&map, first, end);
        pagemap_drain(&map, first, end, visit);
        assert_int_equal(count, visited_count);
        sum = model_drain(model, first, end, &count);
        assert_int_equal(visited_sum, sum);
        assert_int_equal(visited_count, count);
        check_equal(&map, model);
    }
    pagemap_drain(&map, 0, UINT64_MAX, visit);
    assert_null(map.root);
}

static void copies_are_equal_and_apart(void **state)
{
    static uint64_t model[ENTRIES];
    struct pagemap map = { 0 }, copy = { 0 };

    (void)state;
    srand(3);
    assert_int_equal(pagemap_copy(&copy, &map, visit), 0);
    assert_null(copy.root);
    for (unsigned i = 0; i < 700; i++) {
        unsigned index = rand() % ENTRIES;

        model[index] = rand() + 1ull;
        assert_int_equal(pagemap_set(&map, index, model[index]), 0);
    }
    visited_count = 0;
    assert_int_equal(pagemap_copy(&copy, &map, visit), 0);
    assert_int_equal(visited_count, map.count);
    pagemap_drain(&map, 0, UINT64_MAX, visit);
    check_equal(&copy, model);
    pagemap_drain(&copy, 0, UINT64_MAX, visit);
    assert_null(copy.root);
}

static void far_ranges_are_drained(void **state)
{
    static const uint64_t indices[] = { 0, 63, 64, 1ull << 35, 1ull << 59, UINT64_MAX - 1 };
    struct pagemap map = { 0 };

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(pagemap_set(&map, indices[i], 1), 0);
    assert_int_equal(pagemap_count(&map, 64, 1ull << 59), 2);
    assert_int_equal(pagemap_count(&map, 64, UINT64_MAX), 4);
    pagemap_drain(&map, 64, 1ull << 59, visit);
    assert_int_equal(map.count, 4);
    pagemap_drain(&map, 1ull << 59, UINT64_MAX, visit);
    assert_int_equal(map.count, 2);
    assert_int_equal(map.height, 0);
    pagemap_drain(&map, 64, UINT64_MAX, visit);
    assert_int_equal(map.count, 2);
    pagemap_drain(&map, 0, 64, visit);
    assert_null(map.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_match_the_array),
        cmocka_unit_test(far_indices_work),
        cmocka_unit_test(ranges_are_counted_and_drained),
        cmocka_unit_test(copies_are_equal_and_apart),
        cmocka_unit_test(far_ranges_are_drained),
    };

    return cmocka_run_group_tests_name("mem: page map", tests, NULL, NULL);
}
