/*
 * The vDSO's clocks, compiled into the test: exact for centuries, monotonic, and what
 * it does not know goes to the kernel.
 */
#define clock_gettime  vdso_alias_clock_gettime
#define clock_getres   vdso_alias_clock_getres
#define gettimeofday   vdso_alias_gettimeofday
#define time           vdso_alias_time
#define getcpu         vdso_alias_getcpu
#include "servers/mem/vdso/vdso.c"
#undef clock_gettime
#undef clock_getres
#undef gettimeofday
#undef time
#undef getcpu

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct vvar page;
extern const volatile struct vvar vvar_page __attribute__((alias("page")));

static uint64_t exact_ns(uint64_t ticks, uint64_t hz)
{
    return (uint64_t)((unsigned __int128)ticks * NS_PER_S / hz);
}

static void conversion_is_exact_for_a_century(void **state)
{
    static const uint64_t rates[] = { 1000000, 24000000, 999999999, 1000000000, 1000000001,
                                      2593906312, 3700000000, 5000000000 };
    struct vvar vvar;

    (void)state;
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        uint64_t century = rates[i] * 3155760000ull;

        vvar_set_clock(&vvar, rates[i], 0);
        for (uint64_t ticks = 1; ticks < century; ticks += ticks / 7 + 1) {
            uint64_t exact = exact_ns(ticks, rates[i]), ns = vvar_ticks_to_ns(&vvar, ticks);

            assert_true(ns <= exact && exact - ns <= 1);
            assert_true(vvar_ticks_to_ns(&vvar, ticks + 1) >= ns);
        }
    }
}

static void start_clock(void **state)
{
    (void)state;
    vvar_set_clock(&page, 1000000000, __builtin_ia32_rdtsc());
    page.realtime_offset_ns = 1700000000ll * 1000000000ll;
}

static uint64_t read_clock(int clock)
{
    struct __kernel_timespec now;

    assert_int_equal(__vdso_clock_gettime(clock, &now), 0);
    assert_in_range(now.tv_nsec, 0, NS_PER_S - 1);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void clocks_agree_and_never_go_back(void **state)
{
    static const int others[] = { CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE };
    uint64_t last = 0;

    start_clock(state);
    for (unsigned i = 0; i < 30000; i++) {
        uint64_t now = read_clock(i % 4 ? CLOCK_MONOTONIC : others[i / 4 % 3]);

        assert_true(now >= last && now < 100 * NS_PER_S);
        last = now;
    }
    assert_true(read_clock(CLOCK_REALTIME) - page.realtime_offset_ns >= last);
    assert_true(read_clock(CLOCK_REALTIME_COARSE) - page.realtime_offset_ns < 100 * NS_PER_S);
}

static void counter_behind_the_start_reads_zero(void **state)
{
    start_clock(state);
    page.boot_tsc = UINT64_MAX;
    assert_int_equal(read_clock(CLOCK_MONOTONIC), 0);
}

static void other_calls_fit(void **state)
{
    struct __kernel_old_timeval time;
    struct __kernel_timespec resolution = { 7, 7 };
    __kernel_old_time_t seconds;
    struct timezone zone = { 7, 7 };

    start_clock(state);
    assert_int_equal(__vdso_gettimeofday(&time, &zone), 0);
    assert_in_range(time.tv_sec, 1700000000, 1700000100);
    assert_int_equal(zone.tz_minuteswest, 0);
    assert_int_equal(__vdso_gettimeofday(NULL, NULL), 0);
    assert_in_range(__vdso_time(&seconds), 1700000000, 1700000100);
    assert_in_range(seconds, 1700000000, 1700000100);
    assert_in_range(__vdso_time(NULL), 1700000000, 1700000100);
    assert_int_equal(__vdso_clock_getres(CLOCK_MONOTONIC, &resolution), 0);
    assert_int_equal(resolution.tv_sec, 0);
    assert_int_equal(resolution.tv_nsec, 1);
    assert_int_equal(__vdso_clock_getres(CLOCK_MONOTONIC, NULL), 0);
}

static void unknown_clocks_and_no_counter_go_to_the_kernel(void **state)
{
    struct __kernel_timespec now;
    unsigned cpu = 1u << 30;

    start_clock(state);
    assert_int_equal(__vdso_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    assert_int_equal(__vdso_clock_gettime(1000, &now), -EINVAL);
    assert_int_equal(__vdso_clock_getres(1000, &now), -EINVAL);
    assert_int_equal(__vdso_getcpu(&cpu, NULL, NULL), 0);
    assert_in_range(cpu, 0, 4095);
    vvar_set_clock(&page, 0, 0);
    assert_int_equal(__vdso_clock_gettime(CLOCK_REALTIME, &now), 0);
    assert_in_range(now.tv_sec, 1700000000, 4000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversion_is_exact_for_a_century),
        cmocka_unit_test(clocks_agree_and_never_go_back),
        cmocka_unit_test(counter_behind_the_start_reads_zero),
        cmocka_unit_test(other_calls_fit),
        cmocka_unit_test(unknown_clocks_and_no_counter_go_to_the_kernel),
    };

    return cmocka_run_group_tests_name("mem: vDSO clocks", tests, NULL, NULL);
}
