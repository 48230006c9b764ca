/*
 * A call to a server until it is done: waits, faults, cancellation.
 */
#include "world.h"

#include <signal.h>
#include <string.h>

static const uint64_t arguments[6] = { 1, 2, 3, 4, 5, 66 };
static uint64_t last_deadline;
static unsigned waits;

static int64_t run(struct thread *thread, const struct step *steps, unsigned count)
{
    int64_t result;

    waits = 0;
    if (!thread_doomed(thread))
        (void)thread_interrupted(thread); /* a new thread looks for signals once */
    script_set(steps, count);
    result = forward(thread, OWNER_VFS, SCRIPTED_NR, arguments);
    assert_true(script_finished());
    return result;
}

static bool wake(struct thread *thread, uint64_t deadline_ns)
{
    (void)thread;
    waits++;
    last_deadline = deadline_ns;
    return true;
}

static bool time_out(struct thread *thread, uint64_t deadline_ns)
{
    wake(thread, deadline_ns);
    return false;
}

static bool killed_while_waiting(struct thread *thread, uint64_t deadline_ns)
{
    wake(thread, deadline_ns);
    thread_kill(thread, status_killed(SIGKILL));
    return true;
}

static void test_done_at_once(void **state)
{
    static const struct step steps[] = { { CALL_FIRST, ANSWER_DONE, 42, { 0 } } };

    (void)state;
    assert_int_equal(run(world_thread(), steps, 1), 42);
}

static void test_error_is_the_result(void **state)
{
    static const struct step steps[] = { { CALL_FIRST, ANSWER_DONE, -EBADF, { 0 } } };

    (void)state;
    assert_int_equal(run(world_thread(), steps, 1), -EBADF);
}

static void test_waits_and_retries(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_PENDING, 0, { 0 } },
        { CALL_RETRY, ANSWER_PENDING, 0, { 777 } }, /* woken too early */
        { CALL_RETRY, ANSWER_DONE, 5, { 0 } },
    };

    (void)state;
    world_on_wait = wake;
    assert_int_equal(run(world_thread(), steps, 3), 5);
    assert_int_equal(waits, 2);
    assert_int_equal(last_deadline, 777);
}

static void test_deadline(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_PENDING, 0, { 1000 } },
        { CALL_TIMED_OUT, ANSWER_DONE, 0, { 0 } },
    };

    (void)state;
    world_on_wait = time_out;
    assert_int_equal(run(world_thread(), steps, 2), 0);
}

/* The server always gets to say what was done, and its answer is not lost. */
static void test_kill_cancels(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_PENDING, 0, { 0 } },
        { CALL_INTERRUPTED, ANSWER_DONE, 17, { 0 } },
    };
    struct thread *thread = world_thread();

    (void)state;
    world_on_wait = killed_while_waiting;
    assert_int_equal(run(thread, steps, 2), 17);
    assert_true(thread_doomed(thread));
    assert_int_equal(recalls(), 1);
}

static void test_killed_before_it_waits(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_PENDING, 0, { 0 } },
        { CALL_INTERRUPTED, ANSWER_DONE, -EINTR, { 0 } },
    };
    struct thread *thread = world_thread();

    (void)state;
    thread_kill(thread, status_killed(SIGTERM));
    assert_int_equal(run(thread, steps, 2), -EINTR); /* world_on_wait is not called */
}

static void test_fault_in(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { MEMORY, 0x2000, 1 } },
        { CALL_RETRY, ANSWER_DONE, 8192, { 0 } },
    };
    struct thread *thread = world_thread();
    char byte = 1;

    (void)state;
    assert_int_equal(run(thread, steps, 2), 8192);
    assert_int_equal(kernel_copy(thread->process->pd, COPY_TO, &byte, MEMORY + 0x1fff, 1), 1);
}

static void test_bad_address(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { NOTHING, 1, 0 } },
        { CALL_FAULTED, ANSWER_DONE, -EFAULT, { 0 } },
    };
    static const struct step beyond[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { UINT64_MAX, 1, 0 } },
        { CALL_FAULTED, ANSWER_DONE, -EFAULT, { 0 } },
    };
    static const struct step read_only[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { READ_ONLY, 1, 1 } },
        { CALL_FAULTED, ANSWER_DONE, 100, { 0 } }, /* so much was done before */
    };
    struct thread *thread = world_thread();

    (void)state;
    assert_int_equal(run(thread, steps, 2), -EFAULT);
    assert_int_equal(run(thread, beyond, 2), -EFAULT);
    assert_int_equal(run(thread, read_only, 2), 100);
    assert_false(thread_doomed(thread));
}

