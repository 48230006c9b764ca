/*
 * Running and reporting: see native_test.h.
 */
#include "native_test.h"

#include <gen/root_client.h>

enum { STATUS_PASSED = 0, STATUS_FAILED = 1 };

void native_tests_run(const struct native_test *tests, unsigned count)
{
    const struct server_ref root = { .portal = portal_find("root") };
    uint32_t status = STATUS_PASSED;

    log_line("@test plan %u", count);
    for (unsigned i = 0; i < count; i++) {
        const char *wrong = tests[i].run();

        if (wrong) {
            status = STATUS_FAILED;
            log_line("@test fail %s: %s", tests[i].name, wrong);
        } else {
            log_line("@test ok %s", tests[i].name);
        }
    }
    panic("the system does not end: %d", (int)root_shutdown(&root, status));
}
