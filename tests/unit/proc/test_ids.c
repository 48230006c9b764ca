/*
 * Process and thread ids, parents, groups, sessions.
 */
#include "proc_env.h"

#include <servers/proc/proc.h>

static void test_first_process(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_getpid, 0, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_gettid, 0, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_getppid, 0, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_getpgrp, 0, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_getsid, 0, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_set_tid_address, MEMORY, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_set_robust_list, MEMORY, 23, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_set_robust_list, MEMORY, 24, 0, 0), 0);
}

static void test_child(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_not_equal(child, env.pid);
    assert_int_equal(sys_call_on(SLOT_OF_CHILD, __NR_getppid, 0, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_getpgid, child, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_getsid, child, 0, 0, 0), env.pid);
    assert_int_equal(sys_call(__NR_getsid, 31000, 0, 0, 0), -ESRCH);
}

static void test_setpgid(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(sys_call(__NR_setpgid, 0, 0, 0, 0), -EPERM); /* a session leader */
    assert_int_equal(sys_call(__NR_setpgid, child, -1, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_setpgid, 31000, 0, 0, 0), -ESRCH);
    assert_int_equal(sys_call(__NR_setpgid, child, 31000, 0, 0), -EPERM);
    assert_int_equal(sys_call(__NR_setpgid, child, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_getpgid, child, 0, 0, 0), child);
    assert_int_equal(sys_call(__NR_setpgid, child, env.pid, 0, 0), 0);
    assert_int_equal(sys_call_on(SLOT_OF_CHILD, __NR_setpgid, env.pid, 0, 0, 0), -ESRCH);
}

static void test_setpgid_after_exec(void **state)
{
    uint32_t child = child_create(), secure;

    (void)state;
    assert_int_equal(proc_process_exec(&env.ops, child, 0755, 0, 0, SEL_NONE, "x", &secure), 0);
    assert_int_equal(sys_call(__NR_setpgid, child, 0, 0, 0), -EACCES);
}

static void test_setsid(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(sys_call(__NR_setsid, 0, 0, 0, 0), -EPERM);
    assert_int_equal(sys_call_on(SLOT_OF_CHILD, __NR_setsid, 0, 0, 0, 0), child);
    assert_int_equal(sys_call(__NR_getsid, child, 0, 0, 0), child);
    assert_int_equal(sys_call(__NR_setpgid, child, 0, 0, 0), -EPERM);
}

/* Numbers go round, and skip those in use, also as a group. */
static void test_reuse_after_wrap(void **state)
{
    uint32_t child = child_create(), group = child, grandchild, pid, seen = 0;

    (void)state;
    assert_int_equal(sys_call_on(SLOT_OF_CHILD, __NR_setpgid, 0, 0, 0, 0), 0);
    assert_int_equal(proc_process_create(&env.ops, child, SEL_NONE, &grandchild), 0);
    process_find(child)->parent = 0;
    common_slot_bind(&env.ops, SLOT_OF_CHILD, 0, 0);
    assert_int_equal(proc_process_exit(&env.ops, child, 0), 0); /* its group lives on */
    for (unsigned i = 0; i < 40000; i++) {
        assert_int_equal(proc_process_create(&env.ops, 0, SEL_NONE, &pid), 0);
        assert_true(pid > 0 && pid < ID_MAX);
        assert_int_not_equal(pid, env.pid);
        assert_int_not_equal(pid, group);
        assert_int_not_equal(pid, grandchild);
        seen += pid < 400;
        assert_int_equal(proc_process_exit(&env.ops, pid, 0), 0);
    }
    assert_true(seen > 90); /* it did wrap */
}

static void test_threads(void **state)
{
    uint32_t tid;

    (void)state;
    assert_int_equal(proc_thread_create(&env.ops, env.pid, &tid), 0);
    assert_int_not_equal(tid, env.pid);
    assert_int_equal(proc_thread_create(&env.ops, 31000, &tid), -ESRCH);
    assert_int_equal(proc_thread_exit(&env.ops, env.pid, tid ? tid : 1), -ESRCH);
}

static void test_bind_checks_owner(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(common_slot_bind(&env.ops, SLOT_OF_CHILD, child, env.pid), -ESRCH);
    assert_int_equal(common_slot_bind(&env.ops, SLOT_OF_CHILD, 31000, 31000), -ESRCH);
}

static void test_names(void **state)
{
    uint32_t secure;

    (void)state;
    host_fault_in(env.space, MEMORY, 4096, true);
    assert_int_equal(proc_process_exec(&env.ops, env.pid, 0755, 0, 0,
                                       SEL_NONE, "fifteen-letters", &secure), 0);
    assert_int_equal(secure, 0);
    assert_string_equal(process_find(env.pid)->threads->name, "fifteen-letters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_process, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_child, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setpgid, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setpgid_after_exec, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setsid, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_reuse_after_wrap, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_threads, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_bind_checks_owner, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_names, env_setup, env_teardown),
    };

    return cmocka_run_group_tests_name("proc: ids", tests, NULL, NULL);
}
