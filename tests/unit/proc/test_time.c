/*
 * Clocks and sleeping.
 */
#include "proc_env.h"

#include <linux/time_types.h>
#include <servers/proc/proc.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000ull

static struct __kernel_timespec *at(uint64_t address) { return memory(address); }

static void time_put(uint64_t address, int64_t seconds, int64_t nanoseconds)
{
    *at(address) = (struct __kernel_timespec){ seconds, nanoseconds };
}

static void test_clocks(void **state)
{
    (void)state;
    host_clock_set(5 * SECOND + 7);
    assert_int_equal(sys_call(__NR_clock_gettime, CLOCK_MONOTONIC, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_sec, 5);
    assert_int_equal(at(MEMORY)->tv_nsec, 7);
    assert_int_equal(sys_call(__NR_clock_gettime, CLOCK_REALTIME, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_sec, 1005);
    assert_int_equal(sys_call(__NR_time, MEMORY, 0, 0, 0), 1005);
    assert_int_equal(*(int64_t *)memory(MEMORY), 1005);
    assert_int_equal(sys_call(__NR_time, 0, 0, 0, 0), 1005);
    assert_int_equal(sys_call(__NR_time, NOTHING, 0, 0, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_gettimeofday, MEMORY, 0, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_nsec, 0); /* microseconds */
    assert_int_equal(sys_call(__NR_clock_getres, CLOCK_MONOTONIC, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_clock_gettime, 10, MEMORY, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_clock_gettime, 99, MEMORY, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_clock_gettime, CLOCK_REALTIME, 0, 0, 0), -EFAULT);
}

static void test_cpu_time(void **state)
{
    cap_sel_t sc = host_space_create(); /* any capability will do */
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(proc_thread_time_source(&env.ops, env.pid, sc), 0);
    fake_time_used_ns = 3 * SECOND;
    assert_int_equal(sys_call(__NR_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_sec, 3);
    assert_int_equal(sys_call(__NR_clock_gettime, (uint64_t)~env.pid << 3 | 2, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_sec, 3);
    assert_int_equal(sys_call(__NR_clock_gettime, (uint64_t)~child << 3 | 6, MEMORY, 0, 0),
                     -EINVAL); /* a thread of another process */
    assert_int_equal(sys_call(__NR_times, 0, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_getrusage, RUSAGE_SELF, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_sec, 3);
    assert_int_equal(sys_call(__NR_getrusage, 77, MEMORY, 0, 0), -EINVAL);
    assert_int_equal(proc_thread_time_source(&env.ops, env.pid, host_space_create()), 0);
    assert_int_equal(sys_call(__NR_clock_gettime, CLOCK_THREAD_CPUTIME_ID, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->tv_sec, 6); /* the earlier source's time is kept */
}

static void test_sleep_until_timeout(void **state)
{
    struct host_answer answer;

    (void)state;
    host_clock_set(10 * SECOND);
    time_put(MEMORY, 2, 500);
    answer = sys_answer(__NR_nanosleep, CALL_FIRST, MEMORY, 0, 0, 0);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 12 * SECOND + 500);
    host_clock_set(11 * SECOND);
    answer = sys_answer(__NR_nanosleep, CALL_RETRY, MEMORY, 0, 0, 0); /* woken for nothing */
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 12 * SECOND + 500);
    answer = sys_answer(__NR_nanosleep, CALL_TIMED_OUT, MEMORY, 0, 0, 0);
    assert_int_equal(answer.answer, ANSWER_DONE);
    assert_int_equal(answer.result, 0);
}

static void test_sleep_interrupted(void **state)
{
    struct host_answer answer;

    (void)state;
    time_put(MEMORY, 10, 0);
    assert_true(host_fault_in(env.space, MEMORY, 8192, true));
    answer = sys_answer(__NR_nanosleep, CALL_FIRST, MEMORY, MEMORY + 64, 0, 0);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    host_clock_set(4 * SECOND);
    host_page_out(env.space, MEMORY, 4096);
    answer = sys_answer(__NR_nanosleep, CALL_INTERRUPTED, MEMORY, MEMORY + 64, 0, 0);
    assert_int_equal(answer.answer, ANSWER_FAULT_IN);
    assert_true(host_fault_in(env.space, MEMORY, 4096, true));
    answer = sys_answer(__NR_nanosleep, CALL_INTERRUPTED, MEMORY, MEMORY + 64, 0, 0);
    assert_int_equal(answer.result, -EINTR);
    assert_int_equal(at(MEMORY + 64)->tv_sec, 6);
}

static void test_sleep_absolute(void **state)
{
    struct host_answer answer;

    (void)state;
    host_clock_set(3 * SECOND);
    time_put(MEMORY, 1008, 0); /* of the real-time clock, which is 1000 s ahead */
    answer = sys_answer(__NR_clock_nanosleep, CALL_FIRST, CLOCK_REALTIME, TIMER_ABSTIME, MEMORY,
                        MEMORY + 64);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 8 * SECOND);
    answer = sys_answer(__NR_clock_nanosleep, CALL_INTERRUPTED, CLOCK_REALTIME, TIMER_ABSTIME,
                        MEMORY, MEMORY + 64);
    assert_int_equal(answer.result, -EINTR);
    assert_int_equal(at(MEMORY + 64)->tv_sec, 0); /* nothing is written */
    time_put(MEMORY, 2, 0);
    assert_int_equal(sys_call(__NR_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, MEMORY, 0), 0);
}

static void test_sleep_bad_arguments(void **state)
{
    (void)state;
    time_put(MEMORY, 0, 1000000000);
    assert_int_equal(sys_call(__NR_nanosleep, MEMORY, 0, 0, 0), -EINVAL);
    time_put(MEMORY, -1, 0);
    assert_int_equal(sys_call(__NR_nanosleep, MEMORY, 0, 0, 0), -EINVAL);
    time_put(MEMORY, 0, 0);
    assert_int_equal(sys_call(__NR_nanosleep, MEMORY, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_nanosleep, NOTHING, 0, 0, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, MEMORY, 0),
                     -EINVAL);
    assert_int_equal(sys_call(__NR_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, MEMORY, 0),
                     -EOPNOTSUPP);
    assert_int_equal(sys_call(__NR_clock_nanosleep, 42, 0, MEMORY, 0), -EINVAL);
}

static void test_sleep_very_long(void **state)
{
    struct host_answer answer;

    (void)state;
    host_clock_set(SECOND);
    time_put(MEMORY, INT64_MAX, 999999999);
    answer = sys_answer(__NR_nanosleep, CALL_FIRST, MEMORY, 0, 0, 0);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_true(answer.word[0] == UINT64_MAX);
    answer = sys_answer(__NR_nanosleep, CALL_INTERRUPTED, MEMORY, 0, 0, 0);
    assert_int_equal(answer.result, -EINTR);
}

static void test_pause(void **state)
{
    struct host_answer answer = sys_answer(__NR_pause, CALL_FIRST, 0, 0, 0, 0);

    (void)state;
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 0);
    answer = sys_answer(__NR_pause, CALL_INTERRUPTED, 0, 0, 0, 0);
    assert_int_equal(answer.result, -EINTR);
}

static void test_uname_and_sysinfo(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_uname, MEMORY, 0, 0, 0), 0);
    assert_string_equal(memory(MEMORY), "Linux");
    assert_string_equal((char *)memory(MEMORY) + 65, "polyhedron");
    assert_string_equal((char *)memory(MEMORY) + 4 * 65, "x86_64");
    assert_int_equal(sys_call(__NR_uname, READ_ONLY, 0, 0, 0), -EFAULT);
    host_clock_set(77 * SECOND);
    assert_int_equal(sys_call(__NR_sysinfo, MEMORY, 0, 0, 0), 0);
    assert_int_equal(*(int64_t *)memory(MEMORY), 77);
    assert_int_equal(sys_call(__NR_sysinfo, 0, 0, 0, 0), -EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clocks, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_cpu_time, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sleep_until_timeout, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sleep_interrupted, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sleep_absolute, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sleep_bad_arguments, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sleep_very_long, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_pause, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_uname_and_sysinfo, env_setup, env_teardown),
    };

    return cmocka_run_group_tests_name("proc: time", tests, NULL, NULL);
}
