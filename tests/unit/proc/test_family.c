/*
 * Parents and children: fork, the end of processes, waiting, who inherits orphans.
 */
#include "proc_env.h"

#include <linux/sched.h>
#include <servers/proc/proc.h>
#include <string.h>
#include <linux/wait.h>

#define NO_OPTIONS 0u

static uint32_t fork_flags(uint32_t parent, uint64_t flags)
{
    uint32_t pid;

    assert_int_equal(proc_process_fork(&env.ops, parent, flags, SIGCHLD, 0, SEL_NONE, &pid), 0);
    return pid;
}

static uint32_t fork_of(uint32_t parent) { return fork_flags(parent, 0); }

static void end(uint32_t pid, uint32_t status)
{
    assert_int_equal(proc_process_exit(&env.ops, pid, status), 0);
}

static uint32_t *status_at(void) { return memory(MEMORY); }

static int64_t wait4_call(int64_t pid, unsigned options)
{
    return sys_call(__NR_wait4, (uint64_t)pid, MEMORY, options, 0);
}

static struct process *self(void) { return process_find(env.pid); }

/* ---- fork ------------------------------------------------------------------------ */

static void test_fork_inherits(void **state)
{
    uint32_t pid;
    const struct process *child;

    (void)state;
    self()->limits[RLIMIT_NOFILE].rlim_cur = 77;
    self()->sig.actions[SIGUSR1 - 1].sa_handler = SIG_IGN;
    self()->death_signal = SIGTERM;
    self()->subreaper = true;
    self()->threads->nice = 3;
    self()->has_execed = true;
    strcpy(self()->threads->name, "parent");
    assert_int_equal(proc_process_fork(&env.ops, env.pid, 0, SIGUSR2, 0x1234, SEL_NONE, &pid), 0);
    child = process_find(pid);
    assert_int_equal(child->parent, env.pid);
    assert_int_equal(child->group, env.pid);
    assert_int_equal(child->limits[RLIMIT_NOFILE].rlim_cur, 77);
    assert_ptr_equal(child->sig.actions[SIGUSR1 - 1].sa_handler, SIG_IGN);
    assert_int_equal(child->sig.exit_signal, SIGUSR2);
    assert_int_equal(child->threads->clear_tid, 0x1234);
    assert_int_equal(child->threads->nice, 3);
    assert_string_equal(child->threads->name, "parent");
    assert_int_equal(child->death_signal, 0);
    assert_false(child->subreaper);
    assert_false(child->has_execed);
}

static void test_fork_flags(void **state)
{
    uint32_t child = fork_of(env.pid), sibling, cleared;

    (void)state;
    sibling = fork_flags(child, CLONE_PARENT);
    assert_int_equal(process_find(sibling)->parent, env.pid);
    self()->sig.actions[SIGUSR1 - 1].sa_handler = (void (*)(int))0x1000;
    self()->sig.actions[SIGUSR2 - 1].sa_handler = SIG_IGN;
    cleared = fork_flags(env.pid, CLONE_CLEAR_SIGHAND);
    assert_ptr_equal(process_find(cleared)->sig.actions[SIGUSR1 - 1].sa_handler, SIG_DFL);
    assert_ptr_equal(process_find(cleared)->sig.actions[SIGUSR2 - 1].sa_handler, SIG_IGN);
}

static void test_fork_of_nobody(void **state)
{
    uint32_t pid, child = fork_of(env.pid);

    (void)state;
    assert_int_equal(proc_process_fork(&env.ops, 31000, 0, SIGCHLD, 0, SEL_NONE, &pid), -ESRCH);
    end(child, 0);
    assert_int_equal(proc_process_fork(&env.ops, child, 0, SIGCHLD, 0, SEL_NONE, &pid), -ESRCH);
    assert_int_equal(proc_process_fork(&env.ops, env.pid, CLONE_PARENT, SIGCHLD, 0, SEL_NONE, &pid),
                     -ESRCH);
}

static void test_abort(void **state)
{
    uint32_t pid = fork_of(env.pid);

    (void)state;
    assert_int_equal(proc_process_abort(&env.ops, pid), 0);
    assert_null(process_find(pid));
    assert_null(self()->child_first);
    assert_int_equal(wait4_call(-1, NO_OPTIONS), -ECHILD);
    assert_int_equal(proc_process_abort(&env.ops, pid), -ESRCH);
}

