/*
 * The decoder of Linux calls.
 */
#include "cmocka_all.h"

#include <asm/poll.h>
#include <asm/stat.h>
#include <asm/unistd_64.h>
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/uio.h>
#include <personality/linux/trace.h>
#include <string.h>

/* The program's memory: addresses from 0x1000 on. */
static _Alignas(8) unsigned char memory[0x1000];

static size_t read_memory(void *context, void *to, uint64_t address, size_t bytes)
{
    (void)context;
    if (address < 0x1000 || address >= 0x2000)
        return 0;
    bytes = bytes < 0x2000 - address ? bytes : 0x2000 - address;
    memcpy(to, &memory[address - 0x1000], bytes);
    return bytes;
}

static uint64_t put(uint64_t address, const void *from, size_t bytes)
{
    memcpy(&memory[address - 0x1000], from, bytes);
    return address;
}

static uint64_t put_string(uint64_t address, const char *string)
{
    return put(address, string, strlen(string) + 1);
}

#define check(nr, result, expected, ...)                                                          \
    do {                                                                                          \
        const uint64_t arg[6] = { __VA_ARGS__ };                                                  \
        char           out[512];                                                                  \
        size_t length = trace_format(out, sizeof out, nr, arg, result, read_memory, NULL);        \
        assert_string_equal(out, expected);                                                       \
        assert_int_equal(length, strlen(out));                                                    \
    } while (0)

static void numbers_and_results(void **state)
{
    (void)state;
    check(__NR_getpid, 17, "getpid() = 17", 0);
    check(__NR_close, -EBADF, "close(-1) = -1 EBADF", (uint32_t)-1);
    check(__NR_brk, 0x5000, "brk(0) = 0x5000", 0);
    check(__NR_exit_group, 0, "exit_group(3) = ?", 3);
    check(__NR_lseek, 5, "lseek(3, -5, SEEK_END) = 5", 3, (uint64_t)-5, 2);
    check(__NR_umask, 18, "umask(077) = 18", 077);
    check(__NR_kill, -ESRCH, "kill(-4, SIGTERM) = -1 ESRCH", (uint32_t)-4, 15);
    check(__NR_getppid, -4095, "getppid() = -4095", 0);
}

static void unknown_calls(void **state)
{
    (void)state;
    check(400, -ENOSYS, "syscall_0x190(0x1, 0x2, 0x3, 0x4, 0x5, 0) = -1 ENOSYS", 1, 2, 3, 4, 5, 0);
    check(0xffffffff, -ENOSYS, "syscall_0xffffffff(0, 0, 0, 0, 0, 0) = -1 ENOSYS", 0);
}

static void strings_are_escaped_and_cut(void **state)
{
    uint64_t path = put_string(0x1100, "a\"b\\c\n\t\x01\x7f");
    uint64_t just = put_string(0x1200, "0123456789abcdef0123456789abcdef");
    uint64_t longer = put_string(0x1300, "0123456789abcdef0123456789abcdefg");

    (void)state;
    check(__NR_chdir, 0, "chdir(\"a\\\"b\\\\c\\n\\t\\1\\177\") = 0", path);
    check(__NR_chdir, 0, "chdir(\"0123456789abcdef0123456789abcdef\") = 0", just);
    check(__NR_chdir, 0, "chdir(\"0123456789abcdef0123456789abcdef\"...) = 0", longer);
    check(__NR_chdir, -EFAULT, "chdir(NULL) = -1 EFAULT", 0);
    check(__NR_chdir, -EFAULT, "chdir(0x9000) = -1 EFAULT", 0x9000);
    memset(memory, 'x', sizeof memory);
    check(__NR_chdir, -EFAULT, "chdir(0x1ffe) = -1 EFAULT", 0x1ffe); /* no end */
    put(0x1100, "\0001", 3);
    check(__NR_write, 3, "write(1, \"\\0001\\0\", 3) = 3", 1, 0x1100, 3);
}

