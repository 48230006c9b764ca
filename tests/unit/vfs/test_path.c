/*
 * Path walk: path_resolution(7), and the errors of open(2), chdir(2), getcwd(2).
 */
#include "vfs_env.h"

#include <gen/vfs_client.h>
#include <stdio.h>

/* The result of looking a path up. */
static int64_t lookup(const char *path) { return SYS(stat, S(path), BUFFER); }

static void test_plain(void **state)
{
    (void)state;
    assert_int_equal(do_mkdir("/a"), 0);
    assert_int_equal(do_mkdir("/a/b"), 0);
    assert_int_equal(make_file("/a/b/f", "text"), 0);
    assert_int_equal(lookup("/a/b/f"), 0);
    assert_int_equal(lookup("///a//b///f"), 0);
    assert_int_equal(lookup("a/./b/../b/f"), 0);
    assert_int_equal(lookup("/../../a"), 0);
    assert_int_equal(lookup("/a/b/"), 0);
    assert_int_equal(lookup(""), -ENOENT);
    assert_int_equal(lookup("/a/x"), -ENOENT);
    assert_int_equal(lookup("/x/b"), -ENOENT);
    assert_int_equal(lookup("/a/b/f/"), -ENOTDIR);
    assert_int_equal(lookup("/a/b/f/."), -ENOTDIR);
    assert_int_equal(lookup("/a/b/f/.."), -ENOTDIR);
    assert_int_equal(lookup("/a/b/f/x"), -ENOTDIR);
}

static void test_length(void **state)
{
    static char path[PATH_MAX + 300];

    (void)state;
    memset(path, 'n', 255);
    assert_int_equal(make_file(path, ""), 0);
    assert_int_equal(lookup(path), 0);
    path[255] = 'n';
    assert_int_equal(lookup(path), -ENAMETOOLONG);
    assert_int_equal(do_open(path, O_CREAT | O_WRONLY), -ENAMETOOLONG);
    for (size_t i = 0; i < sizeof path - 1; i += 2) {
        path[i] = '.';
        path[i + 1] = '/';
    }
    path[sizeof path - 1] = 0;
    assert_int_equal(lookup(path), -ENAMETOOLONG);
    path[PATH_MAX - 2] = 0;
    assert_int_equal(lookup(path), 0);
}

static void test_symlinks(void **state)
{
    (void)state;
    assert_int_equal(do_mkdir("/d"), 0);
    assert_int_equal(make_file("/d/f", "x"), 0);
    assert_int_equal(SYS(symlink, S("d"), S("/to_dir")), 0);
    assert_int_equal(SYS(symlink, S("/d/f"), S("/to_file")), 0);
    assert_int_equal(SYS(symlink, S("../to_dir/../d"), S("/d/around")), 0);
    assert_int_equal(SYS(symlink, S("nowhere"), S("/dangling")), 0);
    assert_int_equal(SYS(symlink, S("d/"), S("/with_slash")), 0);
    assert_int_equal(SYS(symlink, S("/"), S("/to_root")), 0);
    assert_int_equal(SYS(symlink, S(""), S("/empty")), -ENOENT);
    assert_int_equal(lookup("/to_dir/f"), 0);
    assert_int_equal(lookup("/to_file"), 0);
    assert_int_equal(lookup("/to_file/"), -ENOTDIR);
    assert_int_equal(lookup("/d/around/around/around/f"), 0);
    assert_int_equal(lookup("/dangling"), -ENOENT);
    assert_int_equal(lookup("/with_slash/f"), 0);
    assert_int_equal(lookup("/to_root/to_root/d"), 0);
    assert_int_equal(SYS(symlink, S("chain/f"), S("/through")), 0);
    assert_int_equal(SYS(symlink, S("d"), S("/chain")), 0);
    assert_int_equal(lookup("/through"), 0);
    assert_int_equal(lookup("/through/"), -ENOTDIR); /* wanted across the second link */
    assert_int_equal(do_open("/through/", O_CREAT | O_RDWR), -EISDIR);
    assert_int_equal(SYS(readlink, S(""), BUFFER, 10), -ENOENT);
    assert_int_equal(SYS(readlink, S("/"), BUFFER, 10), -EINVAL);
    assert_true(S_ISLNK(do_lstat("/to_dir").st_mode));
    assert_true(S_ISDIR(do_lstat("/to_dir/").st_mode));
    assert_true(S_ISDIR(do_stat("/to_root").st_mode));
    assert_int_equal(do_open("/to_file", O_RDONLY | O_NOFOLLOW), -ELOOP);
    assert_int_equal(do_open("/to_dir", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);
}

static void test_loops(void **state)
{
    char name[16], target[16];

    (void)state;
    assert_int_equal(SYS(symlink, S("self"), S("/self")), 0);
    assert_int_equal(lookup("/self"), -ELOOP);
    assert_int_equal(lookup("/self/x"), -ELOOP);
    assert_int_equal(SYS(symlink, S("b/x"), S("/a")), 0);
    assert_int_equal(SYS(symlink, S("a/y"), S("/b")), 0);
    assert_int_equal(lookup("/a"), -ELOOP);
    /* 40 links are followed, 41 are not. */
    assert_int_equal(make_file("/l0", ""), 0);
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "/l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        assert_int_equal(SYS(symlink, S(target), S(name)), 0);
    }
    assert_int_equal(lookup("/l40"), 0);
    assert_int_equal(lookup("/l41"), -ELOOP);
}