static void test_process_limit(void **state)
{
    uint32_t pid, none;

    (void)state;
    self()->limits[RLIMIT_NPROC].rlim_cur = 2;
    fork_of(env.pid); /* root is exempt, but counts for nobody else */
    fork_of(env.pid);
    credentials_init(&self()->cred, 1000, 1000);
    pid = fork_of(env.pid);
    assert_int_equal(proc_process_fork(&env.ops, env.pid, 0, SIGCHLD, 0, SEL_NONE, &none), -EAGAIN);
    end(pid, 0); /* a zombie counts */
    assert_int_equal(proc_process_fork(&env.ops, env.pid, 0, SIGCHLD, 0, SEL_NONE, &none), -EAGAIN);
    assert_true(wait4_call(-1, NO_OPTIONS) > 0);
    fork_of(env.pid);
}

/* ---- waiting --------------------------------------------------------------------------- */

static void test_wait(void **state)
{
    uint32_t first = fork_of(env.pid), second = fork_of(env.pid);

    (void)state;
    assert_int_equal(wait4_call(-1, WNOHANG), 0);
    end(second, 3 << 8);
    end(first, 9);
    assert_int_equal(wait4_call(-1, NO_OPTIONS), first);
    assert_int_equal(*status_at(), 9);
    assert_null(process_find(first));
    assert_int_equal(wait4_call(second, NO_OPTIONS), second);
    assert_int_equal(*status_at(), 3 << 8);
    assert_int_equal(wait4_call(-1, NO_OPTIONS), -ECHILD);
    assert_int_equal(wait4_call(-1, 0x10), -EINVAL);
    assert_int_equal(wait4_call(INT32_MIN, NO_OPTIONS), -ESRCH);
}

static void test_wait_chooses(void **state)
{
    uint32_t other = fork_of(env.pid), child = fork_of(env.pid);

    (void)state;
    assert_int_equal(sys_call(__NR_setpgid, child, child, 0, 0), 0);
    end(other, 0);
    end(child, 0);
    assert_int_equal(wait4_call(31000, NO_OPTIONS), -ECHILD);
    assert_int_equal(wait4_call(-31000, NO_OPTIONS), -ECHILD);
    assert_int_equal(wait4_call(-(int64_t)child, NO_OPTIONS), child);
    assert_int_equal(wait4_call(0, NO_OPTIONS), other);
}

static struct host_answer wait_answer(enum call_reason reason)
{
    return sys_answer(__NR_wait4, reason, (uint64_t)-1, MEMORY, 0, 0);
}

static void test_wait_blocks(void **state)
{
    uint32_t child = fork_of(env.pid);

    (void)state;
    assert_int_equal(wait_answer(CALL_FIRST).answer, ANSWER_PENDING);
    assert_int_equal(host_signals(env.sem), 0);
    end(child, 0);
    assert_int_equal(host_signals(env.sem), 1);
    host_fault_in(env.space, MEMORY, 4096, true);
    assert_int_equal(wait_answer(CALL_RETRY).result, child);
}

/* A child that is there counts more than the signal, which may be its own SIGCHLD. */
static void test_wait_is_interrupted(void **state)
{
    uint32_t child = fork_of(env.pid);

    (void)state;
    host_fault_in(env.space, MEMORY, 4096, true);
    assert_int_equal(wait_answer(CALL_FIRST).answer, ANSWER_PENDING);
    assert_int_equal(wait_answer(CALL_INTERRUPTED).result, -EINTR);
    assert_int_equal(wait_answer(CALL_FIRST).answer, ANSWER_PENDING);
    end(child, 0);
    assert_int_equal(wait_answer(CALL_INTERRUPTED).result, child);
}

/* The status is lost with the bad address, as in Linux. */
static void test_wait_bad_address(void **state)
{
    uint32_t child = fork_of(env.pid);

    (void)state;
    end(child, 0);
    assert_int_equal(sys_call(__NR_wait4, child, NOTHING, 0, 0), -EFAULT);
    assert_null(process_find(child));
    child = fork_of(env.pid);
    end(child, 0);
    assert_int_equal(sys_call(__NR_wait4, child, MEMORY, 0, READ_ONLY), -EFAULT);
    assert_null(process_find(child));
}

static void test_wait_clones(void **state)
{
    uint32_t clone;

    (void)state;
    assert_int_equal(proc_process_fork(&env.ops, env.pid, 0, 0, 0, SEL_NONE, &clone), 0);
    end(clone, 0);
    assert_int_equal(wait4_call(-1, NO_OPTIONS), -ECHILD);
    assert_int_equal(wait4_call(-1, __WCLONE | WNOHANG), clone);
    assert_int_equal(proc_process_fork(&env.ops, env.pid, 0, 0, 0, SEL_NONE, &clone), 0);
    end(clone, 0);
    assert_int_equal(wait4_call(-1, __WALL), clone);
}

