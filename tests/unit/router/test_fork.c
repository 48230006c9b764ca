/*
 * fork, vfork, clone: what parent and child get to see, and that no failure leaves
 * anything behind.
 */
#include "world.h"

#include <asm/unistd_64.h>
#include <gen/common_client.h>
#include <gen/proc_client.h>
#include <linux/sched.h>
#include <servers/syscall-router/app_space.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int64_t call(struct thread *thread, unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2,
                    uint64_t a3, uint64_t a4)
{
    const uint64_t arg[6] = { a0, a1, a2, a3, a4 };

    return world_message(thread, MSG_FOREIGN, nr, arg);
}

static int64_t clone_flags(struct thread *thread, uint64_t flags)
{
    return call(thread, __NR_clone, flags, 0, 0, 0, 0);
}

static void exit_thread(struct thread *thread, int code)
{
    call(thread, __NR_exit_group, (uint64_t)code, 0, 0, 0, 0);
}

static int32_t *int_at(struct thread *thread, uint64_t address)
{
    int32_t *found = host_memory(thread->process->pd, address);

    assert_non_null(found);
    return found;
}

/* Collects the zombies: the parent waits for a child that has ended. */
static int64_t reap(struct thread *parent)
{
    return call(parent, __NR_wait4, UINT64_MAX, 0, 0, 0, 0);
}

/* ---- fork -------------------------------------------------------------------------- */

static void test_fork(void **state)
{
    struct thread *parent = world_thread(), *child;
    struct holdings before = holdings(), after;
    struct ec_state registers = { .rip = 0x401234, .rsp = 0x7000, .rax = 57, .r12 = 0x1212 };
    int64_t pid;

    (void)state;
    assert_int_equal(kernel_ec_set_state(parent->ec, &registers), 0);
    pid = call(parent, __NR_fork, 0, 0, 0, 0, 0);
    child = world_started();
    assert_ptr_not_equal(child, parent);
    assert_int_equal(pid, child->process->pid);
    assert_int_equal(child->tid, pid);
    assert_int_not_equal(child->process->pd, parent->process->pd);
    assert_int_not_equal(child->process->space, parent->process->space);
    world_begin(child);
    assert_int_equal(state_of_ec()->rax, 0);
    assert_int_equal(state_of_ec()->rip, 0x401234);
    assert_int_equal(state_of_ec()->r12, 0x1212);
    assert_null(child->forked);
    assert_int_equal(call(child, __NR_getppid, 0, 0, 0, 0, 0), parent->process->pid);
    exit_thread(child, 3);
    assert_int_equal(finished_status(), -1);
    assert_int_equal(reap(parent), pid);
    after = holdings();
    assert_int_equal(after.spaces, before.spaces);
    assert_int_equal(after.processes, before.processes);
    assert_int_equal(after.ids, before.ids);
}

static void test_thread_ids(void **state)
{
    struct thread *parent = world_thread(), *child;
    int64_t pid;

    (void)state;
    host_fault_in(parent->process->pd, MEMORY, 4096, true);
    pid = call(parent, __NR_clone,
               CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0,
               MEMORY, MEMORY + 4, 0);
    child = world_started();
    world_begin(child);
    assert_int_equal(*int_at(parent, MEMORY), pid);
    assert_int_equal(*int_at(child, MEMORY + 4), pid);
    assert_int_equal(*int_at(child, MEMORY), 0);
    assert_int_equal(*int_at(parent, MEMORY + 4), 0);
    exit_thread(child, 0);
    assert_int_equal(reap(parent), pid);
}

static void test_stack_and_tls(void **state)
{
    struct thread *parent = world_thread(), *child;

    (void)state;
    assert_true(call(parent, __NR_clone, CLONE_SETTLS | SIGCHLD, 0x5000, 0, 0, 0x6000) > 0);
    child = world_started();
    world_begin(child);
    assert_int_equal(state_of_ec()->rsp, 0x5000);
    assert_int_equal(state_of_ec()->fs_base, 0x6000);
    exit_thread(child, 0);
    reap(parent);
}

/* It was killed before it ran. */
static void test_child_never_runs(void **state)
{
    struct thread *parent = world_thread(), *child;
    int64_t pid = call(parent, __NR_fork, 0, 0, 0, 0, 0);

    (void)state;
    child = world_started();
    process_kill(child->process->pid, status_killed(SIGKILL));
    world_begin(child);
    assert_null(child->process);
    assert_null(child->forked);
    assert_int_equal(reap(parent), pid);
}

/* ---- vfork ---------------------------------------------------------------------------- */

static void (*while_waiting)(struct thread *child);
static unsigned waits;

