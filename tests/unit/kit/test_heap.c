/*
 * The heap under malloc.
 */
#include "cmocka_all.h"

#include <lib/host/host.h>
#include <lib/native/runtime.h>
#include <string.h>

#define COUNT 2000

static size_t size_of(unsigned i) { return i % 97 == 0 ? i * 13 : i % 400; }

static void objects_keep_their_content(void **state)
{
    unsigned char *object[COUNT];

    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        object[i] = heap_alloc(size_of(i));
        assert_non_null(object[i]);
        assert_int_equal((uintptr_t)object[i] % 16, 0);
        assert_true(heap_usable_bytes(object[i]) >= size_of(i));
        memset(object[i], (int)i, size_of(i));
    }
    for (unsigned i = 0; i < COUNT; i++)
        for (size_t at = 0; at < size_of(i); at++)
            assert_int_equal(object[i][at], i & 0xff);
    for (unsigned i = 0; i < COUNT; i += 2)
        heap_free(object[i]);
    for (unsigned i = 0; i < COUNT; i += 2)
        assert_non_null(object[i] = heap_alloc(size_of(i)));
    for (unsigned i = 0; i < COUNT; i++)
        heap_free(object[i]);
    heap_free(NULL);
}

static void everything_is_given_back(void **state)
{
    (void)state;
    heap_trim();
    assert_int_equal(heap_bytes_in_use(), 0);
    assert_int_equal(frames_in_use(), 0);
    objects_keep_their_content(state);
    assert_int_equal(heap_bytes_in_use(), 0);
    assert_true(frames_in_use() <= 16); /* a spare slab of each class */
    heap_trim();
    assert_int_equal(frames_in_use(), 0);
}

static void bytes_in_use_are_counted(void **state)
{
    void *small = heap_alloc(100), *large = heap_alloc(5000);

    (void)state;
    assert_int_equal(heap_bytes_in_use(), 128 + 8192);
    heap_free(small);
    heap_free(large);
    assert_int_equal(heap_bytes_in_use(), 0);
}

static void memory_can_be_out(void **state)
{
    void    *object[200];
    unsigned count = 0;

    (void)state;
    heap_trim();
    host_frames_limit(64);
    assert_null(heap_alloc(1 << 20));
    assert_null(heap_alloc(SIZE_MAX));
    assert_null(heap_alloc(SIZE_MAX - 63));
    while (count < 200 && (object[count] = heap_alloc(2016)))
        count++;
    assert_int_equal(count, 126);
    while (count > 0)
        heap_free(object[--count]);
}

/* Last: the failed check leaves the heap locked. */
static void double_free_is_caught(void **state)
{
    char *object = heap_alloc(40);

    (void)state;
    heap_alloc(40);
    heap_free(object);
    expect_assert_failure(heap_free(object));
}

static int reset(void **state)
{
    (void)state;
    host_reset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(objects_keep_their_content, reset),
        cmocka_unit_test_setup(everything_is_given_back, reset),
        cmocka_unit_test_setup(bytes_in_use_are_counted, reset),
        cmocka_unit_test_setup(memory_can_be_out, reset),
        cmocka_unit_test_setup(double_free_is_caught, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
