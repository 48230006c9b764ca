/*
 * The file server over real IPC, with the console driver below it but without
 * router, proc and mem.
 */
#include "linux_thread.h"
#include "native_test.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <gen/common_client.h>
#include <gen/vfs_client.h>
#include <lib/native/runtime.h>
#include <linux/stat.h>
#include <string.h>

enum { SLOT = 9, OTHER_SLOT = 10, PID = 1, OTHER_PID = 2, STDIO_NO_TTY = 0 };
#define NOWHERE 0x123456789000ull

static struct linux_thread thread;
static char buffer[8192];

static int64_t open_at(const char *path, int flags)
{
    return linux_call(&thread, __NR_openat, (uint64_t)AT_FDCWD, linux_ptr(path), (uint64_t)flags,
                      0644);
}

static int64_t close_fd(int64_t fd)
{
    return linux_call(&thread, __NR_close, (uint64_t)fd);
}

static int64_t read_fd(int64_t fd, size_t bytes)
{
    memset(buffer, 0, sizeof buffer);
    return linux_call(&thread, __NR_read, (uint64_t)fd, linux_ptr(buffer), bytes);
}

/* ---- the tests, in the order in which they run -------------------------------------- */

static const char *process_can_be_made(void)
{
    EXPECT(linux_thread_open(&thread, "vfs", SLOT));
    EXPECT(vfs_process_create(&thread.all, PID, 0, STDIO_NO_TTY, own_pd) == 0);
    EXPECT(common_slot_bind(&thread.all, SLOT, PID, PID) == 0);
    return NULL;
}

static const char *file_of_the_archive_can_be_read(void)
{
    int64_t fd = open_at("/etc/passwd", O_RDONLY);

    EXPECT(fd == 3);
    EXPECT(read_fd(fd, 5) == 5);
    EXPECT(strcmp(buffer, "root:") == 0);
    EXPECT(read_fd(fd, sizeof buffer) > 0);
    EXPECT(read_fd(fd, sizeof buffer) == 0);
    EXPECT(close_fd(fd) == 0);
    EXPECT(close_fd(fd) == -EBADF);
    return NULL;
}

static const char *missing_names_are_refused(void)
{
    static char long_name[300];

    memset(long_name, 'n', sizeof long_name - 1);
    EXPECT(open_at("/no/such/file", O_RDONLY) == -ENOENT);
    EXPECT(open_at("/etc/passwd/x", O_RDONLY) == -ENOTDIR);
    EXPECT(open_at("", O_RDONLY) == -ENOENT);
    EXPECT(open_at(long_name, O_RDONLY) == -ENAMETOOLONG);
    EXPECT(open_at("/etc", O_WRONLY) == -EISDIR);
    return NULL;
}

static const char *new_file_keeps_what_is_written(void)
{
    static const char text[] = "some text";
    int64_t fd = open_at("/tmp/file", O_RDWR | O_CREAT | O_EXCL);

    EXPECT(fd >= 0);
    EXPECT(linux_call(&thread, __NR_write, (uint64_t)fd, linux_ptr(text), 9) == 9);
    EXPECT(linux_call(&thread, __NR_lseek, (uint64_t)fd, 5000, SEEK_SET) == 5000);
    EXPECT(linux_call(&thread, __NR_write, (uint64_t)fd, linux_ptr(text), 9) == 9);
    EXPECT(linux_call(&thread, __NR_lseek, (uint64_t)fd, 0, SEEK_SET) == 0);
    EXPECT(read_fd(fd, sizeof buffer) == 5009);
    EXPECT(memcmp(buffer, text, 9) == 0 && memcmp(buffer + 5000, text, 9) == 0);
    EXPECT(buffer[9] == 0 && buffer[4999] == 0);
    EXPECT(close_fd(fd) == 0);
    EXPECT(open_at("/tmp/file", O_RDWR | O_CREAT | O_EXCL) == -EEXIST);
    EXPECT(linux_call(&thread, __NR_unlink, linux_ptr("/tmp/file")) == 0);
    EXPECT(open_at("/tmp/file", O_RDONLY) == -ENOENT);
    return NULL;
}

static const char *file_of_the_archive_can_be_changed(void)
{
    int64_t fd = open_at("/etc/hostname", O_RDWR);

    EXPECT(fd >= 0);
    EXPECT(linux_call(&thread, __NR_pwrite64, (uint64_t)fd, linux_ptr("X"), 1, 0) == 1);
    EXPECT(read_fd(fd, sizeof buffer) > 1);
    EXPECT(buffer[0] == 'X' && buffer[1] == 'o');
    EXPECT(close_fd(fd) == 0);
    return NULL;
}

