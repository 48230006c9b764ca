/*
 * Native test programs: a table of tests that run one after another and are
 * reported in the log as ./ph test expects them (docs/testing.md).
 */
#pragma once

#include <lib/native/native.h>

/* Returns NULL, or what was expected and is not so (see EXPECT). */
typedef const char *native_test_fn(void);

struct native_test {
    const char     *name;
    native_test_fn *run;
};

#define NATIVE_TEST(function) { #function, function }
#define EXPECT_TEXT(line, condition) __FILE__ ":" #line ": " condition
#define EXPECT_AT(line, condition)                                                                \
    do {                                                                                          \
        if (!(condition))                                                                         \
            return EXPECT_TEXT(line, #condition);                                                 \
    } while (0)
/* Ends the test function as failed unless the condition holds. */
#define EXPECT(condition) EXPECT_LINE(__LINE__, condition)
#define EXPECT_LINE(line, condition) EXPECT_AT(line, condition)

/* Runs all tests, reports them, and ends the system. */
_Noreturn void native_tests_run(const struct native_test *tests, unsigned count);
