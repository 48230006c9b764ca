/* The formatter of the log answers as snprintf does, wherever it knows the conversion. */
#include <roottask/format.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SAME(room, ...)                                                                            \
    do {                                                                                           \
        char ours[room], theirs[room];                                                             \
        size_t length = text_format(ours, sizeof ours, __VA_ARGS__);                               \
        (void)!snprintf(theirs, sizeof theirs, __VA_ARGS__);                                       \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(length, strlen(theirs));                                                  \
    } while (0)

static void formats_as_snprintf(void **state)
{
    (void)state;
    SAME(64, "plain 100%%");
    SAME(64, "%s|%8s|%c", "text", "right", 'c');
    SAME(64, "%d %d %d", 0, INT32_MIN, INT32_MAX);
    SAME(64, "%u %x %lu %zu", UINT32_MAX, 0xbeefu, 17ul, sizeof(int));
    SAME(64, "%lld %llu", (long long)INT64_MIN, (unsigned long long)UINT64_MAX);
    SAME(64, "%016llx %08x %02x", 0x1234ull, 0xffffu, 7u);
    SAME(64, "%5d|%05d|%5d", 42, -42, -42);
}

static void cuts_at_the_end(void **state)
{
    char text[6];

    (void)state;
    assert_int_equal(text_format(text, 1, "text"), 0);
    assert_string_equal(text, "");
    assert_int_equal(text_format(text, 5, "%s", "longer"), 4);
    assert_string_equal(text, "long");
    assert_int_equal(text_format(text, 5, "ab%u", 123456u), 4);
    assert_string_equal(text, "ab12");
    assert_int_equal(text_format(text, 6, "%08x", 1u), 5);
    assert_string_equal(text, "00000");
}

static void shows_what_it_does_not_know(void **state)
{
    const char *odd = "%q %";
    char text[16];

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    text_format(text, sizeof text, odd);
#pragma GCC diagnostic pop
    assert_string_equal(text, "q %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_snprintf),
        cmocka_unit_test(cuts_at_the_end),
        cmocka_unit_test(shows_what_it_does_not_know),
    };

    return cmocka_run_group_tests_name("roottask/format", tests, NULL, NULL);
}