static void flags(void **state)
{
    uint64_t path = put_string(0x1100, "/x");

    (void)state;
    check(__NR_openat, 3, "openat(AT_FDCWD, \"/x\", O_RDONLY|O_CLOEXEC) = 3", (uint32_t)AT_FDCWD, path,
          02000000, 0);
    check(__NR_openat, -EISDIR, "openat(5, \"/x\", O_RDWR|O_CREAT|O_TRUNC, 0644) = -1 EISDIR", 5, path,
          01102, 0644);
    check(__NR_open, 3, "open(\"/x\", O_WRONLY|O_SYNC|0x40000000) = 3", path, 04010001 | 0x40000000, 0);
    check(__NR_mmap, 0x7000,
          "mmap(0, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7000", 0, 4096, 3,
          0x22, (uint64_t)-1, 0);
    check(__NR_mprotect, 0, "mprotect(0x7000, 4096, PROT_NONE) = 0", 0x7000, 4096, 0);
    check(__NR_ioctl, -ENOTTY, "ioctl(1, TIOCGWINSZ, 0x7000) = -1 ENOTTY", 1, 0x5413, 0x7000);
    check(__NR_ioctl, -ENOTTY, "ioctl(1, 0x1234, 0) = -1 ENOTTY", 1, 0x1234, 0);
    check(__NR_access, 0, "access(\"/x\", R_OK|X_OK) = 0", path, 5);
    check(__NR_access, 0, "access(\"/x\", F_OK) = 0", path, 0);
    check(__NR_wait4, -ENOSYS, "wait4(-1, NULL, 0, NULL) = -1 ENOSYS", (uint32_t)-1, 0, 0, 0);
}

static void buffers(void **state)
{
    (void)state;
    put(0x1100, "hello\n", 6);
    check(__NR_read, 6, "read(0, \"hello\\n\", 1024) = 6", 0, 0x1100, 1024);
    check(__NR_read, 0, "read(0, \"\", 1024) = 0", 0, 0x1100, 1024);
    check(__NR_read, -EIO, "read(0, 0x1100, 1024) = -1 EIO", 0, 0x1100, 1024);
    check(__NR_write, 2, "write(1, \"hello\\n\", 6) = 2", 1, 0x1100, 6);
    check(__NR_write, -EFAULT, "write(1, 0x3000, 6) = -1 EFAULT", 1, 0x3000, 6);
    check(__NR_write, -EFAULT, "write(1, 0x1ff0, 18446744073709551615) = -1 EFAULT", 1, 0x1ff0, UINT64_MAX);
}

static void vectors(void **state)
{
    struct iovec iov[2] = { { (void *)0x1100, 3 }, { (void *)0x1110, 4 } };
    uint64_t     at = put(0x1200, iov, sizeof iov);

    (void)state;
    put(0x1100, "abc", 3);
    put(0x1110, "defg", 4);
    check(__NR_writev, 7,
          "writev(1, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"defg\", iov_len=4}], 2) = 7", 1, at, 2);
    check(__NR_readv, 5,
          "readv(1, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"de\", iov_len=4}], 2) = 5", 1, at, 2);
    check(__NR_writev, -EFAULT, "writev(1, [...], 2) = -1 EFAULT", 1, 0x3000, 2);
    check(__NR_writev, -EFAULT, "writev(1, [...], 18446744073709551615) = -1 EFAULT", 1, 0x3000, UINT64_MAX);
}

static void program_arguments(void **state)
{
    uint64_t argv[3] = { put_string(0x1100, "ls"), put_string(0x1110, "-l"), 0 };
    uint64_t path = put_string(0x1120, "/bin/ls"), at = put(0x1200, argv, sizeof argv);

    (void)state;
    check(__NR_execve, 0, "execve(\"/bin/ls\", [\"ls\", \"-l\"], 0x1208 /* 1 var */) = 0", path, at, at + 8);
    check(__NR_execve, -EFAULT, "execve(\"/bin/ls\", 0x3000, NULL) = -1 EFAULT", path, 0x3000, 0);
}

