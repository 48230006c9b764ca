/*
 * The allocator of capability selectors.
 */
#include "cmocka_all.h"

#include <lib/native/runtime.h>
#include <string.h>

#define FIRST 70u

static bool taken[MAX_CAPS];

static void take(cap_sel_t first, unsigned count)
{
    assert_true(first >= FIRST && first + count <= MAX_CAPS);
    for (unsigned i = 0; i < count; i++) {
        assert_false(taken[first + i]);
        taken[first + i] = true;
    }
}

static void give_back(cap_sel_t first, unsigned count)
{
    cap_free(first, count);
    memset(&taken[first], 0, count);
}

static void runs_do_not_overlap(void **state)
{
    cap_sel_t first[200];
    unsigned  seed = 1, before = caps_in_use();

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 200; i++) {
            unsigned count = 1 + (i * 7 + round) % 64;

            first[i] = cap_alloc(count);
            take(first[i], count);
        }
        for (unsigned i = 0; i < 200; i++) {
            unsigned index = (i + seed++) % 200;

            if (first[index] == SEL_NONE)
                continue;
            give_back(first[index], 1 + (index * 7 + round) % 64);
            first[index] = SEL_NONE;
        }
        for (unsigned i = 0; i < 200; i++)
            if (first[i] != SEL_NONE)
                give_back(first[i], 1 + (i * 7 + round) % 64);
    }
    assert_int_equal(caps_in_use(), before);
}

static void long_runs(void **state)
{
    cap_sel_t a = cap_alloc(1024), b = cap_alloc(65);

    (void)state;
    take(a, 1024);
    take(b, 65);
    give_back(a, 1024);
    give_back(b, 65);
    assert_int_equal(cap_alloc(MAX_CAPS), SEL_NONE);
}

static void all_selectors_can_be_had(void **state)
{
    unsigned count = 0, before = caps_in_use();

    (void)state;
    while (cap_alloc(1) != SEL_NONE)
        count++;
    assert_int_equal(count, MAX_CAPS - FIRST);
    assert_int_equal(cap_alloc(64), SEL_NONE);
    cap_free(1000, 1);
    assert_int_equal(cap_alloc(1), 1000);
    for (unsigned i = FIRST; i < MAX_CAPS; i++)
        cap_free(i, 1);
    assert_int_equal(caps_in_use(), before);
}

static void mistakes_are_caught(void **state)
{
    cap_sel_t sel = cap_alloc(2);

    (void)state;
    cap_free(sel, 2);
    expect_assert_failure(cap_free(sel, 1));
    expect_assert_failure(cap_free(MAX_CAPS, 1));
    expect_assert_failure(cap_free(SEL_NONE, 1));
    expect_assert_failure((void)cap_alloc(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_do_not_overlap),
        cmocka_unit_test(long_runs),
        cmocka_unit_test(all_selectors_can_be_had),
        cmocka_unit_test(mistakes_are_caught),
    };

    cap_init(FIRST);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
