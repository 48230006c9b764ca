/*
 * Ticks and nanoseconds.
 */
#include "cmocka_all.h"

#include <lib/native/clock.h>

static const uint64_t frequencies[] = { 1000000, 1000000000, 2599999123, 2600000000, 5123456789 };

static void day_is_right_to_two_ppb(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof frequencies / sizeof frequencies[0]; i++) {
        uint64_t hz = frequencies[i], day = 86400;
        uint64_t ns = clock_ticks_to_ns(hz * day, clock_ns_per_tick(hz));

        assert_in_range(ns, day * NS_PER_S - day * 2, day * NS_PER_S);
    }
}

/* A deadline is never early, and not more than a tick late. */
static void deadlines_are_reached(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof frequencies / sizeof frequencies[0]; i++) {
        uint64_t ratio = clock_ns_per_tick(frequencies[i]);

        for (uint64_t ns = 1; ns < UINT64_MAX >> 8; ns = ns * 3 + 1) {
            uint64_t ticks = clock_ns_to_ticks(ns, ratio);

            assert_true(clock_ticks_to_ns(ticks, ratio) >= ns);
            assert_true(clock_ticks_to_ns(ticks - 1, ratio) < ns);
        }
    }
}

static void far_deadlines_do_not_wrap(void **state)
{
    (void)state;
    assert_true(clock_ns_to_ticks(UINT64_MAX, clock_ns_per_tick(5000000000)) == CLOCK_FAR);
    assert_true(clock_ns_to_ticks(INT64_MAX, clock_ns_per_tick(5000000000)) == CLOCK_FAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(day_is_right_to_two_ppb),
        cmocka_unit_test(deadlines_are_reached),
        cmocka_unit_test(far_deadlines_do_not_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
