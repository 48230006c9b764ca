/*
 * The server's own operations: processes, programs, mappings.
 */
#include "vfs_env.h"

#include <gen/common_client.h>
#include <gen/vfs_client.h>
#include <linux/mman.h>

#define CHILD      20u
#define CHILD_SLOT 3u

static void child_create(void)
{
    assert_int_equal(vfs_process_create(&env.ops, CHILD, SLOT, 0, env.space), 0);
    host_slot(&vfs_server, CHILD_SLOT, CHILD, CHILD);
}

static void child_end(void)
{
    assert_int_equal(vfs_process_exit(&env.ops, CHILD), 0);
    assert_int_equal(common_slot_destroy(&env.ops, CHILD_SLOT), 0);
}

static int64_t child(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
    return sys_on(CHILD_SLOT, nr, (uint64_t[6]){ a, b, c });
}

static void test_fork(void **state)
{
    (void)state;
    assert_int_equal(make_file("/f", "0123456789"), 0);
    assert_int_equal(do_mkdir("/d"), 0);
    assert_int_equal(SYS(chdir, S("/d")), 0);
    assert_int_equal(SYS(umask, 077), 022);
    assert_int_equal(do_open("/f", O_RDWR), 3);
    child_create();
    assert_int_equal(child(__NR_read, 3, BUFFER, 4), 4);
    assert_string_equal(do_read(3, 4), "4567"); /* the position is shared */
    assert_int_equal(child(__NR_close, 3, 0, 0), 0);
    assert_string_equal(do_read(3, 4), "89");
    assert_int_equal(child(__NR_getcwd, BUFFER, 10, 0), 3);
    assert_int_equal(child(__NR_umask, 0, 0, 0), 077);
    assert_int_equal(child(__NR_chdir, S("/"), 0, 0), 0);
    assert_int_equal(SYS(getcwd, BUFFER, 10), 3);
    child_end();
}

static void test_process_errors(void **state)
{
    (void)state;
    assert_int_equal(vfs_process_create(&env.ops, 0, 0, 0, env.space), -EINVAL);
    assert_int_equal(vfs_process_create(&env.ops, SLOT, 0, 0, env.space), -EEXIST);
    assert_int_equal(vfs_process_create(&env.ops, 9, 99, 0, env.space), -ESRCH);
    assert_int_equal(vfs_process_exit(&env.ops, 99), -ESRCH);
    assert_int_equal(vfs_process_exec(&env.ops, 99, env.space), -ESRCH);
    assert_int_equal(vfs_process_chdir(&env.ops, SLOT, "/missing"), -ENOENT);
    assert_int_equal(vfs_process_chdir(&env.ops, SLOT, "/dev/null"), -ENOTDIR);
    assert_int_equal(vfs_process_chdir(&env.ops, SLOT, "/tmp"), 0);
    assert_int_equal(vfs_process_credentials(&env.ops, SLOT, 1, 1, "abc", 3), -EINVAL);
    assert_int_equal(common_slot_bind(&env.ops, OTHER, 5, 99), -ESRCH);
}

/* A thread that still calls after its process has ended. */
static void test_calls_after_exit(void **state)
{
    (void)state;
    child_create();
    assert_int_equal(vfs_process_exit(&env.ops, CHILD), 0);
    assert_int_equal(child(__NR_write, 1, BUFFER, 1), -EBADF);
    assert_int_equal(child(__NR_open, S("/dev/null"), 0, 0) < 0, 1);
    assert_int_equal(child(__NR_getcwd, BUFFER, 10, 0) < 0, 1);
    assert_int_equal(child(__NR_dup, 0, 0, 0), -EBADF);
    assert_int_equal(child(__NR_pipe, BUFFER, 0, 0) < 0, 1);
    assert_int_equal(common_slot_destroy(&env.ops, CHILD_SLOT), 0);
}

static void test_exec_closes(void **state)
{
    unsigned caps;

    (void)state;
    assert_int_equal(make_file("/f", ""), 0);
    assert_int_equal(do_open("/f", O_RDONLY | O_CLOEXEC), 3);
    assert_int_equal(do_open("/f", O_RDONLY), 4);
    caps = host_caps_in_use();
    assert_int_equal(vfs_process_exec(&env.ops, SLOT, env.space), 0);
    assert_int_equal(host_caps_in_use(), caps);
    assert_int_equal(SYS(fcntl, 3, F_GETFD), -EBADF);
    assert_int_equal(SYS(fcntl, 4, F_GETFD), 0);
}

/* What exec_open answers for a path. */
static int64_t exec_open(const char *path, uint64_t *file)
{
    uint64_t bytes;
    uint32_t mode, uid, gid;

    return vfs_exec_open(&env.ops, SLOT, AT_FDCWD, 0, path, file, &bytes, &mode, &uid, &gid);
}

