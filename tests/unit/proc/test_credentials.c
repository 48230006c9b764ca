/*
 * User and group ids: every small case against the host's Linux, and what the
 * manual pages say.
 */
#include "host_ids.h"
#include "proc_env.h"

#include <linux/capability.h>
#include <servers/proc/proc.h>
#include <stdio.h>

#define KEEP 0xffffffffu

static struct credentials *cred(void) { return &process_find(env.pid)->cred; }

/* ---- against the host ------------------------------------------------------------ */

static void ours_try(const uint32_t ids[3], const struct id_call *call, int *result,
                     struct id_state *after)
{
    credentials_init(cred(), 0, 0);
    assert_int_equal(sys_call(__NR_setresuid, ids[0], ids[1], ids[2], 0), 0);
    *result = (int)sys_call((unsigned)call->nr, call->arg[0], call->arg[1], call->arg[2], 0);
    *after = (struct id_state){
        .real = cred()->uid.real,
        .effective = cred()->uid.effective,
        .saved = cred()->uid.saved,
        .fs = cred()->uid.fs,
        .permitted = cred()->cap_permitted,
        .effective_caps = cred()->cap_effective,
    };
}

static bool states_equal(const struct id_state *a, const struct id_state *b)
{
    return a->real == b->real && a->effective == b->effective && a->saved == b->saved &&
           a->fs == b->fs && a->permitted == b->permitted &&
           a->effective_caps == b->effective_caps;
}

static void compare(const uint32_t ids[3], const struct id_call *call)
{
    struct id_state ours, theirs;
    int our_result, their_result = host_ids_try(ids, call, &theirs);

    ours_try(ids, call, &our_result, &ours);
    if (our_result == their_result && states_equal(&ours, &theirs))
        return;
    fail_msg("from %u %u %u, call %ld(%d, %d, %d): %d and %u %u %u %u caps %d %d, on the host "
             "%d and %u %u %u %u caps %d %d",
             ids[0], ids[1], ids[2], call->nr, (int)call->arg[0], (int)call->arg[1],
             (int)call->arg[2], our_result, ours.real, ours.effective, ours.saved, ours.fs,
             ours.permitted, ours.effective_caps, their_result, theirs.real, theirs.effective,
             theirs.saved, theirs.fs, theirs.permitted, theirs.effective_caps);
}

/* All calls with up to the number of arguments, each from the values. */
static void compare_calls(const uint32_t ids[3], long nr, unsigned arguments)
{
    static const uint32_t values[] = { KEEP, 0, 1000, 1001, 1002 };
    const unsigned count = sizeof values / sizeof *values;
    unsigned total = 1;

    while (arguments-- > 0)
        total *= count;
    for (unsigned i = 0; i < total; i++) {
        const struct id_call call = {
            nr, { values[i % count], values[i / count % count], values[i / count / count] }
        };

        compare(ids, &call);
    }
}

static const uint32_t starts[][3] = {
    { 0, 0, 0 },          { 1000, 1000, 1000 }, { 1000, 1001, 1002 }, { 1000, 0, 0 },
    { 0, 1000, 1000 },    { 1000, 1001, 0 },    { 1000, 1000, 0 },    { 0, 1000, 1001 },
};

static void compare_from_all(long nr, unsigned arguments, unsigned step)
{
    if (!host_ids_usable()) {
        print_message("not root: nothing to compare with\n");
        skip();
    }
    for (unsigned i = 0; i < sizeof starts / sizeof *starts; i += step)
        compare_calls(starts[i], nr, arguments);
}

static void test_setuid_like_host(void **state)
{
    (void)state;
    compare_from_all(__NR_setuid, 1, 1);
}

static void test_setfsuid_like_host(void **state)
{
    (void)state;
    compare_from_all(__NR_setfsuid, 1, 1);
}

static void test_setreuid_like_host(void **state)
{
    (void)state;
    compare_from_all(__NR_setreuid, 2, 1);
}

static void test_setresuid_like_host(void **state)
{
    (void)state;
    compare_from_all(__NR_setresuid, 3, 2);
}

/* ---- by the manual --------------------------------------------------------------------- */

static void test_setuid_drops_for_good(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_getuid, 0, 0, 0, 0), 1000);
    assert_int_equal(sys_call(__NR_geteuid, 0, 0, 0, 0), 1000);
    assert_int_equal(sys_call(__NR_setuid, 0, 0, 0, 0), -EPERM);
    assert_int_equal(sys_call(__NR_setgid, 5, 0, 0, 0), -EPERM);
    assert_int_equal(sys_call(__NR_setuid, KEEP, 0, 0, 0), -EINVAL);
}

static void test_group_ids(void **state)
{
    uint32_t *out = memory(MEMORY);

    (void)state;
    assert_int_equal(sys_call(__NR_setresgid, 10, 20, 30, 0), 0);
    assert_int_equal(sys_call(__NR_getresgid, MEMORY, MEMORY + 4, MEMORY + 8, 0), 0);
    assert_int_equal(out[0], 10);
    assert_int_equal(out[1], 20);
    assert_int_equal(out[2], 30);
    assert_int_equal(cred()->gid.fs, 20);
    assert_int_equal(sys_call(__NR_getgid, 0, 0, 0, 0), 10);
    assert_int_equal(sys_call(__NR_getegid, 0, 0, 0, 0), 20);
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_setregid, 30, KEEP, 0, 0), -EPERM);
    assert_int_equal(sys_call(__NR_setregid, 20, 10, 0, 0), 0);
    assert_int_equal(cred()->gid.saved, 10);
    assert_int_equal(sys_call(__NR_setgid, 20, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_setfsgid, 77, 0, 0, 0), 20);
    assert_int_equal(sys_call(__NR_setfsgid, KEEP, 0, 0, 0), 20);
}

