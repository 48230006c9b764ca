/*
 * Names: link(2), unlink(2), rmdir(2), rename(2) with all its cases; link counts; times.
 */
#include "vfs_env.h"

#define RENAME2(from, to, flags) SYS(renameat2, CWD, S(from), CWD, S(to), flags)

static void test_hard_links(void **state)
{
    int64_t fd;

    (void)state;
    assert_int_equal(make_file("/a", "text"), 0);
    assert_int_equal(SYS(link, S("/a"), S("/b")), 0);
    assert_int_equal(do_stat("/a").st_nlink, 2);
    assert_int_equal(do_stat("/a").st_ino, do_stat("/b").st_ino);
    assert_int_equal(SYS(link, S("/a"), S("/b")), -EEXIST);
    assert_int_equal(SYS(link, S("/tmp"), S("/c")), -EPERM);
    assert_int_equal(SYS(link, S("/missing"), S("/c")), -ENOENT);
    fd = do_open("/a", O_RDONLY);
    assert_int_equal(SYS(unlink, S("/a")), 0);
    assert_int_equal(SYS(unlink, S("/b")), 0);
    assert_int_equal(SYS(fstat, (uint64_t)fd, BUFFER), 0);
    assert_int_equal(((struct stat *)user_at(BUFFER))->st_nlink, 0);
    assert_string_equal(do_read(fd, 100), "text"); /* it lives while it is open */
    assert_int_equal(SYS(linkat, (uint64_t)fd, S(""), CWD, S("/back"), AT_EMPTY_PATH), -ENOENT);
}

static void test_link_and_symlinks(void **state)
{
    (void)state;
    assert_int_equal(make_file("/f", ""), 0);
    assert_int_equal(SYS(symlink, S("f"), S("/l")), 0);
    assert_int_equal(SYS(linkat, CWD, S("/l"), CWD, S("/same"), 0), 0);
    assert_true(S_ISLNK(do_lstat("/same").st_mode));
    assert_int_equal(SYS(linkat, CWD, S("/l"), CWD, S("/file"), AT_SYMLINK_FOLLOW), 0);
    assert_true(S_ISREG(do_lstat("/file").st_mode));
    assert_int_equal(SYS(readlink, S("/l"), BUFFER, 100), 1);
    assert_int_equal(SYS(readlink, S("/f"), BUFFER, 100), -EINVAL);
    assert_int_equal(SYS(readlink, S("/l"), BUFFER, 0), -EINVAL);
    assert_int_equal(SYS(unlink, S("/l")), 0);
    assert_non_null(file_text("/f"));
}

static void test_nameless_files(void **state)
{
    int64_t fd = do_open("/tmp", O_TMPFILE | O_RDWR);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(do_write(fd, "later"), 5);
    assert_int_equal(SYS(linkat, (uint64_t)fd, S(""), CWD, S("/named"), AT_EMPTY_PATH), 0);
    assert_string_equal(file_text("/named"), "later");
    assert_int_equal(do_open("/tmp", O_TMPFILE | O_RDONLY), -EINVAL);
    assert_int_equal(do_open("/named", O_TMPFILE | O_RDWR), -ENOTDIR);
    fd = do_open("/tmp", O_TMPFILE | O_RDWR | O_EXCL);
    assert_int_equal(SYS(linkat, (uint64_t)fd, S(""), CWD, S("/x"), AT_EMPTY_PATH), -ENOENT);
}

static void test_directories(void **state)
{
    (void)state;
    assert_int_equal(do_mkdir("/d"), 0);
    assert_int_equal(do_stat("/d").st_nlink, 2);
    assert_int_equal(do_mkdir("/d/e"), 0);
    assert_int_equal(do_stat("/d").st_nlink, 3);
    assert_int_equal(SYS(rmdir, S("/d")), -ENOTEMPTY);
    assert_int_equal(SYS(unlink, S("/d")), -EISDIR);
    assert_int_equal(SYS(rmdir, S("/d/.")), -EINVAL);
    assert_int_equal(SYS(rmdir, S("/d/e/..")), -ENOTEMPTY);
    assert_int_equal(SYS(rmdir, S("/")), -EBUSY);
    assert_int_equal(SYS(rmdir, S("/d/e")), 0);
    assert_int_equal(do_stat("/d").st_nlink, 2);
    assert_int_equal(make_file("/d/f", ""), 0);
    assert_int_equal(SYS(rmdir, S("/d/f")), -ENOTDIR);
    assert_int_equal(SYS(unlinkat, CWD, S("/d/f"), 1), -EINVAL);
    assert_int_equal(SYS(unlinkat, CWD, S("/d/f"), 0), 0);
    assert_int_equal(SYS(unlinkat, CWD, S("/d"), AT_REMOVEDIR), 0);
    assert_int_equal(SYS(rmdir, S("/d")), -ENOENT);
}

