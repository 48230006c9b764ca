/*
 * What every test uses: checks, and the tables of tests. A check that fails is
 * noted (the first of a test is reported) and the test goes on; need() returns
 * from the function.
 */
#pragma once

#include <abi/types.h>

struct test {
    const char *name;
    void (*run)(void);
    unsigned flags;
};

enum {
    TEST_SMP  = 1 << 0, /* needs more than one CPU */
    TEST_ONCE = 1 << 1, /* does not leave kernel memory as it was: is not checked for leaks */
};

struct group {
    const char *name;
    const struct test *tests; /* ends with a NULL name */
};

extern const struct test call_tests[], item_tests[], param_tests[], cap_tests[], sm_tests[],
    foreign_tests[], exception_tests[], recall_tests[], copy_tests[], map_tests[], quota_tests[],
    life_tests[], sched_tests[], help_tests[], fpu_tests[], smp_tests[], fuzz_tests[];

/* Notes a failure of the test that runs; from any thread. */
void test_failed(const char *file, int line, const char *what, uint64_t got, uint64_t wanted);
bool test_has_failed(void);

#define check(condition)                                                                          \
    ({                                                                                            \
        bool check_good = (condition);                                                            \
        if (!check_good)                                                                          \
            test_failed(__FILE_NAME__, __LINE__, #condition, 0, 0);                               \
        check_good;                                                                               \
    })

/* The values are shown when they differ. */
#define check_eq(got, wanted)                                                                     \
    ({                                                                                            \
        uint64_t check_got = (uint64_t)(got), check_wanted = (uint64_t)(wanted);                  \
        if (check_got != check_wanted)                                                            \
            test_failed(__FILE_NAME__, __LINE__, #got, check_got, check_wanted);                  \
        check_got == check_wanted;                                                                \
    })

#define need(condition)                                                                           \
    do {                                                                                          \
        if (!check(condition))                                                                    \
            return;                                                                               \
    } while (0)

#define need_eq(got, wanted)                                                                      \
    do {                                                                                          \
        if (!check_eq(got, wanted))                                                               \
            return;                                                                               \
    } while (0)

/* A hypercall that must work for the test to go on. */
#define need_ok(hypercall) need_eq(hypercall, ST_OK)

/* ---- log -------------------------------------------------------------------------------- */

/* Lines to the first serial port; of root's PD only. %s, %d (uint64_t), %x (uint64_t). */
void log_line(const char *format, ...);
/* The measurements, under -icount. */
void costs_print(void);