static void test_getresuid_faults(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_getresuid, NOTHING, MEMORY, MEMORY, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_getresuid, MEMORY, READ_ONLY, MEMORY, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_getresuid, MEMORY, MEMORY, UINT64_MAX, 0), -EFAULT);
}

static void test_supplementary_groups(void **state)
{
    uint32_t *list = memory(MEMORY), groups[GROUPS_MAX], fsuid, fsgid;
    size_t bytes = sizeof groups;

    (void)state;
    for (unsigned i = 0; i < GROUPS_MAX; i++)
        list[i] = 100 + i;
    assert_int_equal(sys_call(__NR_setgroups, GROUPS_MAX + 1, MEMORY, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_setgroups, GROUPS_MAX, MEMORY, 0, 0), 0);
    assert_int_equal(sys_call(__NR_getgroups, 0, 0, 0, 0), GROUPS_MAX);
    assert_int_equal(sys_call(__NR_getgroups, -1, 0, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_getgroups, GROUPS_MAX - 1, MEMORY, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_getgroups, GROUPS_MAX, NOTHING, 0, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_getgroups, GROUPS_MAX, MEMORY + 4096, 0, 0), GROUPS_MAX);
    assert_memory_equal(memory(MEMORY), memory(MEMORY + 4096), GROUPS_MAX * 4);
    assert_int_equal(proc_file_credentials(&env.ops, env.pid, &fsuid, &fsgid, groups, &bytes), 0);
    assert_int_equal(bytes, GROUPS_MAX * 4);
    assert_int_equal(groups[7], 107);
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(sys_call(__NR_setgroups, 0, 0, 0, 0), -EPERM);
}

static void test_vfs_is_told(void **state)
{
    struct host_answer answer = sys_answer(__NR_setuid, CALL_FIRST, 1000, 0, 0, 0);

    (void)state;
    assert_int_equal(answer.word[0], FOLLOW_CREDENTIALS);
    answer = sys_answer(__NR_setuid, CALL_FIRST, 1000, 0, 0, 0);
    assert_int_equal(answer.word[0], FOLLOW_NONE); /* nothing changed */
    answer = sys_answer(__NR_setuid, CALL_FIRST, 0, 0, 0, 0);
    assert_int_equal(answer.word[0], FOLLOW_NONE);
}

static void test_set_user_id_file(void **state)
{
    uint32_t uid, euid, gid, egid, secure;

    (void)state;
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(proc_exec_credentials(&env.ops, env.pid, 04755, 0, 0, &uid, &euid, &gid,
                                           &egid, &secure), 0);
    assert_int_equal(uid, 1000);
    assert_int_equal(euid, 0);
    assert_int_equal(secure, 1);
    assert_int_equal(sys_call(__NR_geteuid, 0, 0, 0, 0), 1000); /* only asked */
    assert_int_equal(proc_process_exec(&env.ops, env.pid, 04755, 0, 0, SEL_NONE, "su", &secure),
                     0);
    assert_int_equal(sys_call(__NR_geteuid, 0, 0, 0, 0), 0);
    assert_true(credentials_capable(cred(), CAP_SETUID));
    assert_int_equal(cred()->uid.saved, 0);
}

static void test_no_new_privs(void **state)
{
    uint32_t secure;

    (void)state;
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    process_find(env.pid)->no_new_privs = true;
    assert_int_equal(proc_process_exec(&env.ops, env.pid, 06755, 0, 0, SEL_NONE, "su", &secure),
                     0);
    assert_int_equal(secure, 0);
    assert_int_equal(sys_call(__NR_geteuid, 0, 0, 0, 0), 1000);
}

static void test_capabilities(void **state)
{
    struct __user_cap_header_struct *header = memory(MEMORY);
    struct __user_cap_data_struct *data = memory(MEMORY + 64);

    (void)state;
    header->version = 0x1234;
    assert_int_equal(sys_call(__NR_capget, MEMORY, 0, 0, 0), 0);
    assert_int_equal(header->version, _LINUX_CAPABILITY_VERSION_3);
    header->version = 0x1234;
    assert_int_equal(sys_call(__NR_capget, MEMORY, MEMORY + 64, 0, 0), -EINVAL);
    header->pid = 31000;
    assert_int_equal(sys_call(__NR_capget, MEMORY, MEMORY + 64, 0, 0), -ESRCH);
    header->pid = 0;
    assert_int_equal(sys_call(__NR_capget, MEMORY, MEMORY + 64, 0, 0), 0);
    assert_true(data[0].effective >> CAP_CHOWN & 1);
    data[0].effective = 0;
    assert_int_equal(sys_call(__NR_capset, MEMORY, MEMORY + 64, 0, 0), 0);
    assert_false(credentials_capable(cred(), CAP_CHOWN));
    data[0].permitted = 0;
    data[0].effective = 1;
    assert_int_equal(sys_call(__NR_capset, MEMORY, MEMORY + 64, 0, 0), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_setuid_like_host, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setfsuid_like_host, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setreuid_like_host, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setresuid_like_host, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_setuid_drops_for_good, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_group_ids, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_getresuid_faults, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_supplementary_groups, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_vfs_is_told, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_set_user_id_file, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_no_new_privs, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_capabilities, env_setup, env_teardown),
    };

    return cmocka_run_group_tests_name("proc: credentials", tests, NULL, NULL);
}