static void test_rename_files(void **state)
{
    (void)state;
    assert_int_equal(make_file("/a", "A"), 0);
    assert_int_equal(make_file("/b", "B"), 0);
    assert_int_equal(SYS(rename, S("/a"), S("/tmp/c")), 0);
    assert_null(file_text("/a"));
    assert_string_equal(file_text("/tmp/c"), "A");
    assert_int_equal(SYS(rename, S("/tmp/c"), S("/b")), 0); /* replaces */
    assert_string_equal(file_text("/b"), "A");
    assert_int_equal(do_stat("/b").st_nlink, 1);
    assert_int_equal(SYS(rename, S("/missing"), S("/b")), -ENOENT);
    assert_int_equal(SYS(rename, S("/b"), S("/b")), 0);
    assert_int_equal(SYS(rename, S("/b"), S("/tmp")), -EISDIR);
    assert_int_equal(SYS(rename, S("/b"), S("/c/")), -ENOTDIR);
    assert_int_equal(SYS(rename, S("/b/"), S("/c")), -ENOTDIR);
    assert_int_equal(SYS(rename, S("/b"), S("/x/y")), -ENOENT);
    assert_int_equal(SYS(rename, S("/b"), S("/.")), -EBUSY);
    assert_int_equal(SYS(rename, S("/"), S("/x")), -EBUSY);
    assert_int_equal(SYS(link, S("/b"), S("/c")), 0);
    assert_int_equal(SYS(rename, S("/b"), S("/c")), 0); /* the same file: nothing happens */
    assert_int_equal(do_stat("/b").st_nlink, 2);
}

static void test_rename_directories(void **state)
{
    (void)state;
    assert_int_equal(do_mkdir("/p"), 0);
    assert_int_equal(do_mkdir("/q"), 0);
    assert_int_equal(do_mkdir("/p/d"), 0);
    assert_int_equal(make_file("/p/d/f", "x"), 0);
    assert_int_equal(SYS(chdir, S("/p/d")), 0);
    assert_int_equal(SYS(rename, S("/p/d"), S("/q/e/")), 0);
    assert_int_equal(do_stat("/p").st_nlink, 2);
    assert_int_equal(do_stat("/q").st_nlink, 3);
    assert_int_equal(do_stat("/q/e").st_nlink, 2);
    assert_int_equal(SYS(getcwd, BUFFER, 100), 5);
    assert_string_equal(user_at(BUFFER), "/q/e");
    assert_int_equal(do_stat("..").st_ino, do_stat("/q").st_ino);
    assert_int_equal(SYS(rename, S("/q"), S("/q/e/x")), -EINVAL);
    assert_int_equal(SYS(rename, S("/q/e"), S("/q")), -ENOTEMPTY);
    assert_int_equal(SYS(rename, S("/p"), S("/q")), -ENOTEMPTY);
    assert_int_equal(SYS(rename, S("/q"), S("/p")), 0); /* an empty one is replaced */
    assert_int_equal(do_stat("/p").st_nlink, 3);
    assert_string_equal(file_text("/p/e/f"), "x");
    assert_int_equal(SYS(rename, S("/p"), S("/p/e/f")), -EINVAL);
    assert_int_equal(make_file("/file", ""), 0);
    assert_int_equal(SYS(rename, S("/p"), S("/file")), -ENOTDIR);
}

