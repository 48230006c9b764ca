/*
 * boot/init and the first lines of scripts: pure parsers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <servers/syscall-router/init.h>
#include <servers/syscall-router/script.h>
#include <stdlib.h>
#include <string.h>

/* A copy on the heap, so that the sanitizer sees every byte too far. */
static const char *parse(struct init_config *config, const char *data, size_t bytes)
{
    char *copy = malloc(bytes + !bytes);
    const char *error;
    size_t at;

    assert_non_null(copy);
    memcpy(copy, data, bytes);
    error = init_parse(config, copy, bytes, &at);
    assert_true(at <= bytes);
    free(copy);
    return error;
}

#define PARSE(config, literal) parse(config, literal, sizeof literal - 1)

static void test_complete(void **state)
{
    static const char data[] = "stdio=5\0cwd=/tmp\0trace=1\0uid=1000\0gid=100\0loop=3\0stats=1\0"
                               "argv\0/bin/echo\0\0envp\0x\0envp\0A=1\0B=\0";
    struct init_config config;
    const char *string;
    size_t at;

    (void)state;
    assert_null(init_parse(&config, data, sizeof data - 1, &at));
    assert_int_equal(config.stdio, 5);
    assert_string_equal(config.cwd, "/tmp");
    assert_true(config.trace && config.stats);
    assert_int_equal(config.uid, 1000);
    assert_int_equal(config.gid, 100);
    assert_int_equal(config.loop, 3);
    assert_int_equal(config.argc, 4); /* an argument may be empty, or "envp" */
    assert_string_equal(config.argv, "/bin/echo");
    string = init_next(init_next(config.argv));
    assert_string_equal(string, "envp");
    assert_int_equal(config.envc, 2);
    assert_string_equal(config.envp, "A=1");
}

static void test_defaults(void **state)
{
    struct init_config config;

    (void)state;
    assert_null(PARSE(&config, "argv\0p\0envp\0"));
    assert_string_equal(config.cwd, "/");
    assert_int_equal(config.loop, 1);
    assert_int_equal(config.argc, 1);
    assert_int_equal(config.envc, 0);
    assert_int_equal(config.uid, 0);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *data;
        size_t bytes;
    } cases[] = {
#define CASE(literal) { literal, sizeof literal - 1 }
        CASE(""),
        CASE("argv\0p\0envp"),         /* no end */
        CASE("\0"),                    /* unknown setting */
        CASE("stdio=8\0argv\0p\0envp\0"),
        CASE("stdio=\0argv\0p\0envp\0"),
        CASE("stdio=x\0argv\0p\0envp\0"),
        CASE("trace=2\0argv\0p\0envp\0"),
        CASE("trace\0argv\0p\0envp\0"),
        CASE("loop=0\0argv\0p\0envp\0"),
        CASE("loop=1000001\0argv\0p\0envp\0"),
        CASE("loop=99999999999999999999999\0argv\0p\0envp\0"),
        CASE("uid=4294967295\0argv\0p\0envp\0"),
        CASE("cwd=tmp\0argv\0p\0envp\0"),
        CASE("cwd=\0argv\0p\0envp\0"),
        CASE("nonsense=1\0argv\0p\0envp\0"),
        CASE("stdio=1\0"),
        CASE("argv\0"),
        CASE("argv\0p\0"),             /* no environment */
        CASE("argv\0envp\0"),          /* no program */
        CASE("argv\0\0envp\0"),
        CASE("argv\0p\0envp\0word\0"), /* not a variable */
    };
    struct init_config config;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!parse(&config, cases[i].data, cases[i].bytes))
            fail_msg("case %zu was taken", i);
}

/* Whatever the file holds: an answer, and no byte is read beyond it. */
static void test_rubbish(void **state)
{
    static const char words[] = "stdio=7\0argv\0/bin/x\0envp\0A=\0trace=1\0cwd=/\0";
    struct init_config config;
    char data[64];

    (void)state;
    srand(1);
    for (unsigned i = 0; i < 20000; i++) {
        size_t bytes = (size_t)rand() % sizeof data;

        for (size_t j = 0; j < bytes; j++)
            data[j] = rand() % 8 ? words[(j + (size_t)i) % sizeof words] : (char)rand();
        parse(&config, data, bytes);
    }
}

/* ---- scripts ---------------------------------------------------------------------------- */

static int script(struct script_line *line, const char *text, size_t bytes)
{
    char *copy = malloc(bytes + !bytes);
    int result;

    assert_non_null(copy);
    memcpy(copy, text, bytes);
    result = script_parse(line, copy, bytes);
    free(copy);
    return result;
}

static void test_script_lines(void **state)
{
    struct script_line line;

    (void)state;
    assert_int_equal(script(&line, "#!/bin/sh\n", 10), 1);
    assert_string_equal(line.interpreter, "/bin/sh");
    assert_string_equal(line.argument, "");
    assert_int_equal(script(&line, "#!\t /bin/awk \t -f x\t\nrest", 25), 1);
    assert_string_equal(line.interpreter, "/bin/awk");
    assert_string_equal(line.argument, "-f x");
    assert_int_equal(script(&line, "#!/bin/sh", 9), 1); /* the file ends there */
    assert_string_equal(line.interpreter, "/bin/sh");
    assert_int_equal(script(&line, "ELF", 3), 0);
    assert_int_equal(script(&line, "#", 1), 0);
    assert_int_equal(script(&line, "", 0), 0);
    assert_int_equal(script(&line, "#!", 2), -ENOEXEC);
    assert_int_equal(script(&line, "#! \t \nx", 7), -ENOEXEC);
}

static void test_script_too_long(void **state)
{
    struct script_line line;
    char text[400];

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "#!/", 3);
    assert_int_equal(script(&line, text, sizeof text), -ENOEXEC);
    text[10] = ' '; /* the argument is cut, the interpreter is whole */
    assert_int_equal(script(&line, text, sizeof text), 1);
    assert_string_equal(line.interpreter, "/aaaaaaa");
    assert_true(strlen(line.argument) < SCRIPT_LINE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),     cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_mistakes),     cmocka_unit_test(test_rubbish),
        cmocka_unit_test(test_script_lines), cmocka_unit_test(test_script_too_long),
    };

    return cmocka_run_group_tests_name("router: parsers", tests, NULL, NULL);
}
