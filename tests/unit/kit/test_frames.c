/*
 * Frames in chunks.
 */
#include "cmocka_all.h"

#include <lib/host/host.h>
#include <lib/native/runtime.h>
#include <string.h>

#define COUNT 300

static bool is_zero(const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;

    while (count > 0 && *byte == 0)
        byte++, count--;
    return count == 0;
}

static void frames_are_aligned_zeroed_and_distinct(void **state)
{
    phys_t phys[COUNT];

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned order = i % 8;

            phys[i] = frames_alloc(order);
            assert_true(phys[i] && phys[i] % (PAGE_BYTES << order) == 0);
            assert_true(is_zero(frame_ptr(phys[i]), PAGE_BYTES << order));
            memset(frame_ptr(phys[i]), 1 + (int)i % 255, PAGE_BYTES << order);
        }
        for (unsigned i = 0; i < COUNT; i++) {
            const unsigned char *byte = frame_ptr(phys[i]);

            assert_true(byte[0] == 1 + i % 255 && byte[(PAGE_BYTES << i % 8) - 1] == 1 + i % 255);
        }
        for (unsigned i = 0; i < COUNT; i++)
            frames_free(phys[(i * 7) % COUNT], (i * 7) % COUNT % 8);
        assert_int_equal(frames_in_use(), 0);
    }
}

static void empty_chunks_go_back(void **state)
{
    phys_t phys[COUNT];

    (void)state;
    frames_trim();
    host_frames_limit(640);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < COUNT; i++)
            assert_true(phys[i] = frames_alloc(0));
        for (unsigned i = 0; i < COUNT; i++)
            frames_free(phys[i], 0);
    }
    frames_trim();
    phys[0] = frames_alloc(9); /* all but 128 of them: nothing else is held */
    assert_true(phys[0]);
    frames_free(phys[0], 9);
}

static void memory_can_be_out(void **state)
{
    phys_t   phys[200];
    unsigned count = 0;

    (void)state;
    frames_trim();
    host_frames_limit(128);
    while (count < 200 && (phys[count] = frames_alloc(0)))
        count++;
    assert_int_equal(count, 126); /* one of 64 is the header */
    assert_int_equal(frames_alloc(3), 0);
    assert_int_equal(frames_alloc(6), 0);
    while (count > 0)
        frames_free(phys[--count], 0);
    assert_true(phys[0] = frames_alloc(5));
    frames_free(phys[0], 5);
}

static void mistakes_are_caught(void **state)
{
    phys_t phys = frames_alloc(1);

    (void)state;
    frames_free(phys, 1);
    expect_assert_failure(frames_free(phys, 1));
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
        cmocka_unit_test_setup(frames_are_aligned_zeroed_and_distinct, reset),
        cmocka_unit_test_setup(empty_chunks_go_back, reset),
        cmocka_unit_test_setup(memory_can_be_out, reset),
        cmocka_unit_test_setup(mistakes_are_caught, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