static void test_programs(void **state)
{
    uint64_t file, other, bytes;
    uint32_t mode, uid, gid;
    char     data[3072];
    size_t   size = sizeof data;
    int64_t  fd;

    (void)state;
    assert_int_equal(make_file("/prog", "#!/bin/sh\n"), 0);
    assert_int_equal(exec_open("/prog", &file), -EACCES);
    assert_int_equal(exec_open("/tmp", &file), -EACCES);
    assert_int_equal(exec_open("/missing", &file), -ENOENT);
    assert_int_equal(SYS(chmod, S("/prog"), 04755), 0);
    fd = do_open("/prog", O_WRONLY);
    assert_int_equal(exec_open("/prog", &file), -ETXTBSY);
    assert_int_equal(SYS(close, (uint64_t)fd), 0);
    assert_int_equal(vfs_exec_open(&env.ops, SLOT, AT_FDCWD, 0, "/prog", &file, &bytes, &mode,
                                   &uid, &gid), 0);
    assert_int_equal(bytes, 10);
    assert_int_equal(mode, S_IFREG | 04755);
    assert_int_equal(do_open("/prog", O_WRONLY), -ETXTBSY);
    assert_int_equal(SYS(truncate, S("/prog"), 0), -ETXTBSY);
    assert_int_equal(SYS(unlink, S("/prog")), 0);
    assert_int_equal(vfs_file_read(&env.ops, file, 2, data, &size), 0);
    assert_int_equal(size, 8);
    assert_memory_equal(data, "/bin/sh\n", 8);
    assert_int_equal(vfs_file_release(&env.ops, file), 0);
    assert_int_equal(vfs_file_release(&env.ops, file), -EBADF);
    assert_int_equal(vfs_file_read(&env.ops, file, 0, data, &size), -EBADF);
    assert_int_equal(exec_open("/prog", &other), -ENOENT);
}

static void test_mappings(void **state)
{
    uint64_t file, shared, bytes, frames[64], first;
    size_t   size = sizeof frames;
    int64_t  fd = do_open("/f", O_CREAT | O_RDWR);

    (void)state;
    memset(user_at(BUFFER), 'm', 10000);
    assert_int_equal(SYS(write, (uint64_t)fd, BUFFER, 10000), 10000);
    assert_int_equal(vfs_file_map(&env.ops, SLOT, (int)fd, PROT_READ, MAP_PRIVATE, &file, &bytes),
                     0);
    assert_int_equal(bytes, 10000);
    assert_int_equal(vfs_file_pages(&env.ops, file, 0, 64, frames, &size), 3);
    assert_int_equal(size, 24);
    assert_memory_equal((char *)frame_ptr(frames[2]) + 10000 - 8192 - 1, "m\0\0\0", 4);
    size = sizeof frames;
    assert_int_equal(vfs_file_pages(&env.ops, file, 3, 64, frames, &size), 0);
    size = sizeof frames;
    assert_int_equal(vfs_file_pages(&env.ops, file, UINT64_MAX, 64, frames, &size), 0);
    /* A frame that was handed out stays valid when the file loses it. */
    size = sizeof frames;
    assert_int_equal(vfs_file_pages(&env.ops, file, 1, 1, frames, &size), 1);
    first = frames[0];
    assert_int_equal(SYS(ftruncate, (uint64_t)fd, 0), 0);
    assert_int_equal(SYS(pwrite64, (uint64_t)fd, S("new"), 3, 5000), 3);
    assert_int_equal(*(char *)frame_ptr(first), 'm');
    size = sizeof frames;
    assert_int_equal(vfs_file_map(&env.ops, SLOT, (int)fd, PROT_WRITE, MAP_SHARED, &shared, &bytes),
                     0);
    assert_int_equal(vfs_file_pages(&env.ops, shared, 0, 2, frames, &size), 2); /* a hole, data */
    *(char *)frame_ptr(frames[0]) = 'S';
    assert_int_equal(SYS(pread64, (uint64_t)fd, BUFFER, 1, 0), 1);
    assert_int_equal(*(char *)user_at(BUFFER), 'S');
    assert_int_equal(vfs_file_release(&env.ops, file), 0);
    assert_int_equal(vfs_file_release(&env.ops, shared), 0);
    assert_int_equal(SYS(close, (uint64_t)fd), 0);
    fd = do_open("/f", O_RDONLY);
    assert_int_equal(vfs_file_map(&env.ops, SLOT, (int)fd, PROT_WRITE, MAP_SHARED, &file, &bytes),
                     -EACCES);
    assert_int_equal(vfs_file_map(&env.ops, SLOT, 0, PROT_READ, MAP_PRIVATE, &file, &bytes),
                     -ENODEV);
    assert_int_equal(vfs_file_map(&env.ops, SLOT, 99, PROT_READ, MAP_PRIVATE, &file, &bytes),
                     -EBADF);
}

/* What a program makes and leaves behind is gone when it has cleaned up and ended. */
static void test_no_leak(void **state)
{
    uint64_t frames, heap, objects, frames_after, heap_after, objects_after;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(common_usage(&env.ops, &frames, &heap, &objects), 0);
        child_create();
        assert_int_equal(child(__NR_creat, S("/tmp/x"), 0666, 0), 3);
        assert_int_equal(child(__NR_write, 3, BUFFER, 100000), 100000);
        assert_int_equal(child(__NR_pipe, BUFFER, 0, 0), 0);
        assert_int_equal(child(__NR_write, 5, BUFFER, 10000), 10000);
        assert_int_equal(child(__NR_mkdir, S("/tmp/d"), 0777, 0), 0);
        assert_int_equal(child(__NR_chdir, S("/tmp/d"), 0, 0), 0);
        assert_int_equal(child(__NR_read, 0, BUFFER, 1), PENDING);
        assert_int_equal(child(__NR_rmdir, S("/tmp/d"), 0, 0), 0);
        assert_int_equal(child(__NR_unlink, S("/tmp/x"), 0, 0), 0);
        child_end();
        assert_int_equal(common_usage(&env.ops, &frames_after, &heap_after, &objects_after), 0);
        if (round == 0) /* tables that grow once */
            continue;
        assert_int_equal(frames_after, frames);
        assert_int_equal(heap_after, heap);
        assert_int_equal(objects_after, objects);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fork, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_process_errors, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_calls_after_exit, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_exec_closes, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_programs, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_mappings, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_no_leak, env_setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
