/*
 * What processes say about signals, and whom a signal kills.
 */
#include "proc_env.h"

#include <linux/prctl.h>
#include <servers/proc/proc.h>
#include <string.h>

#define SET_BYTES 8u
#define HANDLER ((__sighandler_t)0x401000)

static struct linux_sigaction *action_at(uint64_t address) { return memory(address); }

static int64_t action_set(unsigned signal, __sighandler_t handler)
{
    *action_at(MEMORY) = (struct linux_sigaction){ .sa_handler = handler };
    return sys_call(__NR_rt_sigaction, signal, MEMORY, 0, SET_BYTES);
}

static int64_t mask_set(int how, uint64_t set)
{
    *(uint64_t *)memory(MEMORY) = set;
    return sys_call(__NR_rt_sigprocmask, (uint64_t)how, MEMORY, 0, SET_BYTES);
}

/* Sends a signal; returns how many it kills. */
static int64_t send(uint32_t sender, int32_t target, uint32_t tid, unsigned signal)
{
    uint32_t deaths[512];
    size_t bytes = sizeof deaths;
    int64_t result = proc_signal_send(&env.ops, sender, target, tid, signal, deaths, &bytes);

    return result < 0 ? result : (int64_t)(bytes / sizeof *deaths);
}

static void test_sigaction_arguments(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGINT, 0, 0, 4), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigaction, 0, 0, 0, SET_BYTES), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigaction, 65, 0, 0, SET_BYTES), -EINVAL);
    assert_int_equal(action_set(SIGKILL, SIG_IGN), -EINVAL);
    assert_int_equal(action_set(SIGSTOP, HANDLER), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGKILL, 0, MEMORY, SET_BYTES), 0);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGINT, NOTHING, 0, SET_BYTES), -EFAULT);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGINT, 0, READ_ONLY, SET_BYTES), -EFAULT);
}

static void test_sigaction_stores(void **state)
{
    (void)state;
    *action_at(MEMORY) = (struct linux_sigaction){
        .sa_handler = HANDLER, .sa_flags = SA_SIGINFO | 0x200, .sa_mask = UINT64_MAX,
    };
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, MEMORY + 64, SET_BYTES), 0);
    assert_true(action_at(MEMORY + 64)->sa_handler == SIG_DFL);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, 0, MEMORY + 64, SET_BYTES), 0);
    assert_true(action_at(MEMORY + 64)->sa_handler == HANDLER);
    assert_int_equal(action_at(MEMORY + 64)->sa_flags, SA_SIGINFO); /* unknown ones are dropped */
    assert_false(action_at(MEMORY + 64)->sa_mask & SIGNALS_FORCED);
}

/* The old action goes to the place from which the new one came, page by page. */
static void test_sigaction_fault_in_between(void **state)
{
    (void)state;
    assert_int_equal(action_set(SIGUSR1, HANDLER), 0);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, NOTHING, SET_BYTES), -EFAULT);
    host_page_out(env.space, MEMORY + 4096, 4096);
    *action_at(MEMORY) = (struct linux_sigaction){ .sa_handler = SIG_IGN };
    assert_int_equal(
        sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, MEMORY + 4096 + 64, SET_BYTES), 0);
    assert_true(action_at(MEMORY + 4096 + 64)->sa_handler == HANDLER);
}

static void test_mask(void **state)
{
    (void)state;
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGINT) | SIGNALS_FORCED), 0);
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGTERM)), 0);
    assert_int_equal(mask_set(SIG_UNBLOCK, signal_bit(SIGINT)), 0);
    assert_int_equal(sys_call(__NR_rt_sigprocmask, 99, 0, MEMORY, SET_BYTES), 0);
    assert_int_equal(*(uint64_t *)memory(MEMORY), signal_bit(SIGTERM));
    assert_int_equal(mask_set(3, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigprocmask, SIG_BLOCK, MEMORY, 0, 16), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigprocmask, SIG_BLOCK, NOTHING, 0, SET_BYTES), -EFAULT);
}

static void test_default_actions(void **state)
{
    (void)state;
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGCHLD), 0);
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGTSTP), -ENOSYS);
    assert_int_equal(send(0, (int32_t)env.pid, 0, 0), 0);
    assert_int_equal(send(0, (int32_t)env.pid, 0, 65), -EINVAL);
    assert_int_equal(send(0, 31000, 0, SIGTERM), -ESRCH);
    assert_int_equal(action_set(SIGTERM, SIG_IGN), 0);
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGTERM), 0);
    assert_int_equal(action_set(SIGTERM, HANDLER), 0);
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGTERM), -ENOSYS);
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGKILL), 1);
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGKILL), 0); /* once is enough */
}

/* What raise(3) and abort(3) do: block all, send to oneself, unblock. */
static void test_blocked_then_unblocked(void **state)
{
    struct host_answer answer;

    (void)state;
    assert_int_equal(mask_set(SIG_SETMASK, UINT64_MAX), 0);
    assert_int_equal(send(env.pid, (int32_t)env.pid, env.pid, SIGABRT), 0);
    assert_int_equal(sys_call(__NR_rt_sigpending, MEMORY, SET_BYTES, 0, 0), 0);
    assert_int_equal(*(uint64_t *)memory(MEMORY), signal_bit(SIGABRT));
    assert_int_equal(sys_call(__NR_rt_sigpending, MEMORY, 9, 0, 0), -EINVAL);
    *(uint64_t *)memory(MEMORY) = 0;
    answer = sys_answer(__NR_rt_sigprocmask, CALL_FIRST, SIG_SETMASK, MEMORY, 0, SET_BYTES);
    assert_int_equal(answer.result, 0);
    assert_int_equal(answer.word[0], FOLLOW_DEATH);
    assert_int_equal(answer.word[1], SIGABRT);
}

