/*
 * getdents64(2): complete, without doubles, also while the directory changes.
 */
#include "vfs_env.h"

#include <stdio.h>

#define FILES 300

struct record {
    uint64_t ino;
    int64_t  offset;
    uint16_t bytes;
    uint8_t  type;
    char     name[];
};

/* How often each of the files "0" .. was seen; dots are counted apart. */
struct seen {
    unsigned files[FILES], dots, others;
    int64_t  last_offset;
};

static void name_of(unsigned i, char path[32]) { snprintf(path, 32, "/d/%u", i); }

static void fill(void)
{
    char path[32];

    assert_int_equal(do_mkdir("/d"), 0);
    for (unsigned i = 0; i < FILES; i++) {
        name_of(i, path);
        assert_int_equal(make_file(path, ""), 0);
    }
}

/* One call with room for so many bytes. Returns what it answered. */
static int64_t look(int64_t fd, size_t room, struct seen *seen)
{
    int64_t bytes = SYS(getdents64, (uint64_t)fd, BUFFER, room);

    for (int64_t at = 0; at < bytes;) {
        const struct record *record = user_at(BUFFER + (uint64_t)at);
        unsigned             number;

        if (record->name[0] == '.')
            seen->dots++;
        else if (sscanf(record->name, "%u", &number) == 1 && number < FILES)
            seen->files[number]++;
        else
            seen->others++;
        seen->last_offset = record->offset;
        assert_int_equal(record->bytes % 8, 0);
        at += record->bytes;
    }
    return bytes;
}

static void look_at_all(int64_t fd, size_t room, struct seen *seen)
{
    while (look(fd, room, seen) > 0)
        ;
}

static void test_all_once(void **state)
{
    struct seen seen = { .dots = 0 };
    int64_t     fd;

    (void)state;
    fill();
    fd = do_open("/d", O_RDONLY | O_DIRECTORY);
    look_at_all(fd, 200, &seen);
    assert_int_equal(seen.dots, 2);
    for (unsigned i = 0; i < FILES; i++)
        assert_int_equal(seen.files[i], 1);
    assert_int_equal(look(fd, 200, &seen), 0);
    assert_int_equal(SYS(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    look_at_all(fd, 32768, &seen);
    assert_int_equal(seen.files[FILES - 1], 2);
    assert_int_equal(SYS(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    assert_int_equal(SYS(getdents64, (uint64_t)fd, BUFFER, 20), -EINVAL);
    assert_int_equal(SYS(read, (uint64_t)fd, BUFFER, 20), -EISDIR);
}

static void test_remove_while_reading(void **state)
{
    struct seen seen = { .dots = 0 };
    char        path[32];
    int64_t     fd;

    (void)state;
    fill();
    fd = do_open("/d", O_RDONLY);
    look(fd, 1000, &seen);
    for (unsigned i = 0; i < FILES; i += 2) { /* some seen, some not, the next one too */
        name_of(i, path);
        assert_int_equal(SYS(unlink, S(path)), 0);
    }
    look_at_all(fd, 1000, &seen);
    for (unsigned i = 1; i < FILES; i += 2)
        assert_int_equal(seen.files[i], 1);
    for (unsigned i = 0; i < FILES; i += 2)
        assert_true(seen.files[i] <= 1);
}

/* What rm -r and a loop of renames do: they must end. */
static void test_rename_while_reading(void **state)
{
    struct seen seen = { .dots = 0 };
    char        from[32], to[40];
    unsigned    rounds = 0;
    int64_t     fd;

    (void)state;
    fill();
    fd = do_open("/d", O_RDONLY);
    while (look(fd, 1000, &seen) > 0) {
        for (unsigned i = 0; i < FILES; i++) {
            if (seen.files[i] != 1)
                continue;
            name_of(i, from);
            snprintf(to, sizeof to, "/d/x%u", i);
            assert_int_equal(SYS(rename, S(from), S(to)), 0);
            seen.files[i]++; /* done with it */
        }
        assert_true(rounds++ < FILES);
    }
    assert_int_equal(seen.others, 0);
    for (unsigned i = 0; i < FILES; i++)
        assert_int_equal(seen.files[i], 2);
}

static void test_seek_to_offset(void **state)
{
    struct seen first = { .dots = 0 }, rest = { .dots = 0 };
    int64_t     fd;
    char        path[32];

    (void)state;
    fill();
    fd = do_open("/d", O_RDONLY);
    look(fd, 1000, &first);
    look_at_all(fd, 1000, &rest);
    name_of(299, path);
    assert_int_equal(SYS(unlink, S(path)), 0);
    assert_int_equal(SYS(lseek, (uint64_t)fd, (uint64_t)first.last_offset, SEEK_SET),
                     first.last_offset);
    memset(&rest, 0, sizeof rest);
    look_at_all(fd, 1000, &rest);
    for (unsigned i = 0; i < FILES - 1; i++)
        assert_int_equal(first.files[i] + rest.files[i], 1);
    assert_int_equal(rest.files[FILES - 1], 0);
}

static void test_removed_directory(void **state)
{
    int64_t fd;

    (void)state;
    assert_int_equal(do_mkdir("/d"), 0);
    fd = do_open("/d", O_RDONLY);
    assert_int_equal(SYS(rmdir, S("/d")), 0);
    assert_int_equal(SYS(getdents64, (uint64_t)fd, BUFFER, 1000), -ENOENT);
    assert_int_equal(SYS(getdents, (uint64_t)fd, BUFFER, 1000), -ENOENT);
}

static void test_old_call(void **state)
{
    int64_t fd = do_open("/dev", O_RDONLY);
    int64_t bytes = SYS(getdents, (uint64_t)fd, BUFFER, 4096);

    (void)state;
    assert_true(bytes > 0);
    assert_string_equal((char *)user_at(BUFFER) + 18, "."); /* after ino, offset, length */
    assert_int_equal(*((uint8_t *)user_at(BUFFER) + 23), S_IFDIR >> 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_once, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_remove_while_reading, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_rename_while_reading, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_seek_to_offset, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_removed_directory, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_old_call, env_setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
