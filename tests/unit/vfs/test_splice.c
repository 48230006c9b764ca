/*
 * splice(2), tee(2), vmsplice(2); SIGPIPE; FIOASYNC and FIONREAD.
 */
#include "vfs_env.h"

#include <asm/ioctls.h>
#include <signal.h>

#define NONBLOCK 2 /* SPLICE_F_NONBLOCK */

static uint64_t a[2], b[2];

static void pipe_open(uint64_t end[2])
{
    const int *fds;

    assert_int_equal(SYS(pipe2, BUFFER, 0), 0);
    fds = user_at(BUFFER);
    end[0] = (uint64_t)fds[0];
    end[1] = (uint64_t)fds[1];
}

static int setup(void **state)
{
    env_setup(state);
    pipe_open(a);
    pipe_open(b);
    return 0;
}

static int64_t offset_put(uint64_t *address, int64_t value)
{
    *address = user_put(&value, sizeof value);
    return value;
}

static int64_t offset_get(uint64_t address) { return *(int64_t *)user_at(address); }

static void test_errors(void **state)
{
    uint64_t file, offset;

    (void)state;
    assert_int_equal(make_file("/file", "0123456789"), 0);
    file = (uint64_t)do_open("/file", O_RDWR);
    offset_put(&offset, 0);
    assert_int_equal(SYS(splice, 77, 0, 78, 0, 0, 0), 0);
    assert_int_equal(SYS(splice, 77, 0, a[1], 0, 1, 0), -EBADF);
    assert_int_equal(SYS(splice, file, 0, a[1], 0, 1, 16), -EINVAL);
    assert_int_equal(SYS(splice, file, 0, a[0], 0, 1, 0), -EBADF);
    assert_int_equal(SYS(splice, file, 0, file, 0, 1, 0), -EINVAL);
    assert_int_equal(SYS(splice, file, 0, a[1], offset, 1, 0), -ESPIPE);
    assert_int_equal(SYS(splice, a[0], offset, file, 0, 1, 0), -ESPIPE);
    assert_int_equal(SYS(splice, a[0], 0, a[1], 0, 1, 0), -EINVAL);
    assert_int_equal(SYS(splice, file, WILD, a[1], 0, 1, 0), -EFAULT);
    assert_int_equal(SYS(tee, a[0], a[1], 1, 0), -EINVAL);
    assert_int_equal(SYS(tee, file, a[1], 1, 0), -EINVAL);
    assert_int_equal(SYS(tee, a[1], b[1], 1, 0), -EBADF);
    assert_int_equal(SYS(vmsplice, file, BUFFER, 0, 0), -EBADF);
    assert_int_equal(SYS(vmsplice, a[1], BUFFER, 0, 16), -EINVAL);
}

static void test_file_to_pipe(void **state)
{
    uint64_t file, offset;

    (void)state;
    assert_int_equal(make_file("/file", "0123456789"), 0);
    file = (uint64_t)do_open("/file", O_RDONLY);
    offset_put(&offset, 3);
    assert_int_equal(SYS(splice, file, offset, a[1], 0, 4, 0), 4);
    assert_int_equal(offset_get(offset), 7);
    assert_int_equal(SYS(splice, file, 0, a[1], 0, 100, 0), 10);
    assert_int_equal(SYS(splice, file, 0, a[1], 0, 100, 0), 0);
    assert_string_equal(do_read((int64_t)a[0], 100), "34560123456789");
    assert_int_equal(SYS(close, a[0]), 0);
    assert_int_equal(SYS(splice, file, offset, a[1], 0, 4, 0), -EPIPE);
}

static void test_pipe_to_file(void **state)
{
    uint64_t       file = (uint64_t)do_open("/file", O_RDWR | O_CREAT), offset;
    const uint64_t arg[6] = { a[0], 0, file, 0, 100, 0 };

    (void)state;
    assert_int_equal(SYS(splice, a[0], 0, file, 0, 100, NONBLOCK), -EAGAIN);
    assert_int_equal(sys_on(SLOT, __NR_splice, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_write, (uint64_t[6]){ a[1], S("hello"), 5 }), 5);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_splice, CALL_RETRY, arg), 5);
    assert_int_equal(do_write((int64_t)a[1], "world"), 5);
    offset_put(&offset, 1);
    assert_int_equal(SYS(splice, a[0], 0, file, offset, 3, 0), 3);
    assert_int_equal(offset_get(offset), 4);
    assert_int_equal(SYS(close, a[1]), 0);
    assert_int_equal(SYS(splice, a[0], 0, file, 0, 100, 0), 2);
    assert_int_equal(SYS(splice, a[0], 0, file, 0, 100, 0), 0);
    assert_string_equal(file_text("/file"), "hworold");
}

static void test_between_pipes(void **state)
{
    const uint64_t arg[6] = { a[0], 0, b[1], 0, 100000, 0 };

    (void)state;
    memset(user_at(BUFFER), 'x', 65536);
    assert_int_equal(SYS(write, a[1], BUFFER, 65536), 65536);
    assert_int_equal(SYS(write, b[1], BUFFER, 60000), 60000);
    assert_int_equal(sys_on(SLOT, __NR_splice, arg), 5536);
    assert_int_equal(sys_on(SLOT, __NR_splice, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_read, (uint64_t[6]){ b[0], BUFFER, 60000 }), 60000);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_splice, CALL_RETRY, arg), 60000);
    assert_int_equal(sys_on(SLOT, __NR_splice, arg), PENDING);
    assert_int_equal(sys_again(SLOT, __NR_splice, CALL_INTERRUPTED, arg), -CALL_RESTARTS);
    assert_int_equal(SYS(close, a[1]), 0);
    assert_int_equal(SYS(read, b[0], BUFFER, 65536), 65536);
    assert_int_equal(SYS(splice, a[0], 0, b[1], 0, 1, 0), 0);
}

