/*
 * Slots, the end of processes, signals, messages of a thread.
 */
#include "world.h"

#include <asm/prctl.h>
#include <asm/unistd_64.h>
#include <servers/syscall-router/dispatch.h>
#include <signal.h>
#include <string.h>

static void message(struct thread *thread, enum message_kind kind, unsigned label,
                    const uint64_t words[2], struct portal_frame *frame)
{
    *frame = (struct portal_frame){ .control = kind | ctl_message(label, 0, 0) };
    if (words)
        memcpy(frame->word, words, 2 * sizeof *words);
    thread->portal.handle(&thread->portal, frame);
}

/* ---- slots ------------------------------------------------------------------------- */

static void test_slot_is_reused(void **state)
{
    struct thread *first = slot_take(0), *second;
    unsigned made = slots_made();

    (void)state;
    assert_non_null(first);
    assert_int_equal(slots_in_use(), 1);
    slot_release(first);
    second = slot_take(0);
    assert_ptr_equal(first, second);
    assert_int_equal(slots_made(), made);
    slot_release(second);
}

static void test_slot_belongs_to_a_cpu(void **state)
{
    struct thread *here = slot_take(0), *there;

    (void)state;
    slot_release(here);
    there = slot_take(1);
    assert_ptr_not_equal(here, there);
    assert_int_equal(there->cpu, 1);
    slot_release(there);
}

/* Every step of making a slot fails once; only the handler is kept for the next. */
static void test_slot_failures(void **state)
{
    unsigned made = slots_made(), at = 0;
    struct thread *thread;

    (void)state;
    do {
        fail_at(++at);
        thread = slot_take(2);
        assert_true(!thread == fail_happened());
        assert_int_equal(slots_in_use(), thread ? 1 : 0);
    } while (!thread);
    assert_true(at > 8);
    assert_int_equal(slots_made(), made + 1);
    slot_release(thread);
}

static void test_slots_run_out(void **state)
{
    static struct thread *all[MAX_SLOTS];
    unsigned count = 0;

    (void)state;
    while ((all[count] = slot_take(0)))
        count++;
    assert_in_range(count, MAX_SLOTS - 100, MAX_SLOTS - 1);
    assert_null(slot_take(0));
    while (count)
        slot_release(all[--count]);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void test_exit(void **state)
{
    struct thread *thread = world_thread();
    struct portal_frame frame;

    (void)state;
    message(thread, MSG_FOREIGN, __NR_exit_group, (uint64_t[]){ 0x107, 0 }, &frame);
    assert_int_equal(finished_status(), 7 << 8);
    assert_null(thread->process);
}

static void test_exceptions(void **state)
{
    static const struct {
        unsigned vector, signal;
    } cases[] = { { 0, SIGFPE }, { 3, SIGTRAP }, { 6, SIGILL }, { 13, SIGSEGV }, { 17, SIGBUS } };
    struct portal_frame frame;

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        message(world_thread(), MSG_EXCEPTION, cases[i].vector, NULL, &frame);
        assert_int_equal(finished_status(), cases[i].signal);
    }
}

static void test_page_faults(void **state)
{
    struct thread *thread = world_thread();
    struct portal_frame frame;

    (void)state;
    message(thread, MSG_FAULT, 0, (uint64_t[]){ MEMORY, FAULT_WRITE | FAULT_USER }, &frame);
    assert_non_null(thread->process);
    message(thread, MSG_FAULT, 0, (uint64_t[]){ NOTHING, FAULT_USER }, &frame);
    assert_int_equal(finished_status(), SIGSEGV);
    thread = world_thread();
    fail_at(1);
    message(thread, MSG_FAULT, 0, (uint64_t[]){ MEMORY, FAULT_USER }, &frame);
    assert_int_equal(finished_status(), SIGKILL);
}

static void test_recall(void **state)
{
    struct thread *thread = world_thread();
    struct portal_frame frame;

    (void)state;
    message(thread, MSG_RECALL, 0, NULL, &frame);
    assert_non_null(thread->process);
    process_kill(thread->process->pid, status_killed(SIGTERM));
    assert_int_equal(recalls(), 1);
    message(thread, MSG_RECALL, 0, NULL, &frame);
    assert_int_equal(finished_status(), SIGTERM);
}

static void test_startup(void **state)
{
    struct thread *thread = world_thread();
    struct portal_frame frame;

    (void)state;
    message(thread, MSG_STARTUP, 0, NULL, &frame);
    assert_int_equal(state_of_ec()->rip, 0x1000);
    assert_int_equal(state_of_ec()->rsp, 0x2000);
    assert_int_equal(state_of_ec()->rflags, 0x202);
    assert_int_equal(state_of_ec()->rax, 0);
}

