/*
 * Content of files: random operations against a plain array as model, holes, limits, memory
 * that runs out, copies between files.
 */
#include "vfs_env.h"

#include <linux/falloc.h>
#include <servers/vfs/inode.h>
#include <servers/vfs/process.h>
#include <stdlib.h>

#define MODEL_BYTES 200000u
#define OPERATIONS  100000u

/* ---- random operations -------------------------------------------------------------------- */

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

static struct {
    uint8_t bytes[MODEL_BYTES];
    size_t  size;
} model;

/* Mostly short, sometimes long, sometimes whole pages. */
static size_t random_length(size_t offset)
{
    size_t length = random_below(10) ? random_below(3000) : random_below(60000);

    if (random_below(5) == 0)
        length &= ~4095u;
    return offset + length > MODEL_BYTES ? MODEL_BYTES - offset : length;
}

static size_t random_offset(void)
{
    size_t offset = random_below(MODEL_BYTES);

    return random_below(4) ? offset : offset & ~4095u;
}

static void random_write(uint64_t fd)
{
    size_t offset = random_offset(), length = random_length(offset);
    uint8_t *from = user_at(BUFFER);

    for (size_t i = 0; i < length; i++)
        from[i] = model.bytes[offset + i] = (uint8_t)random_below(256);
    assert_int_equal(SYS(pwrite64, fd, BUFFER, length, offset), length);
    if (length && offset + length > model.size)
        model.size = offset + length;
}

static void random_read(uint64_t fd)
{
    size_t offset = random_offset(), length = random_length(offset);
    size_t expected = offset >= model.size ? 0
                      : offset + length > model.size ? model.size - offset : length;

    assert_int_equal(SYS(pread64, fd, BUFFER, length, offset), expected);
    assert_memory_equal(user_at(BUFFER), model.bytes + offset, expected);
}

static void random_truncate(uint64_t fd)
{
    size_t size = random_offset();

    assert_int_equal(SYS(ftruncate, fd, size), 0);
    if (size < model.size)
        memset(model.bytes + size, 0, model.size - size);
    model.size = size;
}

/* Pages come and go in the caller, so that calls fault half-way. */
static void random_page_out(void)
{
    host_page_out(env.space, BUFFER + random_below(16) * PAGE_BYTES, PAGE_BYTES);
}

static void check_all(uint64_t fd)
{
    for (size_t at = 0; at < model.size; at += 65536) {
        size_t length = model.size - at < 65536 ? model.size - at : 65536;

        assert_int_equal(SYS(pread64, fd, BUFFER, 65536, at), length);
        assert_memory_equal(user_at(BUFFER), model.bytes + at, length);
    }
}

static void run_random(uint64_t fd, uint32_t seed, unsigned operations)
{
    random_state = seed;
    for (unsigned i = 0; i < operations; i++) {
        switch (random_below(8)) {
        case 0:
        case 1:
        case 2: random_write(fd); break;
        case 3: random_truncate(fd); break;
        case 4: random_page_out(); break;
        default: random_read(fd); break;
        }
    }
    check_all(fd);
}

static void test_random(void **state)
{
    int64_t fd = do_open("/f", O_CREAT | O_RDWR);

    (void)state;
    memset(&model, 0, sizeof model);
    run_random((uint64_t)fd, 1, OPERATIONS);
}

/* The same over content that is borrowed, at an odd address and at a page boundary. */
static void run_borrowed(size_t misalignment)
{
    static uint8_t lower[MODEL_BYTES + 2 * PAGE_BYTES] __attribute__((aligned(4096)));
    int64_t        fd = do_open("/f", O_CREAT | O_RDWR);
    struct inode  *inode = directory_find(process_find(SLOT)->root, "f", 1)->inode;
    uint8_t       *copy;

    memset(&model, 0, sizeof model);
    model.size = 123457;
    memset(lower, 0, sizeof lower);
    for (size_t i = 0; i < model.size; i++)
        lower[misalignment + i] = model.bytes[i] = (uint8_t)(i * 7 + i / 251);
    inode->pages.lower = lower + misalignment;
    inode->pages.lower_bytes = inode->size = model.size;
    copy = malloc(sizeof lower);
    memcpy(copy, lower, sizeof lower);
    check_all((uint64_t)fd);
    run_random((uint64_t)fd, 99 + (uint32_t)misalignment, OPERATIONS / 10);
    assert_memory_equal(copy, lower, sizeof lower); /* never written */
    free(copy);
}

static void test_random_borrowed(void **state)
{
    (void)state;
    run_borrowed(0);
}

