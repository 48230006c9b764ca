/*
 * Resource limits, scheduling, priorities.
 */
#include "proc_env.h"

#include <servers/proc/proc.h>

static struct rlimit64 *at(uint64_t address) { return memory(address); }

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_getrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), 0);
    assert_int_equal(at(MEMORY)->rlim_cur, 1024);
    assert_int_equal(at(MEMORY)->rlim_max, 4096);
    assert_int_equal(sys_call(__NR_prlimit64, 0, RLIMIT_STACK, 0, MEMORY), 0);
    assert_int_equal(at(MEMORY)->rlim_cur, 8 << 20);
    assert_true(at(MEMORY)->rlim_max == RLIM64_INFINITY);
    assert_int_equal(sys_call(__NR_getrlimit, RLIM_NLIMITS, MEMORY, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_getrlimit, RLIMIT_CPU, 0, 0, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_getrlimit, RLIMIT_CPU, READ_ONLY, 0, 0), -EFAULT);
}

static void test_exchange(void **state)
{
    (void)state;
    *at(MEMORY) = (struct rlimit64){ 10, 20 };
    assert_int_equal(sys_call(__NR_prlimit64, 0, RLIMIT_NOFILE, MEMORY, MEMORY + 64), 0);
    assert_int_equal(at(MEMORY + 64)->rlim_cur, 1024);
    assert_int_equal(sys_call(__NR_prlimit64, env.pid, RLIMIT_NOFILE, 0, MEMORY + 64), 0);
    assert_int_equal(at(MEMORY + 64)->rlim_cur, 10);
    *at(MEMORY) = (struct rlimit64){ 21, 20 };
    assert_int_equal(sys_call(__NR_setrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), -EINVAL);
    *at(MEMORY) = (struct rlimit64){ 5, (1 << 20) + 1 };
    assert_int_equal(sys_call(__NR_setrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), -EPERM);
}

/* Old values that can't be written leave everything as it was. */
static void test_fault_changes_nothing(void **state)
{
    (void)state;
    *at(MEMORY) = (struct rlimit64){ 10, 20 };
    assert_int_equal(sys_call(__NR_prlimit64, 0, RLIMIT_NOFILE, MEMORY, NOTHING), -EFAULT);
    assert_int_equal(process_find(env.pid)->limits[RLIMIT_NOFILE].rlim_cur, 1024);
}

static void test_raising_needs_authority(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    *at(MEMORY) = (struct rlimit64){ 1024, 4097 };
    assert_int_equal(sys_call(__NR_setrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), -EPERM);
    *at(MEMORY) = (struct rlimit64){ 4096, 4096 };
    assert_int_equal(sys_call(__NR_setrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), 0);
    *at(MEMORY) = (struct rlimit64){ 100, 100 };
    assert_int_equal(sys_call(__NR_setrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), 0);
    *at(MEMORY) = (struct rlimit64){ 100, 101 };
    assert_int_equal(sys_call(__NR_setrlimit, RLIMIT_NOFILE, MEMORY, 0, 0), -EPERM);
}

static void test_other_processes(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(sys_call(__NR_prlimit64, 31000, RLIMIT_CPU, 0, MEMORY), -ESRCH);
    assert_int_equal(sys_call(__NR_prlimit64, child, RLIMIT_CPU, 0, MEMORY), 0);
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_prlimit64, child, RLIMIT_CPU, 0, MEMORY), -EPERM);
    assert_int_equal(sys_call(__NR_prlimit64, 31000, 99, 0, MEMORY), -EINVAL);
}

static void test_affinity(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_sched_getaffinity, 0, 128, MEMORY, 0), 8);
    assert_int_equal(*(uint64_t *)memory(MEMORY), 0xf);
    assert_int_equal(sys_call(__NR_sched_getaffinity, 0, 7, MEMORY, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_sched_getaffinity, 0, 0, MEMORY, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_sched_getaffinity, 31000, 8, MEMORY, 0), -ESRCH);
    assert_int_equal(sys_call(__NR_sched_getaffinity, 0, 8, NOTHING, 0), -EFAULT);
}

static void test_priority(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_getpriority, PRIO_PROCESS, 0, 0, 0), 20);
    assert_int_equal(sys_call(__NR_getpriority, 3, 0, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_getpriority, PRIO_PROCESS, 31000, 0, 0), -ESRCH);
    assert_int_equal(sys_call(__NR_setpriority, PRIO_PROCESS, 0, (uint64_t)-50, 0), 0);
    assert_int_equal(sys_call(__NR_getpriority, PRIO_PROCESS, 0, 0, 0), 40);
    assert_int_equal(sys_call(__NR_setpriority, PRIO_PGRP, 0, 5, 0), 0);
    assert_int_equal(sys_call(__NR_getpriority, PRIO_USER, 0, 0, 0), 15);
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_setpriority, PRIO_PROCESS, 0, 4, 0), -EACCES);
    assert_int_equal(sys_call(__NR_setpriority, PRIO_PROCESS, 0, 6, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_exchange, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_fault_changes_nothing, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_raising_needs_authority, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_other_processes, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_affinity, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_priority, env_setup, env_teardown),
    };

    return cmocka_run_group_tests_name("proc: limits", tests, NULL, NULL);
}