static void test_ignoring_drops_pending(void **state)
{
    struct host_answer answer;

    (void)state;
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGTERM)), 0);
    assert_int_equal(send(0, (int32_t)env.pid, 0, SIGTERM), 0);
    assert_int_equal(action_set(SIGTERM, SIG_IGN), 0);
    *(uint64_t *)memory(MEMORY) = 0;
    answer = sys_answer(__NR_rt_sigprocmask, CALL_FIRST, SIG_SETMASK, MEMORY, 0, SET_BYTES);
    assert_int_equal(answer.word[0], FOLLOW_NONE);
}

static void test_groups_and_threads(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(send(env.pid, (int32_t)child, env.pid, SIGTERM), -ESRCH);
    assert_int_equal(send(env.pid, (int32_t)child, child, SIGTERM), 1);
    process_find(child)->dying = false;
    assert_int_equal(send(env.pid, 0, 0, SIGHUP), 2);
    process_find(child)->dying = process_find(env.pid)->dying = false;
    assert_int_equal(send(0, -(int32_t)env.pid, 0, SIGHUP), env.pid == 1 ? 1 : 2);
    process_find(child)->dying = process_find(env.pid)->dying = false;
    assert_int_equal(send(env.pid, -1, 0, SIGHUP), 1); /* not itself */
    assert_int_equal(send(0, -31000, 0, SIGHUP), -ESRCH);
}

static void test_terminal(void **state)
{
    uint32_t child = child_create(), deaths[2];
    size_t bytes = sizeof deaths;

    (void)state;
    assert_int_equal(proc_signal_group(&env.ops, 31000, SIGINT, deaths, &bytes), -ESRCH);
    bytes = sizeof deaths;
    assert_int_equal(proc_signal_group(&env.ops, env.pid, SIGINT, deaths, &bytes), 0);
    assert_int_equal(bytes, sizeof deaths);
    assert_int_equal(deaths[0] + deaths[1], env.pid + child);
    assert_int_equal(proc_signal_group(&env.ops, env.pid, 0, deaths, &bytes), -EINVAL);
}

static void test_permission(void **state)
{
    uint32_t child = child_create();

    (void)state;
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(send(env.pid, (int32_t)child, 0, SIGTERM), -EPERM);
    assert_int_equal(send(env.pid, (int32_t)child, 0, SIGCONT), 0); /* of the same session */
    assert_int_equal(send(env.pid, (int32_t)child, 0, 0), -EPERM);
    assert_int_equal(sys_call_on(SLOT_OF_CHILD, __NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(send(env.pid, (int32_t)child, 0, SIGTERM), 1);
}

static void test_alternate_stack(void **state)
{
    linux_stack_t *stack = memory(MEMORY);

    (void)state;
    assert_int_equal(sys_call(__NR_sigaltstack, 0, MEMORY, 0, 0), 0);
    assert_int_equal(stack->ss_flags, SS_DISABLE);
    *stack = (linux_stack_t){ .ss_sp = (void *)0x50000, .ss_size = 100 };
    assert_int_equal(sys_call(__NR_sigaltstack, MEMORY, 0, 0, 0), -ENOMEM);
    stack->ss_size = 8192;
    stack->ss_flags = 77;
    assert_int_equal(sys_call(__NR_sigaltstack, MEMORY, 0, 0, 0), -EINVAL);
    stack->ss_flags = 0;
    assert_int_equal(sys_call(__NR_sigaltstack, MEMORY, MEMORY + 64, 0, 0), 0);
    assert_int_equal(sys_call(__NR_sigaltstack, 0, MEMORY + 64, 0, 0), 0);
    assert_int_equal(((linux_stack_t *)memory(MEMORY + 64))->ss_size, 8192);
    assert_int_equal(sys_call(__NR_sigaltstack, NOTHING, 0, 0, 0), -EFAULT);
}

static void test_exec_resets_handlers(void **state)
{
    uint32_t secure;

    (void)state;
    assert_int_equal(action_set(SIGUSR1, HANDLER), 0);
    assert_int_equal(action_set(SIGUSR2, SIG_IGN), 0);
    assert_int_equal(proc_process_exec(&env.ops, env.pid, 0755, 0, 0, SEL_NONE, "x", &secure), 0);
    assert_int_equal(signal_effect(process_find(env.pid), SIGUSR1), SIGNAL_FATAL);
    assert_int_equal(signal_effect(process_find(env.pid), SIGUSR2), SIGNAL_IGNORED);
}

static void test_prctl(void **state)
{
    (void)state;
    strcpy(memory(MEMORY), "a name that is too long");
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NAME, MEMORY, 0, 0), 0);
    assert_int_equal(sys_call(__NR_prctl, PR_GET_NAME, MEMORY + 64, 0, 0), 0);
    assert_string_equal(memory(MEMORY + 64), "a name that is ");
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NAME, NOTHING, 0, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0), 1);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_DUMPABLE, 2, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0), 0);
    assert_int_equal(sys_call(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0), 1);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_PDEATHSIG, 65, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, PR_CAPBSET_READ, 0, 0, 0), 1);
    assert_int_equal(sys_call(__NR_prctl, PR_CAPBSET_READ, 64, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, 0x12345678, 0, 0, 0), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sigaction_arguments, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sigaction_stores, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sigaction_fault_in_between, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_mask, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_default_actions, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_blocked_then_unblocked, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_ignoring_drops_pending, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_groups_and_threads, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_terminal, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_permission, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_alternate_stack, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_exec_resets_handlers, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_prctl, env_setup, env_teardown),
    };

    return cmocka_run_group_tests_name("proc: signals", tests, NULL, NULL);
}
