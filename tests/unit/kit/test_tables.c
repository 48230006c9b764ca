/*
 * The tables that syscallgen makes from sample.tbl; and of the real ones that of
 * signatures, which needs no handlers.
 */
#include "cmocka_all.h"

#include <asm/unistd_64.h>
#include <gen/linux_calls_mem.h>
#include <gen/linux_calls_vfs.h>
#include <gen/linux_router.h>
#include <gen/linux_trace.h>
#include <string.h>

int64_t sys_read(struct call *call)
{
    (void)call;
    return 10;
}

int64_t sys_close(struct call *call)
{
    (void)call;
    return 13;
}

int64_t sys_brk(struct call *call)
{
    (void)call;
    return 22;
}

int64_t sys_execve(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)thread, (void)arg;
    return nr;
}

int64_t sys_exit(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)thread, (void)arg;
    return -(int64_t)nr;
}

static void servers_have_their_calls(void **state)
{
    (void)state;
    assert_int_equal(sizeof linux_calls_vfs / sizeof *linux_calls_vfs, __NR_close + 1);
    assert_int_equal(sizeof linux_calls_mem / sizeof *linux_calls_mem, __NR_brk + 1);
    assert_int_equal(linux_calls_vfs[__NR_read].handle(NULL), 10);
    assert_int_equal(linux_calls_vfs[__NR_close].handle(NULL), 13);
    assert_int_equal(linux_calls_mem[__NR_brk].handle(NULL), 22);
    assert_null(linux_calls_vfs[__NR_write].handle);
    assert_null(linux_calls_mem[__NR_read].handle);
    assert_string_equal(linux_calls_vfs[__NR_read].name, "read");
    assert_int_equal(linux_calls_vfs[__NR_read].flags, SERVER_SELF_CANCEL);
    assert_int_equal(linux_calls_vfs[__NR_close].flags, 0);
}

static void router_knows_all(void **state)
{
    (void)state;
    assert_int_equal(LINUX_CALL_COUNT, __NR_wait4 + 1);
    assert_int_equal(linux_routes[__NR_read].owner, LINUX_VFS);
    assert_int_equal(linux_routes[__NR_read].flags, LINUX_WAITS | LINUX_DIRECT);
    assert_null(linux_routes[__NR_read].handle);
    assert_int_equal(linux_routes[__NR_brk].owner, LINUX_MEM);
    assert_int_equal(linux_routes[__NR_execve].handle(NULL, 5, NULL), 5);
    assert_int_equal(linux_routes[__NR_exit].handle(NULL, 5, NULL), -5);
    assert_int_equal(linux_routes[__NR_exit].owner, LINUX_ROUTER);
    assert_int_equal(linux_routes[__NR_wait4].owner, LINUX_NONE);
    assert_string_equal(linux_routes[__NR_wait4].name, "wait4");
    assert_null(linux_routes[__NR_write].name);
}

/* What an argument of that kind refers to must exist. */
static void check_argument(const struct linux_signature *signature, unsigned index)
{
    const struct linux_argument *argument = &signature->argument[index];

    if (argument->kind == ARG_FLAGS || argument->kind == ARG_ENUM)
        assert_non_null(linux_symbols[argument->detail].symbol);
    else if (argument->detail != LENGTH_IS_RESULT)
        assert_true(argument->detail < signature->count);
}

static void signatures_are_complete(void **state)
{
    unsigned named = 0;

    (void)state;
    for (unsigned nr = 0; nr < LINUX_SIGNATURE_COUNT; nr++) {
        const struct linux_signature *signature = &linux_signatures[nr];

        for (unsigned i = 0; signature->name && i < signature->count; i++)
            check_argument(signature, i);
        named += signature->name != NULL;
    }
    assert_true(named > 350);
    assert_string_equal(linux_signatures[__NR_getrandom].name, "getrandom");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_have_their_calls),
        cmocka_unit_test(router_knows_all),
        cmocka_unit_test(signatures_are_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
