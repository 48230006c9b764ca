/*
 * Callers that mean harm: wild pointers in every argument of every call, random calls, memory
 * that runs out at any time. The server must answer, and be in order afterwards.
 */
#include "vfs_env.h"

#include <gen/linux_calls_vfs.h>
#include <servers/vfs/file.h>
#include <stdlib.h>

#define CALL_COUNT (sizeof linux_calls_vfs / sizeof linux_calls_vfs[0])

static const uint64_t wild[] = {
    0, 1, WILD, WILD + 4095, READ_ONLY, USER_BASE + USER_BYTES - 1, 0x7ffffffff000,
    0x7fffffffffff, 0x800000000000, 0xffff800000000000, UINT64_MAX - 4095, UINT64_MAX,
};

/* Descriptors 3 to 9 of many kinds. */
static void open_all_kinds(void)
{
    env.discard = true;
    assert_int_equal(make_file("/f", "content"), 0);
    assert_int_equal(do_open("/f", O_RDWR), 3);
    assert_int_equal(do_open("/tmp", O_RDONLY), 4);
    assert_int_equal(SYS(pipe2, BUFFER, O_NONBLOCK), 0);
    assert_int_equal(do_open("/dev/tty", O_RDWR | O_NONBLOCK), 7);
    assert_int_equal(do_open("/dev/zero", O_RDWR), 8);
    assert_int_equal(do_open("/f", O_PATH), 9);
}

static bool is_answer(int64_t answer) { return answer >= -4095 || answer == PENDING; }

static void cancel(unsigned nr, int64_t answer, const uint64_t arg[6])
{
    if (answer == PENDING)
        assert_true(is_answer(sys_again(SLOT, nr, CALL_INTERRUPTED, arg)));
}

static void test_wild_pointers(void **state)
{
    (void)state;
    open_all_kinds();
    for (unsigned nr = 0; nr < CALL_COUNT; nr++) {
        if (!linux_calls_vfs[nr].handle || nr == __NR_close || nr == __NR_close_range)
            continue;
        for (uint64_t fd = 3; fd < 10; fd++) {
            for (unsigned position = 0; position < 6; position++) {
                for (unsigned i = 0; i < sizeof wild / sizeof wild[0]; i++) {
                    uint64_t arg[6] = { fd, BUFFER, 16, BUFFER + 4096, BUFFER + 8192, 0 };
                    int64_t  answer;

                    arg[position] = wild[i];
                    answer = sys_on(SLOT, nr, arg);
                    assert_true(is_answer(answer));
                    cancel(nr, answer, arg);
                }
            }
        }
        (void)SYS(close_range, 10, UINT32_MAX, 0);
        (void)SYS(ftruncate, 3, 7);
    }
}

/* Every pointer that is read or written answers EFAULT. */
static void test_faults(void **state)
{
    static const struct {
        unsigned nr, position;
        uint64_t arg[6];
    } cases[] = {
        { __NR_read, 1, { 8, 0, 10 } },
        { __NR_write, 1, { 3, 0, 10 } },
        { __NR_pread64, 1, { 3, 0, 5, 0 } },
        { __NR_readv, 1, { 3, 0, 1 } },
        { __NR_open, 0, { 0, 0 } },
        { __NR_openat, 1, { CWD, 0, 0 } },
        { __NR_stat, 0, { 0, BUFFER } },
        { __NR_fstat, 1, { 3, 0 } },
        { __NR_newfstatat, 1, { CWD, 0, BUFFER, 0 } },
        { __NR_statx, 1, { CWD, 0, 0, 0, BUFFER } },
        { __NR_poll, 0, { 0, 1, 0 } },
        { __NR_select, 1, { 10, 0 } },
        { __NR_getcwd, 0, { 0, 100 } },
        { __NR_getdents64, 1, { 4, 0, 1000 } },
        { __NR_pipe, 0, { 0 } },
        { __NR_fcntl, 2, { 3, F_SETLK, 0 } },
        { __NR_utimensat, 2, { CWD, 0, 0, 0 } },
        { __NR_symlink, 0, { 0, 0 } },
        { __NR_sendfile, 2, { 8, 3, 0, 10 } },
        { __NR_fstatfs, 1, { 3, 0 } },
        { __NR_ioctl, 2, { 7, 0x5401, 0 } },
    };

    (void)state;
    open_all_kinds();
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t arg[6];

        memcpy(arg, cases[i].arg, sizeof arg);
        arg[cases[i].position] = WILD;
        assert_int_equal(sys_on(SLOT, cases[i].nr, arg), -EFAULT);
        arg[cases[i].position] = UINT64_MAX - 10;
        assert_int_equal(sys_on(SLOT, cases[i].nr, arg), -EFAULT);
    }
}

/* ---- random calls ------------------------------------------------------------------------- */

static const char *const paths[] = {
    "/f", "/tmp", "/tmp/a", "/tmp/b", "/tmp/a/x", "/tmp/b/y", "/tmp/../tmp/a", "/dev/null",
    "/dev/tty", "/link", "/tmp/a/link", "/fifo", "", "/", ".", "..", "/tmp/a/", "/f/x",
};

static uint64_t random_argument(void)
{
    static const uint64_t sizes[] = { 0, 1, 7, 16, 4096, 5000, 70000, 1ull << 31, 1ull << 40 };

    switch (rand() % 8) {
    case 0: return wild[(unsigned)rand() % (sizeof wild / sizeof wild[0])];
    case 1:
    case 2: return S(paths[(unsigned)rand() % (sizeof paths / sizeof paths[0])]);
    case 3: return (uint64_t)(rand() % 20);
    case 4: return sizes[(unsigned)rand() % (sizeof sizes / sizeof sizes[0])];
    case 5: return BUFFER + (unsigned)rand() % 100000;
    case 6: return CWD;
    default: return 1ull << rand() % 32;
    }
}

static void random_calls(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned nr = (unsigned)rand() % CALL_COUNT;
        uint64_t arg[6];
        int64_t  answer;

        if (!linux_calls_vfs[nr].handle || nr == __NR_chroot)
            continue;
        for (unsigned a = 0; a < 6; a++)
            arg[a] = random_argument();
        if (nr == __NR_fallocate) /* takes real memory */
            arg[3] %= 1 << 20;
        answer = sys_on(SLOT, nr, arg);
        assert_true(is_answer(answer));
        cancel(nr, answer, arg);
        if (i % 500 == 0)
            (void)SYS(close_range, 0, UINT32_MAX, 0);
        if (i % 50 == 0)
            (void)do_open(paths[(unsigned)rand() % 10], O_RDWR | O_CREAT | O_NONBLOCK);
    }
}

static void test_random_calls(void **state)
{
    (void)state;
    srand(7);
    open_all_kinds();
    random_calls(200000);
}

static void test_random_calls_without_frames(void **state)
{
    (void)state;
    srand(8);
    open_all_kinds();
    for (unsigned round = 0; round < 200; round++) {
        host_frames_limit((unsigned)rand() % 64);
        random_calls(200);
    }
    host_frames_limit(UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wild_pointers, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_faults, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_random_calls, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_random_calls_without_frames, env_setup_terminal,
                                        env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