static void test_create_through_links(void **state)
{
    (void)state;
    assert_int_equal(SYS(symlink, S("target"), S("/link")), 0);
    assert_int_equal(do_open("/link", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
    assert_int_equal(make_file("/link", "new"), 0);
    assert_string_equal(file_text("/target"), "new");
    assert_int_equal(do_open("/new/", O_CREAT | O_WRONLY), -EISDIR);
    assert_int_equal(do_open("/tmp", O_CREAT | O_RDONLY), -EISDIR);
    assert_int_equal(do_open("/tmp", O_WRONLY), -EISDIR);
    assert_int_equal(do_open("/target", O_DIRECTORY), -ENOTDIR);
    assert_int_equal(do_mkdir("/link"), -EEXIST);
    assert_int_equal(do_mkdir("/dir/"), 0);
    assert_int_equal(SYS(mknod, S("/node/"), S_IFREG, 0), -ENOENT);
    assert_int_equal(SYS(rmdir, S("/link/")), -ENOTDIR);
    assert_int_equal(SYS(unlink, S("/target/")), -ENOTDIR);
}

static void test_directories_of_process(void **state)
{
    int64_t fd;

    (void)state;
    assert_int_equal(do_mkdir("/a"), 0);
    assert_int_equal(do_mkdir("/a/b"), 0);
    assert_int_equal(SYS(getcwd, BUFFER, 2), 2);
    assert_string_equal(user_at(BUFFER), "/");
    assert_int_equal(SYS(chdir, S("a/b")), 0);
    assert_int_equal(SYS(getcwd, BUFFER, 5), 5);
    assert_string_equal(user_at(BUFFER), "/a/b");
    assert_int_equal(SYS(getcwd, BUFFER, 4), -ERANGE);
    assert_int_equal(make_file("f", "here"), 0);
    assert_string_equal(file_text("/a/b/f"), "here");
    fd = do_open("/a", O_PATH | O_DIRECTORY);
    assert_int_equal(SYS(openat, (uint64_t)fd, S("b/f"), O_RDONLY), 4);
    assert_int_equal(SYS(openat, 99, S("b/f"), O_RDONLY), -EBADF);
    assert_int_equal(SYS(openat, 4, S("b/f"), O_RDONLY), -ENOTDIR);
    assert_int_equal(SYS(openat, 99, S("/a/b/f"), O_RDONLY), 5);
    assert_int_equal(SYS(fchdir, (uint64_t)fd), 0);
    assert_int_equal(SYS(fchdir, 4), -ENOTDIR);
    assert_int_equal(SYS(getcwd, BUFFER, 100), 3);
    assert_int_equal(SYS(chdir, S("b")), 0);
    assert_int_equal(SYS(unlink, S("f")), 0);
    assert_int_equal(SYS(rmdir, S("/a/b")), 0);
    assert_int_equal(SYS(getcwd, BUFFER, 100), -ENOENT);
    assert_int_equal(do_open("new", O_CREAT | O_WRONLY), -ENOENT);
    assert_int_equal(lookup(".."), 0);
    assert_int_equal(SYS(chdir, S("..")), 0);
    assert_int_equal(SYS(getcwd, BUFFER, 100), 3);
}

static void test_chroot(void **state)
{
    (void)state;
    assert_int_equal(do_mkdir("/jail"), 0);
    assert_int_equal(do_mkdir("/jail/in"), 0);
    assert_int_equal(SYS(symlink, S("/in"), S("/jail/link")), 0);
    assert_int_equal(SYS(chroot, S("/jail")), 0);
    assert_int_equal(lookup("/in"), 0);
    assert_int_equal(lookup("/../../in"), 0);
    assert_int_equal(lookup("/link"), 0);
    assert_int_equal(lookup("/jail"), -ENOENT);
    assert_int_equal(SYS(getcwd, BUFFER, 100), -ENOENT);
    assert_int_equal(SYS(chdir, S("/in")), 0);
    assert_int_equal(SYS(getcwd, BUFFER, 100), 4);
    assert_string_equal(user_at(BUFFER), "/in");
}

static void become(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count)
{
    assert_int_equal(vfs_process_credentials(&env.ops, SLOT, uid, gid, groups,
                                             count * sizeof *groups), 0);
}

static void test_permissions(void **state)
{
    uint32_t group = 7;

    (void)state;
    assert_int_equal(do_mkdir("/private"), 0);
    assert_int_equal(make_file("/private/f", ""), 0);
    assert_int_equal(SYS(chmod, S("/private"), 0700), 0);
    assert_int_equal(make_file("/group", ""), 0);
    assert_int_equal(SYS(chown, S("/group"), 0, 7), 0);
    assert_int_equal(SYS(chmod, S("/group"), 0640), 0);
    assert_int_equal(SYS(access, S("/group"), 1), -EACCES); /* no x bit at all, even for root */
    become(1000, 1000, NULL, 0);
    assert_int_equal(lookup("/private/f"), -EACCES);
    assert_int_equal(lookup("/private/missing"), -EACCES);
    assert_int_equal(lookup("/private/."), -EACCES);
    assert_int_equal(do_open("/group", O_RDONLY), -EACCES);
    assert_int_equal(do_open("/new", O_CREAT | O_WRONLY), -EACCES);
    assert_int_equal(make_file("/tmp/mine", ""), 0);
    assert_int_equal(do_stat("/tmp/mine").st_uid, 1000);
    assert_int_equal(SYS(chown, S("/tmp/mine"), 0, UINT32_MAX), -EPERM);
    assert_int_equal(SYS(chmod, S("/group"), 0777), -EPERM);
    become(1000, 1000, &group, 1);
    assert_int_equal(do_open("/group", O_RDONLY), 3);
    assert_int_equal(do_open("/group", O_RDWR), -EACCES);
    become(1001, 1001, NULL, 0); /* the sticky bit of /tmp */
    assert_int_equal(SYS(unlink, S("/tmp/mine")), -EPERM);
    assert_int_equal(SYS(rename, S("/tmp/mine"), S("/tmp/other")), -EPERM);
    assert_int_equal(SYS(utimensat, CWD, S("/tmp/mine"), 0, 0), -EACCES);
    become(1000, 1000, NULL, 0);
    assert_int_equal(SYS(unlink, S("/tmp/mine")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_length, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_symlinks, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_loops, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_create_through_links, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_directories_of_process, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_chroot, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_permissions, env_setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
