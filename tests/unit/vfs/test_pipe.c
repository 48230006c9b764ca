/*
 * Pipes and FIFOs: pipe(7), fifo(7); poll(2) and select(2) on them.
 */
#include "vfs_env.h"

#include <asm/ioctls.h>
#include <asm/poll.h>

#define MS 1000000ull

static uint64_t ends[2];

static int setup(void **state)
{
    int *fds;

    env_setup(state);
    assert_int_equal(SYS(pipe2, BUFFER, O_CLOEXEC), 0);
    fds = user_at(BUFFER);
    ends[0] = (uint64_t)fds[0];
    ends[1] = (uint64_t)fds[1];
    return 0;
}

static void test_simple(void **state)
{
    int *count = user_at(BUFFER);

    (void)state;
    assert_int_equal(do_write((int64_t)ends[1], "hello"), 5);
    assert_int_equal(SYS(ioctl, ends[0], FIONREAD, BUFFER), 0);
    assert_int_equal(*count, 5);
    assert_string_equal(do_read((int64_t)ends[0], 2), "he");
    assert_string_equal(do_read((int64_t)ends[0], 100), "llo");
    assert_int_equal(SYS(read, ends[1], BUFFER, 1), -EBADF);
    assert_int_equal(SYS(write, ends[0], BUFFER, 1), -EBADF);
    assert_int_equal(SYS(lseek, ends[0], 0, SEEK_SET), -ESPIPE);
    assert_int_equal(SYS(pread64, ends[0], BUFFER, 1, 0), -ESPIPE);
    assert_int_equal(SYS(fstat, ends[0], BUFFER), 0);
    assert_true(S_ISFIFO(((struct stat *)user_at(BUFFER))->st_mode));
    assert_int_equal(SYS(pipe2, BUFFER, 1), -EINVAL);
    assert_int_equal(SYS(pipe2, WILD, 0), -EFAULT);
}

static void test_ends(void **state)
{
    (void)state;
    assert_int_equal(do_write((int64_t)ends[1], "x"), 1);
    assert_int_equal(SYS(close, ends[1]), 0);
    assert_string_equal(do_read((int64_t)ends[0], 10), "x");
    assert_string_equal(do_read((int64_t)ends[0], 10), "");
    assert_int_equal(SYS(pipe, BUFFER), 0);
    assert_int_equal(SYS(close, (uint64_t)((int *)user_at(BUFFER))[0]), 0);
    assert_int_equal(SYS(write, (uint64_t)((int *)user_at(BUFFER))[1], BUFFER, 1), -EPIPE);
}

static void test_blocking_read(void **state)
{
    const uint64_t arg[6] = { ends[0], BUFFER, 10 };

    (void)state;
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(host_signals(env.sem), 0);
    assert_int_equal(sys_on(OTHER, __NR_write, (uint64_t[6]){ ends[1], S("abc"), 3 }), 3);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 3);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_INTERRUPTED, arg), -CALL_RESTARTS);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_close, (uint64_t[6]){ ends[1] }), 0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 0);
}

static void test_closed_while_waiting(void **state)
{
    const uint64_t arg[6] = { ends[0], BUFFER, 10 };

    (void)state;
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_close, (uint64_t[6]){ ends[0] }), 0);
    assert_int_equal(sys_on(OTHER, __NR_close, (uint64_t[6]){ ends[1] }), 0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), -EBADF);
}

static void test_blocking_write(void **state)
{
    const uint64_t arg[6] = { ends[1], BUFFER, 100000 };

    (void)state;
    memset(user_at(BUFFER), 'w', 100000);
    assert_int_equal(sys_on(SLOT, __NR_write, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_read, (uint64_t[6]){ ends[0], BUFFER + 200000, 30000 }),
                     30000);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_write, CALL_RETRY, arg), PENDING);
    assert_int_equal(sys_again(SLOT, __NR_write, CALL_INTERRUPTED, arg), 95536);
    assert_int_equal(sys_on(OTHER, __NR_read, (uint64_t[6]){ ends[0], BUFFER, 100000 }), 65536);
}