static void test_random_borrowed_misaligned(void **state)
{
    (void)state;
    run_borrowed(77);
}

/* ---- single cases ------------------------------------------------------------------------- */

static void test_holes(void **state)
{
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);
    uint64_t frames = frames_in_use();

    (void)state;
    assert_int_equal(SYS(ftruncate, fd, 1ull << 50), 0);
    assert_int_equal(frames_in_use(), frames);
    assert_int_equal(do_stat("/f").st_blocks, 0);
    assert_int_equal(SYS(pwrite64, fd, S("x"), 1, 1ull << 40), 1);
    assert_int_equal(frames_in_use(), frames + 1);
    assert_int_equal(do_stat("/f").st_blocks, 8);
    assert_int_equal(SYS(pread64, fd, BUFFER, 4096, (1ull << 40) - 100), 4096);
    assert_int_equal(((char *)user_at(BUFFER))[99], 0);
    assert_int_equal(((char *)user_at(BUFFER))[100], 'x');
    assert_int_equal(SYS(lseek, fd, 0, SEEK_DATA), 1ll << 40);
    assert_int_equal(SYS(lseek, fd, 1ull << 40, SEEK_HOLE), (1ll << 40) + 4096);
    assert_int_equal(SYS(lseek, fd, (1ull << 40) + 4096, SEEK_DATA), -ENXIO);
    assert_int_equal(SYS(lseek, fd, 0, SEEK_HOLE), 0);
    assert_int_equal(SYS(lseek, fd, 1ull << 50, SEEK_HOLE), -ENXIO);
    assert_int_equal(SYS(ftruncate, fd, 0), 0);
    assert_int_equal(frames_in_use(), frames);
}

static void test_limits(void **state)
{
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);

    (void)state;
    assert_int_equal(SYS(pwrite64, fd, S("x"), 1, INT64_MAX), -EFBIG);
    assert_int_equal(SYS(pwrite64, fd, S("xy"), 2, INT64_MAX - 1), 1);
    assert_int_equal(SYS(pwrite64, fd, S("x"), 1, UINT64_MAX), -EINVAL);
    assert_int_equal(SYS(pread64, fd, BUFFER, 1, UINT64_MAX), -EINVAL);
    assert_int_equal(SYS(ftruncate, fd, UINT64_MAX), -EINVAL);
    assert_int_equal(SYS(lseek, fd, UINT64_MAX, SEEK_SET), -EINVAL);
    assert_int_equal(SYS(lseek, fd, 1, SEEK_END), -EOVERFLOW);
    assert_int_equal(SYS(lseek, fd, 0, 77), -EINVAL);
    assert_int_equal(SYS(lseek, fd, INT64_MAX, SEEK_SET), INT64_MAX);
    assert_int_equal(SYS(read, fd, BUFFER, 10), 0);
    assert_int_equal(SYS(write, fd, BUFFER, 10), -EFBIG);
    assert_int_equal(SYS(truncate, S("/tmp"), 0), -EISDIR);
    assert_int_equal(SYS(truncate, S("/dev/null"), 0), -EINVAL);
}

static void test_out_of_frames(void **state)
{
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);
    int64_t  size = 0, written;

    (void)state;
    memset(user_at(BUFFER), 'x', 65536);
    host_frames_limit(0); /* what is left is in chunks that are there already */
    while ((written = SYS(write, fd, BUFFER, 65536)) > 0)
        size += written;
    assert_int_equal(written, -ENOSPC);
    assert_int_equal(do_stat("/f").st_size, size);
    assert_int_equal(do_stat("/f").st_blocks, size / 512);
    assert_int_equal(SYS(ftruncate, fd, 0), 0);
    assert_int_equal(SYS(fallocate, fd, 0, 0, 64 << 20), -ENOSPC);
    assert_int_equal(do_stat("/f").st_size, 0);
    host_frames_limit(UINT64_MAX);
    assert_int_equal(SYS(write, fd, BUFFER, 65536), 65536);
}

static void test_append(void **state)
{
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR | O_APPEND);

    (void)state;
    assert_int_equal(do_write((int64_t)fd, "one"), 3);
    assert_int_equal(SYS(lseek, fd, 0, SEEK_SET), 0);
    assert_int_equal(do_write((int64_t)fd, "two"), 3);
    assert_int_equal(SYS(pwrite64, fd, S("three"), 5, 0), 5); /* as in Linux: appends as well */
    assert_string_equal(file_text("/f"), "onetwothree");
    assert_string_equal(do_read((int64_t)fd, 3), "thr"); /* after "onetwo" */
}