static void test_killed_before_it_starts(void **state)
{
    struct thread *thread = world_thread();
    struct portal_frame frame;

    (void)state;
    process_kill(thread->process->pid, status_killed(SIGKILL));
    message(thread, MSG_STARTUP, 0, NULL, &frame);
    assert_int_equal(finished_status(), SIGKILL);
}

/* ---- calls -------------------------------------------------------------------------------- */

static int64_t call(struct thread *thread, unsigned nr, uint64_t a0, uint64_t a1)
{
    struct portal_frame frame;

    message(thread, MSG_FOREIGN, nr, (uint64_t[]){ a0, a1 }, &frame);
    assert_int_equal(frame.control & 0xff, HC_REPLY);
    return (int64_t)frame.word[0];
}

static void test_unknown_calls(void **state)
{
    struct thread *thread = world_thread();

    (void)state;
    assert_int_equal(call(thread, 0xffff, 0, 0), -ENOSYS);
    assert_int_equal(call(thread, LINUX_CALL_COUNT, 0, 0), -ENOSYS);
    assert_int_equal(call(thread, 350, 0, 0), -ENOSYS);
    assert_int_equal(call(thread, __NR_userfaultfd, 0, 0), -ENOSYS);
    assert_int_equal(call(thread, __NR_getpid, 0, 0), thread->process->pid);
}

static void test_kill_oneself(void **state)
{
    struct thread *thread = world_thread();
    uint32_t pid = thread->process->pid;

    (void)state;
    assert_int_equal(call(thread, __NR_kill, pid, 0), 0);
    assert_int_equal(call(thread, __NR_kill, pid, SIGCHLD), 0);
    assert_int_equal(call(thread, __NR_kill, pid, 99), -EINVAL);
    assert_int_equal(call(thread, __NR_kill, (uint64_t)INT32_MIN, SIGTERM), -ESRCH);
    assert_int_equal(call(thread, __NR_tkill, 0, SIGTERM), -EINVAL);
    assert_int_equal(call(thread, __NR_tkill, 31000, SIGTERM), -ESRCH);
    assert_non_null(thread->process);
    call(thread, __NR_tkill, pid, SIGTERM);
    assert_null(thread->process);
    assert_int_equal(finished_status(), SIGTERM);
}

static void test_arch_prctl(void **state)
{
    struct thread *thread = world_thread();
    uint64_t value;

    (void)state;
    assert_int_equal(call(thread, __NR_arch_prctl, ARCH_SET_FS, 0x1234), 0);
    assert_int_equal(state_of_ec()->fs_base, 0x1234);
    assert_int_equal(call(thread, __NR_arch_prctl, ARCH_GET_FS, MEMORY), 0);
    assert_int_equal(memory_read(thread, &value, MEMORY, sizeof value), 0);
    assert_int_equal(value, 0x1234);
    assert_int_equal(call(thread, __NR_arch_prctl, ARCH_GET_FS, NOTHING), -EFAULT);
    assert_int_equal(call(thread, __NR_arch_prctl, ARCH_SET_FS, USER_END), -EPERM);
    assert_int_equal(call(thread, __NR_arch_prctl, 0x9999, 0), -EINVAL);
}

static void test_getcpu(void **state)
{
    struct thread *thread = world_thread();
    uint32_t cpu = 99;

    (void)state;
    assert_int_equal(call(thread, __NR_getcpu, MEMORY, 0), 0);
    assert_int_equal(memory_read(thread, &cpu, MEMORY, sizeof cpu), 0);
    assert_int_equal(cpu, 0);
    assert_int_equal(call(thread, __NR_getcpu, 0, NOTHING), -EFAULT);
}

static void test_mmap_of_a_file(void **state)
{
    struct thread *thread = world_thread();
    const uint64_t good[6] = { 0, 4096, 1, 2, 3, 0 }, bad[6] = { 0, 4096, 1, 2, (uint64_t)-1, 0 };

    (void)state;
    assert_int_equal(sys_mmap(thread, __NR_mmap, bad), -EBADF);
    fail_at(1);
    assert_int_equal(sys_mmap(thread, __NR_mmap, good), -ENOMEM);
    assert_int_equal(holdings().files, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slot_is_reused), TEST(slot_belongs_to_a_cpu), TEST(slot_failures),
        TEST(exit),           TEST(exceptions),            TEST(page_faults),
        TEST(recall),         TEST(startup),               TEST(killed_before_it_starts),
        TEST(unknown_calls),  TEST(kill_oneself),          TEST(arch_prctl),
        TEST(getcpu),         TEST(mmap_of_a_file),        TEST(slots_run_out),
    };

    return cmocka_run_group_tests_name("router: threads", tests, NULL, NULL);
}