/* Up to PIPE_BUF bytes are not mixed with others. */
static void test_atomic_writes(void **state)
{
    (void)state;
    assert_int_equal(SYS(fcntl, ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SYS(write, ends[1], BUFFER, 65536 - 100), 65536 - 100);
    assert_int_equal(SYS(write, ends[1], BUFFER, 101), -EAGAIN);
    assert_int_equal(SYS(write, ends[1], BUFFER, 100), 100);
    assert_int_equal(SYS(write, ends[1], BUFFER, 5000), -EAGAIN);
    assert_int_equal(SYS(read, ends[0], BUFFER, 50), 50);
    assert_int_equal(SYS(write, ends[1], BUFFER, 5000), 50);
    /* Memory that is not there: nothing of it goes in. */
    assert_int_equal(SYS(read, ends[0], BUFFER, 65536), 65536);
    assert_int_equal(SYS(write, ends[1], USER_BASE + USER_BYTES - 50, 100), -EFAULT);
    assert_int_equal(SYS(fcntl, ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SYS(read, ends[0], BUFFER, 10), -EAGAIN);
}

static void test_capacity(void **state)
{
    char *buffer = user_at(BUFFER);

    (void)state;
    assert_int_equal(SYS(fcntl, ends[0], F_GETPIPE_SZ, 0), 65536);
    for (unsigned i = 0; i < 10000; i++)
        buffer[i] = (char)i;
    assert_int_equal(SYS(write, ends[1], BUFFER, 10000), 10000);
    assert_int_equal(SYS(read, ends[0], BUFFER + 20000, 5000), 5000);
    assert_int_equal(SYS(write, ends[1], BUFFER, 10000), 10000);
    assert_int_equal(SYS(fcntl, ends[0], F_SETPIPE_SZ, 4096), -EBUSY);
    assert_int_equal(SYS(fcntl, ends[0], F_SETPIPE_SZ, 15001), 16384);
    assert_int_equal(SYS(fcntl, ends[0], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    assert_int_equal(SYS(fcntl, ends[0], F_SETPIPE_SZ, (1 << 20) + 1), 2 << 20);
    assert_int_equal(SYS(read, ends[0], BUFFER + 20000, 20000), 15000);
    assert_memory_equal(user_at(BUFFER + 20000), buffer + 5000, 5000);
    assert_memory_equal(user_at(BUFFER + 25000), buffer, 10000);
}

static void test_poll(void **state)
{
    struct pollfd  fds[3] = { { (int)ends[0], POLLIN, 0 }, { (int)ends[1], POLLOUT, 0 },
                              { 77, POLLIN, 0 } };
    uint64_t       at = user_put(fds, sizeof fds);
    struct pollfd *result = user_at(at);
    const uint64_t arg[6] = { at, 1, 50 };

    (void)state;
    assert_int_equal(SYS(poll, at, 3, 0), 2);
    assert_int_equal(result[0].revents, 0);
    assert_int_equal(result[1].revents, POLLOUT);
    assert_int_equal(result[2].revents, POLLNVAL);
    assert_int_equal(SYS(poll, at, 1, 0), 0);
    assert_int_equal(SYS(poll, at, 5000, 0), -EINVAL);
    host_clock_set(1000 * MS);
    assert_int_equal(sys_on(SLOT, __NR_poll, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_write, (uint64_t[6]){ ends[1], S("x"), 1 }), 1);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_poll, CALL_RETRY, arg), 1);
    assert_int_equal(result[0].revents, POLLIN);
    assert_string_equal(do_read((int64_t)ends[0], 10), "x");
    assert_int_equal(sys_on(SLOT, __NR_poll, arg), PENDING);
    host_clock_set(1049 * MS);
    assert_int_equal(sys_again(SLOT, __NR_poll, CALL_RETRY, arg), PENDING); /* woken for nothing */
    host_clock_set(1050 * MS);
    assert_int_equal(sys_again(SLOT, __NR_poll, CALL_TIMED_OUT, arg), 0);
    assert_int_equal(SYS(close, ends[1]), 0);
    assert_int_equal(SYS(poll, at, 1, UINT64_MAX), 1);
    assert_int_equal(result[0].revents, POLLHUP);
}

static void test_select(void **state)
{
    uint64_t readable[16] = { 1ull << ends[0] }, writable[16] = { 1ull << ends[1] };
    struct __kernel_old_timeval timeout = { 0, 1000 };
    uint64_t r = user_put(readable, sizeof readable), w = user_put(writable, sizeof writable);
    uint64_t       t = user_put(&timeout, sizeof timeout);
    const uint64_t arg[6] = { 10, r, 0, 0, t };

    (void)state;
    assert_int_equal(SYS(select, 10, r, w, 0, t), 1);
    assert_int_equal(*(uint64_t *)user_at(r), 0);
    assert_int_equal(*(uint64_t *)user_at(w), 1ull << ends[1]);
    *(uint64_t *)user_at(r) = 1ull << ends[0];
    host_clock_set(5 * MS);
    assert_int_equal(sys_on(SLOT, __NR_select, arg), PENDING);
    assert_int_equal(do_write((int64_t)ends[1], "x"), 1);
    assert_int_equal(SYS(select, 10, r, 0, 0, t), 1);
    *(uint64_t *)user_at(r) = 1ull << 20;
    assert_int_equal(SYS(select, 64, r, 0, 0, t), -EBADF);
    assert_int_equal(SYS(select, 20, r, 0, 0, t), PENDING); /* 20 is not looked at */
    assert_int_equal(SYS(select, UINT32_MAX, r, 0, 0, t), -EINVAL);
    assert_int_equal(SYS(pselect6, 64, 0, 0, 0, 0, 0), PENDING);
}

static void test_fifo(void **state)
{
    const uint64_t reader[6] = { S("/fifo"), O_RDONLY };

    (void)state;
    assert_int_equal(SYS(mknod, S("/fifo"), S_IFIFO | 0666, 0), 0);
    assert_int_equal(do_open("/fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
    assert_int_equal(sys_on(SLOT, __NR_open, reader), PENDING);
    assert_int_equal(sys_again(SLOT, __NR_open, CALL_INTERRUPTED, reader), -CALL_RESTARTS);
    assert_int_equal(sys_on(SLOT, __NR_open, reader), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_open, (uint64_t[6]){ S("/fifo"), O_WRONLY }), 5);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_on(OTHER, __NR_write, (uint64_t[6]){ 5, S("abc"), 3 }), 3);
    assert_int_equal(sys_on(OTHER, __NR_close, (uint64_t[6]){ 5 }), 0);
    assert_int_equal(sys_again(SLOT, __NR_open, CALL_RETRY, reader), 5);
    assert_string_equal(do_read(5, 10), "abc");
    assert_string_equal(do_read(5, 10), "");
    assert_int_equal(do_open("/fifo", O_RDWR), 6);
    assert_int_equal(do_open("/fifo", O_RDONLY | O_NONBLOCK), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_simple, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_ends, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_blocking_read, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_closed_while_waiting, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_blocking_write, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_atomic_writes, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_capacity, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_poll, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_select, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_fifo, setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