static void test_vectors(void **state)
{
    uint64_t     fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);
    struct iovec parts[3] = { { (void *)S("ab"), 2 }, { NULL, 0 }, { (void *)S("cde"), 3 } };
    struct iovec into[2] = { { (void *)BUFFER, 1 }, { (void *)(BUFFER + 100), 10 } };

    (void)state;
    assert_int_equal(SYS(writev, fd, user_put(parts, sizeof parts), 3), 5);
    assert_int_equal(SYS(preadv, fd, user_put(into, sizeof into), 2, 1), 4);
    assert_int_equal(*(char *)user_at(BUFFER), 'b');
    assert_memory_equal(user_at(BUFFER + 100), "cde", 3);
    assert_int_equal(SYS(readv, fd, user_put(into, sizeof into), 1025), -EINVAL);
    assert_int_equal(SYS(readv, fd, 0, 0), 0);
    into[0].iov_len = SIZE_MAX;
    assert_int_equal(SYS(readv, fd, user_put(into, sizeof into), 2), -EINVAL);
    assert_int_equal(SYS(preadv2, fd, 0, 0, 0, 0, 0x1000), -EOPNOTSUPP);
}

/* Everything before the bad page is moved. */
static void test_partial_buffers(void **state)
{
    uint64_t end = USER_BASE + USER_BYTES;
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);

    (void)state;
    assert_int_equal(SYS(write, fd, end - 10000, 20000), 10000);
    assert_int_equal(SYS(ftruncate, fd, 50000), 0);
    host_page_out(env.space, end - 3 * PAGE_BYTES, 3 * PAGE_BYTES);
    assert_int_equal(SYS(pread64, fd, end - 9000, 40000, 0), 9000);
    assert_int_equal(SYS(pread64, fd, end, 40000, 0), -EFAULT);
    assert_int_equal(SYS(write, fd, end, 1), -EFAULT);
    assert_int_equal(SYS(pread64, fd, READ_ONLY, 10, 0), -EFAULT);
}

static void test_copy_between(void **state)
{
    uint64_t from = (uint64_t)do_open("/from", O_CREAT | O_RDWR);
    uint64_t to = (uint64_t)do_open("/to", O_CREAT | O_RDWR);
    int64_t  offset = 5;
    uint64_t at = user_put(&offset, sizeof offset);

    (void)state;
    assert_int_equal(do_write((int64_t)from, "0123456789"), 10);
    assert_int_equal(SYS(sendfile, to, from, at, 100), 5);
    assert_int_equal(*(int64_t *)user_at(at), 10);
    assert_string_equal(file_text("/to"), "56789");
    assert_int_equal(SYS(sendfile, to, from, 0, 100), 0); /* its own position is at the end */
    assert_int_equal(SYS(lseek, from, 0, SEEK_SET), 0);
    assert_int_equal(SYS(copy_file_range, from, 0, to, 0, 3, 0), 3);
    assert_string_equal(file_text("/to"), "56789012");
    assert_int_equal(SYS(lseek, from, 0, SEEK_CUR), 3);
    *(int64_t *)user_at(at) = 4;
    assert_int_equal(SYS(copy_file_range, from, 0, from, at, 3, 0), -EINVAL); /* overlap */
    assert_int_equal(SYS(copy_file_range, from, 0, to, 0, 3, 1), -EINVAL);
    assert_int_equal(SYS(sendfile, to, 99, 0, 3), -EBADF);
    assert_int_equal(SYS(sendfile, to, (uint64_t)do_open("/dev/zero", O_RDONLY), 0, 3), -EINVAL);
}

static void test_allocate(void **state)
{
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);

    (void)state;
    assert_int_equal(SYS(fallocate, fd, 0, 100, 10000), 0);
    assert_int_equal(do_stat("/f").st_size, 10100);
    assert_int_equal(do_stat("/f").st_blocks, 24);
    assert_int_equal(SYS(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 100000), 0);
    assert_int_equal(do_stat("/f").st_size, 10100);
    assert_int_equal(SYS(fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100),
                     -EOPNOTSUPP);
    assert_int_equal(SYS(fallocate, fd, 0, 0, 0), -EINVAL);
    assert_int_equal(SYS(fallocate, fd, 0, INT64_MAX, 10), -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_random_borrowed, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_random_borrowed_misaligned, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_holes, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_limits, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_out_of_frames, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_append, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_vectors, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_partial_buffers, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_copy_between, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_allocate, env_setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
