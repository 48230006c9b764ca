/*
 * execve: what mem gets to see, and that no failure leaves anything behind.
 */
#include "world.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char *const arguments[] = { "prog", "one", "two words", NULL };
static const char *const environment[] = { "A=1", "B=2", NULL };

static const struct exec_strings own_strings = { NULL, (uint64_t)arguments,
                                                 (uint64_t)environment };

static void file_text(const char *path, const char *text)
{
    file_put(path, text, strlen(text), 0755);
}

static int64_t exec(struct thread *thread, const char *path)
{
    return exec_program(thread, AT_FDCWD, path, 0, &own_strings);
}

static void test_simple(void **state)
{
    struct thread *thread = world_thread();
    struct holdings before = holdings(), after;

    (void)state;
    file_text("/bin/prog", "ELF...");
    assert_int_equal(exec(thread, "/bin/prog"), 0);
    assert_string_equal(exec_arguments(), "prog\none\ntwo words\n");
    assert_string_equal(exec_environment(), "A=1\nB=2\n");
    assert_int_equal(thread->start_ip, 0x401000);
    assert_false(thread_doomed(thread));
    after = holdings();
    assert_int_equal(after.objects, before.objects); /* the old image is gone */
    assert_int_equal(after.selectors, before.selectors);
    assert_int_equal(after.spaces, 1);
    assert_int_equal(after.files, 1); /* the space's */
}

static void test_not_there(void **state)
{
    struct thread *thread = world_thread();

    (void)state;
    assert_int_equal(exec(thread, "/bin/none"), -ENOENT);
    file_text("/bin/text", "hello");
    assert_int_equal(exec(thread, "/bin/text"), -ENOEXEC);
    file_text("/bin/empty", "");
    assert_int_equal(exec(thread, "/bin/empty"), -ENOEXEC);
    assert_int_equal(holdings().files, 0);
}

static void test_no_arguments(void **state)
{
    const struct exec_strings none = { NULL, 0, 0 };

    (void)state;
    file_text("/bin/prog", "ELF...");
    assert_int_equal(exec_program(world_thread(), AT_FDCWD, "/bin/prog", 0, &none), 0);
    assert_string_equal(exec_arguments(), "\n");
    assert_string_equal(exec_environment(), "");
}

static void test_script(void **state)
{
    (void)state;
    file_text("/bin/sh", "ELF...");
    file_text("/tmp/script", "#! /bin/sh  -e -x \necho\n");
    assert_int_equal(exec(world_thread(), "/tmp/script"), 0);
    assert_string_equal(exec_arguments(), "/bin/sh\n-e -x\n/tmp/script\none\ntwo words\n");
}

static void test_script_of_script(void **state)
{
    (void)state;
    file_text("/bin/sh", "ELF...");
    file_text("/bin/inner", "#!/bin/sh -i\n");
    file_text("/bin/outer", "#!/bin/inner -o\n");
    assert_int_equal(exec(world_thread(), "/bin/outer"), 0);
    assert_string_equal(exec_arguments(),
                        "/bin/sh\n-i\n/bin/inner\n-o\n/bin/outer\none\ntwo words\n");
}

static void test_script_of_itself(void **state)
{
    struct thread *thread = world_thread();

    (void)state;
    file_text("/bin/loop", "#!/bin/loop\n");
    assert_int_equal(exec(thread, "/bin/loop"), -ELOOP);
    file_text("/bin/lost", "#!/bin/nothing\n");
    assert_int_equal(exec(thread, "/bin/lost"), -ENOENT);
}

static void test_interpreter(void **state)
{
    (void)state;
    file_put("/bin/dynamic", "ELF /lib/ld.so\0", 15, 0755);
    file_text("/lib/ld.so", "ELF ld");
    interpreter_set(4, 11);
    assert_int_equal(exec(world_thread(), "/bin/dynamic"), 0);
    assert_int_equal(holdings().files, 2);
}

static void test_bad_interpreter(void **state)
{
    struct thread *thread = world_thread();

    (void)state;
    file_put("/bin/dynamic", "ELF /lib/ld.so\0", 15, 0755);
    interpreter_set(4, 11);
    assert_int_equal(exec(thread, "/bin/dynamic"), -ENOENT);
    interpreter_set(4, 10); /* does not end with a zero byte */
    assert_int_equal(exec(thread, "/bin/dynamic"), -ENOEXEC);
    interpreter_set(4, 100); /* beyond the end */
    assert_int_equal(exec(thread, "/bin/dynamic"), -EIO);
    interpreter_set(UINT64_MAX, 100);
    assert_int_equal(exec(thread, "/bin/dynamic"), -EIO);
    interpreter_set(4, UINT64_MAX);
    assert_int_equal(exec(thread, "/bin/dynamic"), -ENOEXEC);
    interpreter_set(4, 1);
    assert_int_equal(exec(thread, "/bin/dynamic"), -ENOEXEC);
}

/* ---- execve(2) from a program's memory -------------------------------------------- */

static void word_put(struct thread *thread, uint64_t at, uint64_t value)
{
    assert_int_equal(memory_write(thread, at, &value, sizeof value), 0);
}

static void text_put(struct thread *thread, uint64_t at, const char *text)
{
    assert_int_equal(memory_write(thread, at, text, strlen(text) + 1), 0);
}