static const char *wild_buffer_is_efault(void)
{
    int64_t fd = open_at("/dev/zero", O_RDONLY), result;
    const uint64_t arg[6] = { (uint64_t)fd, NOWHERE, 16 };
    int answer = linux_thread_try(&thread, __NR_read, CALL_FIRST, arg, &result);

    EXPECT(fd >= 0);
    /* It may ask for less, once it knows that the whole can't be had. */
    for (int i = 0; i < 2 && answer == ANSWER_FAULT_IN; i++) {
        EXPECT(thread.word[1] == NOWHERE);
        answer = linux_thread_try(&thread, __NR_read, CALL_FAULTED, arg, &result);
    }
    EXPECT(answer == ANSWER_DONE && result == -EFAULT);
    EXPECT(close_fd(fd) == 0);
    return NULL;
}

static const char *pipe_waits_and_wakes(void)
{
    static int ends[2];
    int64_t result;

    EXPECT(linux_call(&thread, __NR_pipe, linux_ptr(ends)) == 0);
    const uint64_t arg[6] = { (uint64_t)ends[0], linux_ptr(buffer), 4 };
    EXPECT(linux_thread_try(&thread, __NR_read, CALL_FIRST, arg, &result) == ANSWER_PENDING);
    EXPECT(linux_thread_try(&thread, __NR_read, CALL_INTERRUPTED, arg, &result) == ANSWER_DONE);
    EXPECT(result == -CALL_RESTARTS); /* the router decides: signal(7) */
    EXPECT(linux_call(&thread, __NR_write, (uint64_t)ends[1], linux_ptr("word"), 4) == 4);
    EXPECT(read_fd(ends[0], 4) == 4 && memcmp(buffer, "word", 4) == 0);
    EXPECT(close_fd(ends[1]) == 0);
    EXPECT(read_fd(ends[0], 4) == 0);
    EXPECT(close_fd(ends[0]) == 0);
    return NULL;
}

static const char *program_files_can_be_opened_by_reference(void)
{
    uint64_t file, file_bytes;
    uint32_t mode, uid, gid;
    size_t bytes = 3072;

    EXPECT(vfs_exec_open(&thread.all, PID, AT_FDCWD, 0, "/bin/hello", &file, &file_bytes, &mode,
                         &uid, &gid) == 0);
    EXPECT(file_bytes > 4096 && (mode & 0111) == 0111);
    EXPECT(vfs_file_read(&thread.all, file, 0, buffer, &bytes) >= 0);
    EXPECT(bytes >= 64 && memcmp(buffer, "\177ELF", 4) == 0);
    EXPECT(vfs_file_release(&thread.all, file) == 0);
    EXPECT(vfs_exec_open(&thread.all, PID, AT_FDCWD, 0, "/etc/passwd", &file, &file_bytes, &mode,
                         &uid, &gid) == -EACCES);
    EXPECT(vfs_exec_open(&thread.all, PID, AT_FDCWD, 0, "/nothing", &file, &file_bytes, &mode,
                         &uid, &gid) == -ENOENT);
    return NULL;
}

/* A process with open files, and what it leaves behind. */
static const char *come_and_go(void)
{
    struct linux_thread other;

    EXPECT(linux_thread_open(&other, "vfs", OTHER_SLOT));
    EXPECT(vfs_process_create(&other.all, OTHER_PID, 0, STDIO_NO_TTY, own_pd) == 0);
    EXPECT(common_slot_bind(&other.all, OTHER_SLOT, OTHER_PID, OTHER_PID) == 0);
    for (int i = 0; i < 20; i++)
        EXPECT(linux_call(&other, __NR_openat, (uint64_t)AT_FDCWD, linux_ptr("/etc/passwd"),
                          O_RDONLY, 0) == 3 + i);
    EXPECT(common_slot_bind(&other.all, OTHER_SLOT, 0, 0) == 0);
    EXPECT(vfs_process_exit(&other.all, OTHER_PID) == 0);
    EXPECT(linux_thread_close(&other));
    return NULL;
}

static const char *end_of_a_process_frees_all(void)
{
    uint64_t frames[2], heap[2], objects[2];
    const char *wrong = come_and_go(); /* what is allocated once is there now */

    for (int i = 0; i < 2 && !wrong; i++) {
        EXPECT(common_usage(&thread.all, &frames[i], &heap[i], &objects[i]) == 0);
        if (i == 0)
            wrong = come_and_go();
    }
    if (wrong)
        return wrong;
    EXPECT(frames[0] == frames[1]);
    EXPECT(heap[0] == heap[1]);
    EXPECT(objects[0] == objects[1]);
    return NULL;
}

int native_main(const struct startup *startup)
{
    static const struct native_test tests[] = {
        NATIVE_TEST(process_can_be_made),
        NATIVE_TEST(file_of_the_archive_can_be_read),
        NATIVE_TEST(missing_names_are_refused),
        NATIVE_TEST(new_file_keeps_what_is_written),
        NATIVE_TEST(file_of_the_archive_can_be_changed),
        NATIVE_TEST(wild_buffer_is_efault),
        NATIVE_TEST(pipe_waits_and_wakes),
        NATIVE_TEST(program_files_can_be_opened_by_reference),
        NATIVE_TEST(end_of_a_process_frees_all),
    };

    (void)startup;
    native_tests_run(tests, sizeof tests / sizeof tests[0]);
}