static void test_wait_stopped(void **state)
{
    uint32_t child = fork_of(env.pid);
    struct process_signals *sig = &process_find(child)->sig;

    (void)state;
    sig->stop_unwaited = SIGTSTP;
    assert_int_equal(wait4_call(-1, WNOHANG), 0);
    assert_int_equal(wait4_call(-1, WUNTRACED | WCONTINUED), child);
    assert_int_equal(*status_at(), SIGTSTP << 8 | 0x7f);
    assert_int_equal(wait4_call(-1, WUNTRACED | WNOHANG), 0);
    sig->continue_unwaited = true;
    assert_int_equal(wait4_call(-1, WUNTRACED | WNOHANG), 0);
    assert_int_equal(wait4_call(-1, WCONTINUED), child);
    assert_int_equal(*status_at(), 0xffff);
    assert_int_equal(wait4_call(-1, WCONTINUED | WNOHANG), 0);
}

/* ---- waitid ------------------------------------------------------------------------------- */

static siginfo_t *info_at(void) { return memory(MEMORY); }

static int64_t waitid_call(int which, int64_t id, uint64_t options)
{
    return sys_call(__NR_waitid, (uint64_t)which, (uint64_t)id, MEMORY, options);
}

static void test_waitid(void **state)
{
    uint32_t child = fork_of(env.pid);

    (void)state;
    memset(memory(MEMORY), 0xee, 256);
    assert_int_equal(waitid_call(P_ALL, 0, WEXITED | WNOHANG), 0);
    assert_int_equal(info_at()->si_signo, 0);
    assert_int_equal(info_at()->si_pid, 0);
    end(child, 7 << 8);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(waitid_call(P_PID, child, WEXITED | WNOWAIT), 0);
        assert_int_equal(info_at()->si_signo, SIGCHLD);
        assert_int_equal(info_at()->si_code, CLD_EXITED);
        assert_int_equal(info_at()->si_pid, child);
        assert_int_equal(info_at()->si_status, 7);
    }
    assert_int_equal(waitid_call(P_PGID, 0, WEXITED), 0);
    assert_int_equal(waitid_call(P_ALL, 0, WEXITED), -ECHILD);
    assert_int_equal(info_at()->si_signo, 0);
}

static void test_waitid_codes(void **state)
{
    static const struct {
        uint32_t status;
        int code, value;
    } cases[] = { { SIGKILL, CLD_KILLED, SIGKILL }, { SIGSEGV | 0x80, CLD_DUMPED, SIGSEGV } };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t child = fork_of(env.pid);

        end(child, cases[i].status);
        assert_int_equal(waitid_call(P_PID, child, WEXITED), 0);
        assert_int_equal(info_at()->si_code, cases[i].code);
        assert_int_equal(info_at()->si_status, cases[i].value);
    }
}

static void test_waitid_errors(void **state)
{
    (void)state;
    assert_int_equal(waitid_call(P_ALL, 0, 0), -EINVAL);
    assert_int_equal(waitid_call(P_ALL, 0, WNOHANG), -EINVAL);
    assert_int_equal(waitid_call(P_ALL, 0, WEXITED | 0x100), -EINVAL);
    assert_int_equal(waitid_call(P_PID, 0, WEXITED), -EINVAL);
    assert_int_equal(waitid_call(P_PGID, -1, WEXITED), -EINVAL);
    assert_int_equal(waitid_call(9, 0, WEXITED), -EINVAL);
    assert_int_equal(waitid_call(3, 5, WEXITED), -EBADF); /* P_PIDFD */
    assert_int_equal(sys_call(__NR_waitid, P_ALL, 0, NOTHING, WEXITED), -EFAULT);
    assert_int_equal(sys_call(__NR_waitid, P_ALL, 0, 0, WEXITED), -ECHILD);
}

/* ---- no zombies, other parents --------------------------------------------------------------- */

static void test_unwanted_children(void **state)
{
    uint32_t child = fork_of(env.pid);

    (void)state;
    self()->sig.actions[SIGCHLD - 1].sa_handler = SIG_IGN;
    assert_int_equal(wait_answer(CALL_FIRST).answer, ANSWER_PENDING);
    end(child, 0);
    assert_null(process_find(child));
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(wait_answer(CALL_RETRY).result, -ECHILD);
    self()->sig.actions[SIGCHLD - 1].sa_handler = SIG_DFL;
    self()->sig.actions[SIGCHLD - 1].sa_flags = SA_NOCLDWAIT;
    child = fork_of(env.pid);
    end(child, 0);
    assert_null(process_find(child));
}