/* A call that gives up may still have to write something. */
static void test_fault_while_cancelled(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_PENDING, 0, { 0 } },
        { CALL_TIMED_OUT, ANSWER_FAULT_IN, 0, { MEMORY, 16, 1 } },
        { CALL_RETRY, ANSWER_DONE, -EINTR, { 0 } },
    };

    (void)state;
    world_on_wait = time_out;
    assert_int_equal(run(world_thread(), steps, 3), -EINTR);
}

static void test_file_page(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { MEMORY, 1, 0 } },
        { CALL_RETRY, ANSWER_DONE, 0, { 0 } },
    };

    (void)state;
    file_page_needed(2);
    assert_int_equal(run(world_thread(), steps, 2), 0);
}

static void test_file_ends_before(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { MEMORY, 1, 0 } },
        { CALL_FAULTED, ANSWER_DONE, -EFAULT, { 0 } },
    };
    struct thread *thread = world_thread();
    struct fault_verdict verdict;

    (void)state;
    file_page_needed(0);
    assert_int_equal(run(thread, steps, 2), -EFAULT);
    assert_int_equal(memory_fault_in(thread, MEMORY, 1, FAULT_USER, &verdict), -EFAULT);
    assert_int_equal(verdict.signal, SIGBUS);
    assert_int_equal(verdict.code, BUS_ADRERR);
}

static void test_out_of_memory_kills(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_FAULT_IN, 0, { MEMORY, 1, 0 } },
        { CALL_FAULTED, ANSWER_DONE, -EFAULT, { 0 } },
    };
    struct thread *thread = world_thread();

    (void)state;
    fail_at(1);
    assert_int_equal(run(thread, steps, 2), -EFAULT);
    assert_true(fail_happened());
    assert_int_equal(atomic_load(&thread->death), DEATH_DUE | SIGKILL);
}

/* What the call did deserves a signal, which kills. */
static void test_signal_follows(void **state)
{
    static const struct step steps[] = {
        { CALL_FIRST, ANSWER_DONE, -EPIPE, { FOLLOW_SIGNAL, SIGPIPE, 0 } },
    };
    struct thread *thread = world_thread();

    (void)state;
    assert_int_equal(run(thread, steps, 1), -EPIPE);
    assert_false(thread_doomed(thread));
    assert_true(thread_interrupted(thread));
    assert_int_equal(atomic_load(&thread->death), DEATH_DUE | SIGPIPE);
}

static void test_unknown_answer(void **state)
{
    static const struct step steps[] = { { CALL_FIRST, (enum answer)9, 0, { 0 } } };

    (void)state;
    assert_int_equal(run(world_thread(), steps, 1), -EIO);
}

static void test_memory_across_pages(void **state)
{
    struct thread *thread = world_thread();
    char text[9000], back[9000];
    bool ended;

    (void)state;
    memset(text, 'x', sizeof text);
    text[8999] = '\0';
    assert_int_equal(memory_write(thread, MEMORY + 100, text, sizeof text), 0);
    assert_int_equal(memory_read(thread, back, MEMORY + 100, sizeof back), 0);
    assert_memory_equal(text, back, sizeof text);
    assert_int_equal(memory_read_string(thread, back, MEMORY + 100, 5000, &ended), 5000);
    assert_false(ended);
    assert_int_equal(memory_read_string(thread, back, MEMORY + 5100, 5000, &ended), 3999);
    assert_true(ended);
    assert_int_equal(memory_read(thread, back, MEMORY + MEMORY_BYTES - 1, 2), -EFAULT);
    assert_int_equal(memory_write(thread, READ_ONLY, text, 1), -EFAULT);
    assert_int_equal(memory_read(thread, back, UINT64_MAX - 3, 8), -EFAULT);
    assert_int_equal(memory_read(thread, back, USER_END - 1, 2), -EFAULT);
    assert_int_equal(memory_read_string(thread, back, NOTHING, 10, &ended), -EFAULT);
    assert_int_equal(memory_read_string(thread, back, USER_END, 10, &ended), -EFAULT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(done_at_once),    TEST(error_is_the_result),    TEST(waits_and_retries),
        TEST(deadline),        TEST(kill_cancels),           TEST(killed_before_it_waits),
        TEST(fault_in),        TEST(bad_address),            TEST(fault_while_cancelled),
        TEST(file_page),       TEST(file_ends_before),       TEST(out_of_memory_kills),
        TEST(signal_follows),  TEST(unknown_answer),         TEST(memory_across_pages),
    };

    return cmocka_run_group_tests_name("router: forward", tests, NULL, NULL);
}