static void test_rename_flags(void **state)
{
    (void)state;
    assert_int_equal(make_file("/a", "A"), 0);
    assert_int_equal(do_mkdir("/d"), 0);
    assert_int_equal(make_file("/d/b", "B"), 0);
    assert_int_equal(RENAME2("/a", "/d/b", RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(RENAME2("/a", "/d/b", RENAME_NOREPLACE | RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(RENAME2("/a", "/d/b", RENAME_WHITEOUT), -EINVAL);
    assert_int_equal(RENAME2("/a", "/missing", RENAME_EXCHANGE), -ENOENT);
    assert_int_equal(RENAME2("/a", "/d/b", RENAME_EXCHANGE), 0);
    assert_string_equal(file_text("/a"), "B");
    assert_string_equal(file_text("/d/b"), "A");
    assert_int_equal(RENAME2("/a", "/d", RENAME_EXCHANGE), 0); /* a file and a directory */
    assert_true(S_ISDIR(do_stat("/a").st_mode));
    assert_string_equal(file_text("/d"), "B");
    assert_int_equal(RENAME2("/a", "/a/b", RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(RENAME2("/a/b", "/a", RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(RENAME2("/a", "/new", RENAME_NOREPLACE), 0);
}

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(SYS(mknod, S("/f"), 0644, 0), 0);
    assert_int_equal(SYS(mknod, S("/c"), S_IFCHR | 0666, 0x103), 0);
    assert_int_equal(SYS(mknod, S("/p"), S_IFIFO | 0666, 0), 0);
    assert_int_equal(SYS(mknod, S("/s"), S_IFSOCK | 0666, 0), 0);
    assert_int_equal(SYS(mknod, S("/d"), S_IFDIR | 0777, 0), -EPERM);
    assert_int_equal(SYS(mknod, S("/x"), 0160000, 0), -EINVAL);
    assert_true(S_ISREG(do_stat("/f").st_mode));
    assert_int_equal(do_stat("/c").st_mode, S_IFCHR | 0644);
    assert_int_equal(do_stat("/c").st_rdev, 0x103);
    assert_int_equal(do_open("/s", O_RDWR), -ENXIO);
    assert_int_equal(SYS(mknod, S("/odd"), S_IFCHR | 0666, 0xfff), 0);
    assert_int_equal(do_open("/odd", O_RDWR), -ENXIO);
    assert_int_equal(SYS(umask, 0), 022);
    assert_int_equal(SYS(mkdir, S("/all"), 07777), 0);
    assert_int_equal(do_stat("/all").st_mode, S_IFDIR | 01777);
}

static void test_set_group_id(void **state)
{
    (void)state;
    assert_int_equal(do_mkdir("/g"), 0);
    assert_int_equal(SYS(chown, S("/g"), 0, 5), 0);
    assert_int_equal(SYS(chmod, S("/g"), 02777), 0);
    assert_int_equal(make_file("/g/f", ""), 0);
    assert_int_equal(do_stat("/g/f").st_gid, 5);
    assert_int_equal(do_mkdir("/g/d"), 0);
    assert_int_equal(do_stat("/g/d").st_mode, S_IFDIR | 02755);
}

static void test_times(void **state)
{
    struct __kernel_timespec times[2] = { { 5, 6 }, { -7, 8 } };
    struct stat              st;

    (void)state;
    host_clock_set(2 * NS_PER_SECOND);
    assert_int_equal(make_file("/f", ""), 0);
    assert_int_equal(do_stat("/f").st_mtim.tv_sec, 1700000002);
    assert_int_equal(SYS(utimensat, CWD, S("/f"), user_put(times, sizeof times), 0), 0);
    st = do_stat("/f");
    assert_int_equal(st.st_atim.tv_sec, 5);
    assert_int_equal(st.st_atim.tv_nsec, 6);
    assert_int_equal(st.st_mtim.tv_sec, -7);
    assert_int_equal(st.st_mtim.tv_nsec, 8);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    host_clock_set(9 * NS_PER_SECOND);
    assert_int_equal(SYS(utimensat, CWD, S("/f"), user_put(times, sizeof times), 0), 0);
    st = do_stat("/f");
    assert_int_equal(st.st_atim.tv_sec, 5);
    assert_int_equal(st.st_mtim.tv_sec, 1700000009);
    times[0].tv_nsec = NS_PER_SECOND;
    assert_int_equal(SYS(utimensat, CWD, S("/f"), user_put(times, sizeof times), 0), -EINVAL);
    host_clock_set(11 * NS_PER_SECOND);
    assert_int_equal(SYS(link, S("/f"), S("/tmp/g")), 0);
    assert_int_equal(do_stat("/tmp").st_mtim.tv_sec, 1700000011);
    assert_int_equal(do_stat("/f").st_ctim.tv_sec, 1700000011);
    assert_int_equal(do_stat("/f").st_mtim.tv_sec, 1700000009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hard_links, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_link_and_symlinks, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_nameless_files, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_directories, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_rename_files, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_rename_directories, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_rename_flags, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_types, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_set_group_id, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_times, env_setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