static void test_orphans(void **state)
{
    uint32_t child = fork_of(env.pid), zombie = fork_of(child), orphan = fork_of(child);

    (void)state;
    end(zombie, 5 << 8);
    end(child, 0);
    assert_int_equal(process_find(zombie)->parent, env.pid);
    assert_int_equal(process_find(orphan)->parent, env.pid);
    assert_int_equal(wait4_call(-1, NO_OPTIONS), child);
    assert_int_equal(wait4_call(-1, NO_OPTIONS), zombie);
    assert_int_equal(*status_at(), 5 << 8);
    assert_int_equal(wait4_call(-1, WNOHANG), 0);
    end(orphan, 0);
    assert_int_equal(wait4_call(-1, WNOHANG), orphan);
}

static void test_subreaper(void **state)
{
    uint32_t reaper = fork_of(env.pid), middle = fork_of(reaper), child = fork_of(middle);
    uint32_t orphan = fork_of(child);

    (void)state;
    process_find(reaper)->subreaper = true;
    end(child, 0);
    assert_int_equal(process_find(orphan)->parent, reaper);
    end(middle, 0);
    assert_int_equal(process_find(child)->parent, reaper);
    end(reaper, 0);
    assert_int_equal(process_find(child)->parent, env.pid);
    assert_int_equal(process_find(orphan)->parent, env.pid);
}

/* Also when the children have changed the signal of their end. */
static void test_orphan_of_a_clone(void **state)
{
    uint32_t child = fork_of(env.pid), clone;

    (void)state;
    assert_int_equal(proc_process_fork(&env.ops, child, 0, SIGUSR1, 0, SEL_NONE, &clone), 0);
    end(child, 0);
    end(clone, 0);
    assert_int_equal(wait4_call((int64_t)clone, NO_OPTIONS), clone);
}

static void test_end_of_the_first(void **state)
{
    uint32_t child = fork_of(env.pid), zombie = fork_of(env.pid);

    (void)state;
    end(zombie, 0);
    common_slot_bind(&env.ops, SLOT, 0, 0);
    end(env.pid, 0);
    assert_null(process_find(zombie));
    assert_non_null(process_find(child));
    end(child, 0);
    assert_null(process_find(child));
}

static void test_death_signal(void **state)
{
    uint32_t child = fork_of(env.pid), orphan = fork_of(child), zombie = fork_of(child);

    (void)state;
    process_find(orphan)->death_signal = SIGUSR1;
    process_find(zombie)->death_signal = SIGUSR1;
    end(zombie, 0);
    end(child, 0);
    assert_int_equal(process_find(orphan)->sig.pending.set, signal_bit(SIGUSR1));
}

/* ---- what children have used ------------------------------------------------------------------- */

static void test_times_of_children(void **state)
{
    const struct rusage *usage;
    uint32_t child = fork_of(env.pid), grandchild = fork_of(child);

    (void)state;
    process_find(child)->time_ns = 2000000000;
    process_find(grandchild)->time_ns = 1000000000;
    end(grandchild, 0);
    process_reap(process_find(child), process_find(grandchild));
    end(child, 0);
    assert_int_equal(self()->children_time_ns, 0);
    assert_int_equal(sys_call(__NR_wait4, child, 0, 0, MEMORY), child);
    usage = memory(MEMORY);
    assert_int_equal(usage->ru_utime.tv_sec, 3);
    assert_int_equal(self()->children_time_ns, 3000000000);
    assert_int_equal(sys_call(__NR_getrusage, (uint64_t)RUSAGE_CHILDREN, MEMORY, 0, 0), 0);
    assert_int_equal(usage->ru_utime.tv_sec, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, env_setup, env_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fork_inherits),    TEST(fork_flags),        TEST(fork_of_nobody),
        TEST(abort),            TEST(process_limit),     TEST(wait),
        TEST(wait_chooses),     TEST(wait_blocks),       TEST(wait_is_interrupted),
        TEST(wait_bad_address), TEST(wait_clones),       TEST(wait_stopped),
        TEST(waitid),           TEST(waitid_codes),      TEST(waitid_errors),
        TEST(unwanted_children), TEST(orphans),          TEST(subreaper),
        TEST(orphan_of_a_clone), TEST(end_of_the_first), TEST(death_signal),
        TEST(times_of_children),
    };

    return cmocka_run_group_tests_name("proc: family", tests, NULL, NULL);
}