/* The parent waits: now its child runs. */
static bool run_child(struct thread *parent, uint64_t deadline_ns)
{
    struct thread *child = world_started();

    assert_int_equal(deadline_ns, 0);
    assert_ptr_equal(parent->vfork_child, child->process);
    assert_ptr_equal(child->process->vfork_parent, parent);
    assert_int_equal(child->process->pd, parent->process->pd);
    assert_int_equal(child->process->space, parent->process->space);
    waits++;
    world_begin(child);
    if (child->process) /* it may not have got so far */
        while_waiting(child);
    return true;
}

static void child_exits(struct thread *child) { exit_thread(child, 5); }

static void child_executes(struct thread *child)
{
    const struct exec_strings strings = { NULL, 0, 0 };
    cap_sel_t old = child->process->pd;

    assert_int_equal(exec_program(child, -100, "/bin/prog", 0, &strings), 0);
    assert_int_not_equal(child->process->pd, old);
    assert_null(child->process->share);
}

static int64_t vfork_with(struct thread *parent, void (*what)(struct thread *child))
{
    waits = 0;
    while_waiting = what;
    world_on_wait = run_child;
    return call(parent, __NR_vfork, 0, 0, 0, 0, 0);
}

static void test_vfork_exit(void **state)
{
    struct thread *parent = world_thread();
    struct holdings before = holdings(), after;
    int64_t pid = vfork_with(parent, child_exits);

    (void)state;
    assert_true(pid > 0);
    assert_int_equal(waits, 1);
    after = holdings();
    assert_int_equal(after.spaces, before.spaces);
    assert_int_equal(after.delegated, 0);
    assert_null(parent->vfork_child);
    assert_int_equal(reap(parent), pid);
    assert_true(vfork_with(parent, child_exits) > pid);
    reap(parent);
}

static void test_vfork_exec(void **state)
{
    struct thread *parent = world_thread(), *child;
    int64_t pid;

    (void)state;
    file_put("/bin/prog", "ELF...", 6, 0755);
    pid = vfork_with(parent, child_executes);
    assert_true(pid > 0);
    assert_int_equal(waits, 1);
    assert_int_equal(holdings().spaces, 2);
    assert_int_equal(holdings().delegated, 0);
    child = world_started();
    world_begin(child);
    assert_int_equal(state_of_ec()->rip, 0x401000);
    exit_thread(child, 0);
    assert_int_equal(holdings().spaces, 1);
    assert_int_equal(reap(parent), pid);
}

static void parent_is_killed(struct thread *child)
{
    struct thread *parent = child->process->vfork_parent;

    process_kill(parent->process->pid, status_killed(SIGKILL));
}

/* The memory is the child's alone then. */
static void test_parent_dies(void **state)
{
    struct thread *parent = world_thread(), *child;

    (void)state;
    vfork_with(parent, parent_is_killed);
    assert_null(parent->process);
    assert_int_equal(holdings().spaces, 1);
    child = world_started();
    assert_null(child->process->vfork_parent);
    *int_at(child, MEMORY) = 7;
    exit_thread(child, 0);
    assert_int_equal(holdings().spaces, 0);
    assert_int_equal(holdings().delegated, 0);
}

/* Memory without waiting. */
static void test_shared_memory(void **state)
{
    struct thread *parent = world_thread(), *child;
    int64_t pid = clone_flags(parent, CLONE_VM | SIGCHLD);

    (void)state;
    child = world_started();
    assert_int_equal(pid, child->process->pid);
    assert_int_equal(child->process->pd, parent->process->pd);
    world_begin(child);
    exit_thread(child, 0);
    assert_int_equal(holdings().spaces, 1);
    assert_int_equal(reap(parent), pid);
}

/* ---- arguments ---------------------------------------------------------------------------- */

static void test_unsupported(void **state)
{
    static const uint64_t flags[] = {
        CLONE_THREAD, CLONE_SIGHAND, CLONE_FS, CLONE_FILES, CLONE_NEWNS, CLONE_NEWPID, CLONE_PIDFD,
        CLONE_SYSVSEM, CLONE_IO, CLONE_NEWUSER, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
        CLONE_PARENT, /* of the first process */
    };
    struct thread *thread = world_thread();

    (void)state;
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
        assert_int_equal(clone_flags(thread, flags[i] | SIGCHLD), -EINVAL);
    assert_int_equal(call(thread, __NR_clone, CLONE_SETTLS, 0, 0, 0, USER_END), -EPERM);
    assert_int_equal(call(thread, __NR_clone, SIGCHLD, USER_END, 0, 0, 0), -EINVAL);
}

static int64_t clone3(struct thread *thread, const struct clone_args *args, size_t bytes)
{
    assert_int_equal(memory_write(thread, MEMORY, args, sizeof *args), 0);
    return call(thread, __NR_clone3, MEMORY, bytes, 0, 0, 0);
}