static void test_tee(void **state)
{
    (void)state;
    assert_int_equal(SYS(tee, a[0], b[1], 10, NONBLOCK), -EAGAIN);
    assert_int_equal(do_write((int64_t)a[1], "hello"), 5);
    assert_int_equal(SYS(tee, a[0], b[1], 3, 0), 3);
    assert_int_equal(SYS(tee, a[0], b[1], 10, 0), 5);
    assert_string_equal(do_read((int64_t)b[0], 100), "helhello");
    assert_string_equal(do_read((int64_t)a[0], 100), "hello");
    assert_int_equal(SYS(close, a[1]), 0);
    assert_int_equal(SYS(tee, a[0], b[1], 10, 0), 0);
}

static void test_vmsplice(void **state)
{
    struct iovec parts[2] = { { (void *)S("abc"), 3 }, { (void *)S("defg"), 4 } };
    uint64_t     in = user_put(parts, sizeof parts);

    (void)state;
    assert_int_equal(SYS(vmsplice, a[1], in, 2, 0), 7);
    parts[0].iov_base = (void *)(BUFFER + 2);
    assert_int_equal(SYS(vmsplice, a[0], user_put(parts, sizeof parts), 1, 0), 3);
    assert_memory_equal(user_at(BUFFER + 2), "abc", 3);
    assert_string_equal(do_read((int64_t)a[0], 100), "defg");
    assert_int_equal(SYS(vmsplice, a[0], in, 2, NONBLOCK), -EAGAIN);
    parts[0] = (struct iovec){ (void *)BUFFER, 100000 };
    assert_int_equal(SYS(vmsplice, a[1], user_put(parts, sizeof parts), 1, 0), 65536);
}

static void test_sigpipe(void **state)
{
    struct host_answer answer;

    (void)state;
    assert_int_equal(SYS(close, a[0]), 0);
    assert_int_equal(SYS(write, a[1], BUFFER, 0), 0);
    answer = host_call_whole(&vfs_server, SLOT, __NR_write, (uint64_t[6]){ a[1], S("x"), 1 });
    assert_int_equal(answer.answer, ANSWER_DONE);
    assert_int_equal(answer.result, -EPIPE);
    assert_int_equal(answer.word[0], FOLLOW_SIGNAL);
    assert_int_equal(answer.word[1], SIGPIPE);
    assert_int_equal(do_write((int64_t)b[1], "x"), 1);
    answer = host_call_whole(&vfs_server, SLOT, __NR_splice,
                             (uint64_t[6]){ b[0], 0, a[1], 0, 10, 0 });
    assert_int_equal(answer.result, -EPIPE);
    assert_int_equal(answer.word[0], FOLLOW_SIGNAL);
}

/* A writer that waits for room loses its reader: it learns what it wrote, and the signal. */
static void test_sigpipe_in_the_middle(void **state)
{
    const uint64_t     arg[6] = { a[1], BUFFER, 100000 };
    struct host_answer answer;

    (void)state;
    assert_int_equal(sys_on(SLOT, __NR_write, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_close, (uint64_t[6]){ a[0] }), 0);
    assert_int_equal(host_signals(env.sem), 1);
    answer = host_call(&vfs_server, SLOT, __NR_write, CALL_RETRY, arg);
    assert_int_equal(answer.result, 65536);
    assert_int_equal(answer.word[0], FOLLOW_SIGNAL);
}

static void test_ioctl(void **state)
{
    uint64_t file, one;
    int      on = 1, off = 0;

    (void)state;
    assert_int_equal(make_file("/file", "0123456789"), 0);
    file = (uint64_t)do_open("/file", O_RDONLY);
    assert_string_equal(do_read((int64_t)file, 4), "0123");
    assert_int_equal(SYS(ioctl, file, FIONREAD, BUFFER), 0);
    assert_int_equal(*(int *)user_at(BUFFER), 6);
    one = user_put(&on, sizeof on);
    assert_int_equal(SYS(ioctl, file, FIOASYNC, one), -ENOTTY);
    assert_int_equal(SYS(ioctl, file, FIOASYNC, user_put(&off, sizeof off)), 0);
    assert_int_equal(SYS(ioctl, a[0], FIONBIO, one), 0);
    assert_int_equal(SYS(read, a[0], BUFFER, 1), -EAGAIN);
    assert_int_equal(SYS(fcntl, a[0], F_GETFL), O_NONBLOCK);
    assert_int_equal(SYS(ioctl, a[0], FIONBIO, user_put(&off, sizeof off)), 0);
    assert_int_equal(SYS(fcntl, a[0], F_GETFL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_errors, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_file_to_pipe, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_pipe_to_file, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_between_pipes, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_tee, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_vmsplice, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sigpipe, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sigpipe_in_the_middle, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_ioctl, setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