static int64_t execve_call(struct thread *thread, uint64_t path, uint64_t argv, uint64_t envp)
{
    const uint64_t arg[6] = { path, argv, envp };

    return sys_execve(thread, 59, arg);
}

static void test_from_memory(void **state)
{
    struct thread *thread = world_thread();
    cap_sel_t old = thread->process->pd;

    (void)state;
    file_text("/bin/prog", "ELF...");
    text_put(thread, MEMORY, "/bin/prog");
    text_put(thread, MEMORY + 0x1ffe, "spans pages");
    word_put(thread, MEMORY + 64, MEMORY + 0x1ffe);
    word_put(thread, MEMORY + 72, MEMORY);
    word_put(thread, MEMORY + 80, 0);
    assert_int_equal(execve_call(thread, MEMORY, MEMORY + 64, 0), 0);
    assert_string_equal(exec_arguments(), "spans pages\n/bin/prog\n");
    assert_int_not_equal(thread->process->pd, old);
}

static void test_wild_pointers(void **state)
{
    struct thread *thread = world_thread();
    struct holdings before;

    (void)state;
    file_text("/bin/prog", "ELF...");
    text_put(thread, MEMORY, "/bin/prog");
    word_put(thread, MEMORY + 64, NOTHING);
    before = holdings();
    assert_int_equal(execve_call(thread, NOTHING, 0, 0), -EFAULT);
    assert_int_equal(execve_call(thread, 0, 0, 0), -EFAULT);
    assert_int_equal(execve_call(thread, UINT64_MAX, 0, 0), -EFAULT);
    assert_int_equal(execve_call(thread, MEMORY, NOTHING, 0), -EFAULT);
    assert_int_equal(execve_call(thread, MEMORY, 0, UINT64_MAX - 7), -EFAULT);
    assert_int_equal(execve_call(thread, MEMORY, MEMORY + 64, 0), -EFAULT);
    assert_memory_equal(&(struct holdings[]){ holdings() }[0], &before, sizeof before);
}

static void test_long_path(void **state)
{
    struct thread *thread = world_thread();
    char path[PATH_MAX + 10];

    (void)state;
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    text_put(thread, MEMORY, path);
    assert_int_equal(execve_call(thread, MEMORY, 0, 0), -ENAMETOOLONG);
}

static void test_long_string(void **state)
{
    char *text = malloc(140000);
    const char *const argv[] = { text, NULL };
    const struct exec_strings strings = { NULL, (uint64_t)argv, 0 };
    struct thread *thread = world_thread();

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 140000);
    text[139999] = '\0';
    file_text("/bin/prog", "ELF...");
    assert_int_equal(exec_program(thread, AT_FDCWD, "/bin/prog", 0, &strings), -E2BIG);
    text[131071] = '\0';
    assert_int_equal(exec_program(thread, AT_FDCWD, "/bin/prog", 0, &strings), 0);
    free(text);
}

/* ---- failures ------------------------------------------------------------------------ */

static void holdings_check(const struct holdings *before, const struct holdings *after)
{
    assert_int_equal(after->selectors, before->selectors);
    assert_int_equal(after->objects, before->objects);
    assert_int_equal(after->files, before->files);
    assert_int_equal(after->spaces, before->spaces);
    assert_int_equal(after->processes, before->processes);
}

/* Every step fails once. Before the commit all is as it was; after it the
 * process is doomed, and its end gives everything back (see the teardown). */
static void fail_everywhere(const char *path)
{
    unsigned at = 0, aborted = 0, doomed = 0;
    bool happened;

    do {
        struct thread *thread = world_thread();
        struct holdings before = holdings(), after;
        struct process old = *thread->process;
        cap_sel_t ec = thread->ec;
        int64_t result;

        fail_at(++at);
        result = exec(thread, path);
        after = holdings();
        happened = fail_happened();
        if (happened && result < 0) {
            holdings_check(&before, &after);
            assert_memory_equal(thread->process, &old, sizeof old);
            assert_int_equal(thread->ec, ec);
            assert_false(thread_doomed(thread));
            aborted++;
        } else if (happened) {
            assert_true(thread_doomed(thread));
            doomed++;
        }
        assert_int_equal(world_teardown(NULL), 0);
    } while (happened);
    assert_true(aborted >= 10);
    assert_true(doomed >= 2);
}

static void test_failures_static(void **state)
{
    (void)state;
    file_text("/bin/prog", "ELF...");
    fail_everywhere("/bin/prog");
}

static void test_failures_dynamic(void **state)
{
    (void)state;
    file_put("/bin/dynamic", "ELF /lib/ld.so\0", 15, 0755);
    file_text("/lib/ld.so", "ELF ld");
    interpreter_set(4, 11);
    fail_everywhere("/bin/dynamic");
}

static void test_failures_script(void **state)
{
    (void)state;
    file_text("/bin/sh", "ELF...");
    file_text("/tmp/script", "#!/bin/sh -e\n");
    fail_everywhere("/tmp/script");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(simple),          TEST(not_there),        TEST(no_arguments),
        TEST(script),          TEST(script_of_script), TEST(script_of_itself),
        TEST(interpreter),     TEST(bad_interpreter),  TEST(from_memory),
        TEST(wild_pointers),   TEST(long_path),        TEST(long_string),
        TEST(failures_static), TEST(failures_dynamic), TEST(failures_script),
    };

    return cmocka_run_group_tests_name("router: execve", tests, NULL, NULL);
}