static void test_clone3_arguments(void **state)
{
    static const struct clone_args wrong[] = {
        { .exit_signal = 65 }, { .flags = SIGCHLD }, { .stack_size = 4096 }, { .stack = 0x5000 },
        { .set_tid = 0x1000 }, { .set_tid_size = 1 }, { .flags = CLONE_PARENT, .exit_signal = 17 },
        { .stack = USER_END, .stack_size = 1 }, { .stack = 0x1000, .stack_size = USER_END },
        { .flags = CLONE_THREAD }, { .flags = CLONE_DETACHED }, { .flags = CLONE_INTO_CGROUP },
    };
    struct thread *thread = world_thread();
    struct clone_args args = { .exit_signal = SIGCHLD };

    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(clone3(thread, &wrong[i], sizeof *wrong), -EINVAL);
    assert_int_equal(clone3(thread, &args, 63), -EINVAL);
    assert_int_equal(clone3(thread, &args, 4097), -E2BIG);
    *int_at(thread, MEMORY + 200) = 1;
    assert_int_equal(clone3(thread, &args, 256), -E2BIG);
    assert_int_equal(call(thread, __NR_clone3, NOTHING, 64, 0, 0, 0), -EFAULT);
}

static void test_clone3(void **state)
{
    const struct clone_args args = { .exit_signal = SIGCHLD, .stack = 0x5000, .stack_size = 0x1000 };
    struct thread *parent = world_thread(), *child;
    int64_t pid = clone3(parent, &args, CLONE_ARGS_SIZE_VER0);

    (void)state;
    child = world_started();
    assert_int_equal(pid, child->process->pid);
    world_begin(child);
    assert_int_equal(state_of_ec()->rsp, 0x6000);
    exit_thread(child, 0);
    assert_int_equal(reap(parent), pid);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void no_child(struct thread *child) { exit_thread(child, 0); }

/* Every step fails once: the parent goes on as if nothing had been. Slots that were made
 * stay in the pool. */
static void fail_everywhere(uint64_t flags)
{
    unsigned at = 0, failures = 0;
    bool happened;

    slot_release(slot_take(0)); /* so that making one is not what fails */
    do {
        struct thread *parent = world_thread();
        struct holdings before, after;
        struct process old = *parent->process;
        int64_t result;

        slot_release(slot_take(0));
        before = holdings();
        while_waiting = no_child;
        world_on_wait = run_child;
        fail_at(++at);
        result = clone_flags(parent, flags | SIGCHLD);
        happened = fail_happened();
        if (result < 0) {
            assert_true(happened);
            assert_true(result == -ENOMEM || result == -EAGAIN || result == -EINVAL);
            after = holdings();
            assert_int_equal(after.selectors, before.selectors);
            assert_int_equal(after.objects, before.objects);
            assert_int_equal(after.spaces, before.spaces);
            assert_int_equal(after.processes, before.processes);
            assert_int_equal(after.ids, before.ids);
            assert_int_equal(after.delegated, before.delegated);
            assert_int_equal(slots_in_use(), 1);
            assert_int_equal(old.pd, parent->process->pd);
            assert_false(thread_doomed(parent));
            failures++;
        } else if (!(flags & CLONE_VFORK)) {
            world_begin(world_started());
            if (world_started()->process)
                exit_thread(world_started(), 0);
        }
        fail_at(0);
        reap(parent);
        assert_int_equal(world_teardown(NULL), 0);
    } while (happened);
    assert_true(failures >= 7);
}

static void test_fork_failures(void **state)
{
    (void)state;
    fail_everywhere(0);
}

static void test_vfork_failures(void **state)
{
    (void)state;
    fail_everywhere(CLONE_VM | CLONE_VFORK);
}

/* The same while there is no slot yet. */
static void test_slot_failures(void **state)
{
    struct thread *parent = world_thread(), *all[MAX_SLOTS];
    unsigned count = 0, at = 0;
    int64_t result;

    (void)state;
    fail_at(1);
    while (!fail_happened()) { /* all that there are */
        all[count] = slot_take(0);
        count += !fail_happened();
    }
    do {
        fail_at(++at);
        result = call(parent, __NR_fork, 0, 0, 0, 0, 0);
        assert_int_equal(slots_in_use(), 1 + count + (result > 0));
    } while (result < 0);
    fail_at(0);
    assert_true(at > 15);
    world_begin(world_started());
    if (world_started()->process)
        exit_thread(world_started(), 0);
    while (count)
        slot_release(all[--count]);
    assert_int_equal(reap(parent), result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fork),          TEST(thread_ids),       TEST(stack_and_tls),
        TEST(child_never_runs), TEST(vfork_exit),    TEST(vfork_exec),
        TEST(parent_dies),   TEST(shared_memory),    TEST(unsupported),
        TEST(clone3_arguments), TEST(clone3),        TEST(fork_failures),
        TEST(vfork_failures), TEST(slot_failures),
    };

    return cmocka_run_group_tests_name("router: fork", tests, NULL, NULL);
}
