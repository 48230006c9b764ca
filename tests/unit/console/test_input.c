/* The way in of the console: escapes, order of data and events, limits. */
#include <drivers/console/input.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void feed(struct input *input, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        input_feed(input, (uint8_t)bytes[i]);
}

static void expect(struct input *input, const char *text, enum input_event event)
{
    uint8_t got[INPUT_RING_BYTES];
    enum input_event what;
    size_t count = input_fetch(input, got, sizeof got, &what);

    assert_int_equal(count, strlen(text));
    assert_memory_equal(got, text, count);
    assert_int_equal(what, event);
}

static void passes_text_on(void **state)
{
    struct input input = { 0 };

    (void)state;
    assert_false(input_available(&input));
    feed(&input, "text\n\xff", 6);
    assert_true(input_available(&input));
    expect(&input, "text\n\xff", INPUT_NONE);
    assert_false(input_available(&input));
}

static void takes_escapes_out(void **state)
{
    struct input input = { 0 };

    (void)state;
    feed(&input, "a\x10\x10", 3);
    feed(&input, "b\x10?c", 4);
    expect(&input,
           "a\x10"
           "bc",
           INPUT_NONE);
}

static void tells_the_end_after_the_last_byte(void **state)
{
    struct input input = { 0 };
    uint8_t byte[2];
    enum input_event event;

    (void)state;
    feed(&input,
         "xyz\x10"
         "E",
         5);
    assert_int_equal(input_fetch(&input, byte, 2, &event), 2);
    assert_int_equal(event, INPUT_NONE);
    expect(&input, "z", INPUT_END);
    assert_false(input_available(&input));
    expect(&input, "", INPUT_NONE);
}

static void tells_the_size_of_the_window(void **state)
{
    struct input input = { 0 };
    const char size[] = { 0x10, 'W', 0x20, 0x20 + 24, 0x20 + 3, 0x20 + 63 };

    (void)state;
    feed(&input, "a", 1);
    feed(&input, size, sizeof size);
    feed(&input, "b", 1);
    expect(&input, "ab", INPUT_WINDOW);
    assert_int_equal(input.rows, 24);
    assert_int_equal(input.columns, 3 * 64 + 63);
    expect(&input, "", INPUT_NONE);
}

static void tells_both_events_one_after_the_other(void **state)
{
    struct input input = { 0 };

    (void)state;
    feed(&input,
         "\x10W    \x10"
         "E",
         8);
    expect(&input, "", INPUT_WINDOW);
    assert_true(input_available(&input));
    expect(&input, "", INPUT_END);
}

static void keeps_what_fits_and_goes_round(void **state)
{
    struct input input = { 0 };
    uint8_t got[1000];
    enum input_event event;
    uint8_t next_in = 0, next_out = 0;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        size_t count;

        while (input_room(&input) > 0) {
            if (next_in == 0x10)
                input_feed(&input, 0x10);
            input_feed(&input, next_in++);
        }
        count = input_fetch(&input, got, sizeof got, &event);
        assert_int_equal(count, sizeof got);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(got[i], next_out++);
    }
    assert_int_equal(input_room(&input), sizeof got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_text_on),
        cmocka_unit_test(takes_escapes_out),
        cmocka_unit_test(tells_the_end_after_the_last_byte),
        cmocka_unit_test(tells_the_size_of_the_window),
        cmocka_unit_test(tells_both_events_one_after_the_other),
        cmocka_unit_test(keeps_what_fits_and_goes_round),
    };

    return cmocka_run_group_tests_name("console/input", tests, NULL, NULL);
}
