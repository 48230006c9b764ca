/*
 * Descriptors: dup(2), fcntl(2), close_range(2), limits, locks; devices; random numbers.
 */
#include "vfs_env.h"

#include <asm/ioctls.h>
#include <linux/close_range.h>
#include <linux/random.h>
#include <servers/vfs/chacha20.h>

static void test_lowest_free(void **state)
{
    (void)state;
    assert_int_equal(make_file("/f", ""), 0);
    assert_int_equal(do_open("/f", O_RDONLY), 3);
    assert_int_equal(do_open("/f", O_RDONLY), 4);
    assert_int_equal(SYS(close, 3), 0);
    assert_int_equal(SYS(close, 3), -EBADF);
    assert_int_equal(SYS(close, UINT64_MAX), -EBADF);
    assert_int_equal(do_open("/f", O_RDONLY), 3);
    assert_int_equal(SYS(dup, 3), 5);
    assert_int_equal(SYS(dup2, 3, 100), 100);
    assert_int_equal(SYS(dup2, 3, 3), 3);
    assert_int_equal(SYS(dup2, 77, 77), -EBADF);
    assert_int_equal(SYS(dup2, 3, 1024), -EBADF);
    assert_int_equal(SYS(dup3, 3, 3, 0), -EINVAL);
    assert_int_equal(SYS(dup3, 3, 4, O_CLOEXEC), 4);
    assert_int_equal(SYS(fcntl, 4, F_GETFD), FD_CLOEXEC);
    assert_int_equal(SYS(dup3, 3, 4, O_APPEND), -EINVAL);
    assert_int_equal(SYS(fcntl, 3, F_DUPFD, 50), 50);
    assert_int_equal(SYS(fcntl, 3, F_DUPFD_CLOEXEC, 50), 51);
    assert_int_equal(SYS(fcntl, 51, F_GETFD), FD_CLOEXEC);
    assert_int_equal(SYS(fcntl, 3, F_DUPFD, 1024), -EINVAL);
    assert_int_equal(SYS(fcntl, 3, F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(SYS(fcntl, 3, F_GETFD), FD_CLOEXEC);
    assert_int_equal(SYS(fcntl, 3, 9999), -EINVAL);
    assert_int_equal(SYS(close_range, 4, UINT32_MAX, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(SYS(fcntl, 100, F_GETFD), FD_CLOEXEC);
    assert_int_equal(SYS(close_range, 4, UINT32_MAX, 0), 0);
    assert_int_equal(SYS(fcntl, 100, F_GETFD), -EBADF);
    assert_int_equal(SYS(close_range, 5, 4, 0), -EINVAL);
}

static void test_limit(void **state)
{
    (void)state;
    assert_int_equal(make_file("/f", ""), 0);
    for (int fd = 3; fd < 1024; fd++)
        assert_int_equal(do_open("/f", O_RDONLY), fd);
    assert_int_equal(do_open("/f", O_RDONLY), -EMFILE);
    assert_int_equal(do_open("/new", O_RDONLY | O_CREAT), -EMFILE);
    assert_int_equal(do_open("/new", O_RDONLY), -ENOENT); /* it was not made */
    assert_int_equal(SYS(dup, 0), -EMFILE);
    assert_int_equal(SYS(close, 700), 0);
    assert_int_equal(SYS(pipe, BUFFER), -EMFILE);
    assert_int_equal(SYS(dup, 0), 700);
}

static void test_shared_position(void **state)
{
    (void)state;
    assert_int_equal(make_file("/f", "0123456789"), 0);
    assert_int_equal(do_open("/f", O_RDONLY), 3);
    assert_int_equal(SYS(dup, 3), 4);
    assert_string_equal(do_read(3, 2), "01");
    assert_string_equal(do_read(4, 2), "23");
    assert_int_equal(do_open("/f", O_RDONLY), 5);
    assert_string_equal(do_read(5, 2), "01");
}

static void test_status_flags(void **state)
{
    (void)state;
    assert_int_equal(do_open("/f", O_CREAT | O_WRONLY | O_CLOEXEC | O_TRUNC), 3);
    assert_int_equal(SYS(fcntl, 3, F_GETFL), O_WRONLY | O_LARGEFILE);
    assert_int_equal(SYS(fcntl, 3, F_SETFL, O_APPEND | O_RDWR), 0);
    assert_int_equal(SYS(fcntl, 3, F_GETFL), O_WRONLY | O_APPEND | O_LARGEFILE);
    assert_int_equal(SYS(read, 3, BUFFER, 1), -EBADF);
    *(int *)user_at(BUFFER) = 1;
    assert_int_equal(SYS(ioctl, 3, FIONBIO, BUFFER), 0);
    assert_int_equal(SYS(fcntl, 3, F_GETFL), O_WRONLY | O_APPEND | O_NONBLOCK | O_LARGEFILE);
    assert_int_equal(do_open("/f", O_PATH), 4);
    assert_int_equal(SYS(read, 4, BUFFER, 1), -EBADF);
    assert_int_equal(SYS(fchmod, 4, 0777), -EBADF);
    assert_int_equal(SYS(fstat, 4, BUFFER), 0);
    assert_int_equal(SYS(fcntl, 4, F_GETFL), O_PATH);
    assert_int_equal(SYS(fcntl, 4, F_SETFL, 0), -EBADF);
}

/* ---- locks -------------------------------------------------------------------------------- */

static int64_t lock(uint64_t fd, unsigned command, short type, int64_t start, int64_t length)
{
    struct flock flock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start,
                           .l_len = length };
    uint64_t     at = user_put(&flock, sizeof flock);
    int64_t      answer = SYS(fcntl, fd, command, at);

    memcpy(user_at(BUFFER), user_at(at), sizeof flock);
    return answer;
}

static void test_range_locks(void **state)
{
    const struct flock *found = user_at(BUFFER);

    (void)state;
    assert_int_equal(do_open("/f", O_CREAT | O_RDWR), 3);
    assert_int_equal(do_open("/f", O_RDWR), 4);
    assert_int_equal(lock(3, F_SETLK, F_WRLCK, 0, 0), 0);
    assert_int_equal(lock(4, F_SETLK, F_WRLCK, 0, 0), 0); /* the same process */
    assert_int_equal(lock(4, F_OFD_SETLK, F_RDLCK, 50, 10), -EAGAIN);
    assert_int_equal(lock(3, F_SETLK, F_UNLCK, 40, 20), 0); /* in the middle */
    assert_int_equal(lock(4, F_OFD_SETLK, F_RDLCK, 50, 10), 0);
    assert_int_equal(lock(4, F_OFD_SETLK, F_RDLCK, 39, 2), -EAGAIN);
    assert_int_equal(lock(4, F_OFD_GETLK, F_RDLCK, 30, 100), 0);
    assert_int_equal(found->l_type, F_WRLCK);
    assert_int_equal(found->l_pid, SLOT);
    assert_int_equal(lock(3, F_GETLK, F_WRLCK, 50, 1), 0);
    assert_int_equal(found->l_type, F_RDLCK);
    assert_int_equal(found->l_start, 50);
    assert_int_equal(found->l_len, 10);
    assert_int_equal(found->l_pid, -1);
    assert_int_equal(lock(4, F_OFD_SETLKW, F_WRLCK, 0, 1), PENDING);
    /* Closing any descriptor of the file drops all of the process's locks. */
    assert_int_equal(sys_on(OTHER, __NR_close, (uint64_t[6]){ 3 }), 0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(lock(4, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
    assert_int_equal(lock(4, F_SETLK, F_WRLCK, -1, 0), -EINVAL);
    assert_int_equal(lock(4, F_SETLK, 77, 0, 0), -EINVAL);
}

static void test_whole_locks(void **state)
{
    enum { LOCK_SHARED = 1, LOCK_EXCLUSIVE = 2, LOCK_NOW = 4, LOCK_NONE = 8 };

    (void)state;
    assert_int_equal(do_open("/f", O_CREAT | O_RDWR), 3);
    assert_int_equal(do_open("/f", O_RDWR), 4);
    assert_int_equal(SYS(flock, 3, LOCK_SHARED), 0);
    assert_int_equal(SYS(flock, 4, LOCK_SHARED), 0);
    assert_int_equal(SYS(flock, 4, LOCK_EXCLUSIVE | LOCK_NOW), -EAGAIN);
    assert_int_equal(SYS(flock, 4, LOCK_EXCLUSIVE), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_flock, (uint64_t[6]){ 3, LOCK_NONE }), 0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(SYS(flock, 4, LOCK_EXCLUSIVE), 0);
    assert_int_equal(SYS(flock, 3, 0), -EINVAL);
}

/* ---- devices, random numbers -------------------------------------------------------------- */

static void test_devices(void **state)
{
    uint8_t *bytes = user_at(BUFFER);

    (void)state;
    assert_int_equal(do_open("/dev/null", O_RDWR), 3);
    assert_int_equal(SYS(write, 3, WILD, 100), 100); /* not even looked at */
    assert_int_equal(SYS(read, 3, BUFFER, 100), 0);
    assert_int_equal(do_open("/dev/zero", O_RDWR), 4);
    memset(bytes, 1, 100000);
    assert_int_equal(SYS(read, 4, BUFFER, 100000), 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(do_open("/dev/full", O_RDWR), 5);
    assert_int_equal(SYS(write, 5, BUFFER, 1), -ENOSPC);
    assert_int_equal(do_open("/dev/urandom", O_RDWR), 6);
    assert_int_equal(SYS(read, 6, BUFFER, 100000), 100000);
    assert_int_equal(SYS(lseek, 6, 100, SEEK_SET), 0);
    assert_int_equal(do_stat("/dev/full").st_mode, S_IFCHR | 0666);
}

static void test_getrandom(void **state)
{
    uint8_t *bytes = user_at(BUFFER);
    unsigned ones = 0;

    (void)state;
    assert_int_equal(SYS(getrandom, BUFFER, 20000, 0), 20000);
    for (unsigned i = 0; i < 20000; i++)
        ones += (unsigned)__builtin_popcount(bytes[i]);
    assert_in_range(ones, 79000, 81000); /* five standard deviations: 1000 */
    assert_memory_not_equal(bytes, bytes + 10000, 10000);
    assert_int_equal(SYS(getrandom, BUFFER, 1, 8), -EINVAL);
    assert_int_equal(SYS(getrandom, BUFFER, 1, GRND_RANDOM | GRND_INSECURE), -EINVAL);
    assert_int_equal(SYS(getrandom, WILD, 1, 0), -EFAULT);
}

/* RFC 8439, 2.3.2. */
static void test_chacha20(void **state)
{
    static const uint8_t expected[CHACHA20_BLOCK_BYTES] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
    };
    const uint32_t nonce[3] = { 0x09000000, 0x4a000000, 0 };
    uint32_t       key[CHACHA20_KEY_WORDS];
    uint8_t        block[CHACHA20_BLOCK_BYTES];

    (void)state;
    for (unsigned i = 0; i < 32; i++)
        ((uint8_t *)key)[i] = (uint8_t)i;
    chacha20_block(block, key, 1, nonce);
    assert_memory_equal(block, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lowest_free, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_limit, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_shared_position, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_status_flags, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_range_locks, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_whole_locks, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_devices, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_getrandom, env_setup, env_teardown),
        cmocka_unit_test(test_chacha20),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