static void structures(void **state)
{
    struct stat   stat = { .st_mode = 0100644, .st_size = 99 };
    int64_t       time[2] = { 5, 600 };
    uint64_t      limit[2] = { 8192, UINT64_MAX };
    uint64_t      set = 1ull << 1 | 1ull << 13 | 1ull << 33;
    uint64_t      action[4] = { 0x4000, 0x14000000, 0x4100, 0 };
    int           fds[2] = { 3, 4 };
    struct pollfd poll = { .fd = 6, .events = POLLIN | POLLOUT, .revents = POLLIN };

    (void)state;
    put(0x1100, &stat, sizeof stat);
    check(__NR_fstat, 0, "fstat(1, {st_mode=S_IFREG|0644, st_size=99, ...}) = 0", 1, 0x1100);
    check(__NR_fstat, -EBADF, "fstat(1, 0x1100) = -1 EBADF", 1, 0x1100);
    put(0x1100, time, sizeof time);
    check(__NR_nanosleep, 0, "nanosleep({tv_sec=5, tv_nsec=600}, NULL) = 0", 0x1100, 0);
    check(__NR_clock_gettime, 0, "clock_gettime(CLOCK_MONOTONIC, {tv_sec=5, tv_nsec=600}) = 0", 1, 0x1100);
    put(0x1100, limit, sizeof limit);
    check(__NR_prlimit64, 0,
          "prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192, rlim_max=RLIM64_INFINITY}) = 0", 0, 3, 0, 0x1100);
    put(0x1100, &set, sizeof set);
    check(__NR_rt_sigprocmask, 0, "rt_sigprocmask(SIG_SETMASK, [INT ALRM RT_2], NULL, 8) = 0", 2, 0x1100, 0, 8);
    put(0x1100, action, sizeof action);
    check(__NR_rt_sigaction, 0,
          "rt_sigaction(SIGINT, {sa_handler=0x4000, sa_mask=[], sa_flags=SA_RESTART|SA_RESTORER}, NULL, 8) = 0",
          2, 0x1100, 0, 8);
    put(0x1100, fds, sizeof fds);
    check(__NR_pipe2, 0, "pipe2([3, 4], 0) = 0", 0x1100, 0);
    put(0x1100, &poll, sizeof poll);
    check(__NR_poll, 1, "poll([{fd=6, events=POLLIN|POLLOUT, revents=POLLIN}], 1, -1) = 1", 0x1100, 1,
          (uint32_t)-1);
}

static void output_is_cut(void **state)
{
    const uint64_t arg[6] = { 1, 2, 3 };
    char           whole[100], cut[100];
    size_t         length = trace_format(whole, sizeof whole, __NR_lseek, arg, 9, NULL, NULL);

    (void)state;
    for (size_t max = 0; max <= length + 1; max++) {
        size_t expected = max == 0 ? 0 : max - 1 < length ? max - 1 : length;

        memset(cut, '#', sizeof cut);
        assert_int_equal(trace_format(cut, max, __NR_lseek, arg, 9, NULL, NULL), expected);
        assert_memory_equal(cut, whole, expected);
        assert_true(max == 0 || cut[expected] == 0);
        assert_int_equal(cut[max], '#');
    }
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(trace_errno_name(ENOENT), "ENOENT");
    assert_string_equal(trace_errno_name(EHWPOISON), "EHWPOISON");
    assert_null(trace_errno_name(4000));
    assert_string_equal(trace_signal_name(9), "SIGKILL");
    assert_null(trace_signal_name(0));
}

/* Any call with any arguments. */
static void random_calls(void **state)
{
    uint64_t seed = 3, arg[6];
    char     out[300];

    (void)state;
    for (unsigned i = 0; i < sizeof memory; i++)
        memory[i] = (unsigned char)(i % 7 ? 0 : i);
    for (unsigned round = 0; round < 50000; round++) {
        for (unsigned i = 0; i < 6; i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            arg[i] = seed >> 62 ? seed >> (seed >> 58) : 0x1000 + (seed >> 40) % 0x1100;
        }
        trace_format(out, sizeof out, round % 460, arg, (int64_t)(arg[5] % 9000) - 4500, read_memory, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_results),
        cmocka_unit_test(unknown_calls),
        cmocka_unit_test(strings_are_escaped_and_cut),
        cmocka_unit_test(flags),
        cmocka_unit_test(buffers),
        cmocka_unit_test(vectors),
        cmocka_unit_test(program_arguments),
        cmocka_unit_test(structures),
        cmocka_unit_test(output_is_cut),
        cmocka_unit_test(names),
        cmocka_unit_test(random_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
