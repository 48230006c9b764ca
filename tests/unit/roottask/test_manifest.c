/* The manifest: what it says, and what is wrong with it in which line. */
#include <roottask/manifest.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool parse(struct manifest *manifest, const char *text, struct manifest_error *error)
{
    size_t length = strlen(text);
    char *exact = malloc(length ? length : 1); /* ASan sees a byte too many */
    bool good;

    memcpy(exact, text, length);
    good = manifest_parse(manifest, exact, length, error);
    free(exact);
    return good;
}

static void reads_all_words(void **state)
{
    struct manifest m;
    struct manifest_error error;

    (void)state;
    assert_true(
        parse(&m,
              "# the drivers\n"
              "program console boot/console priority 40 io-ports interrupts\n"
              "\n"
              "program mem boot/mem module cpu 1\n"
              "program vfs boot/vfs   # files\n"
              "    priority 30 uses console shares-frames-with mem\n"
              "    args  --verbose  two   # not this\n"
              "    module\n"
              "program router boot/router uses vfs mem kernel-quota 8MiB create-pd no-portal",
              &error));
    assert_int_equal(m.count, 4);
    assert_string_equal(m.programs[0].name, "console");
    assert_string_equal(m.programs[0].path, "boot/console");
    assert_int_equal(m.programs[0].priority, 40);
    assert_int_equal(m.programs[0].flags, PROGRAM_IO_PORTS | PROGRAM_INTERRUPTS);
    assert_int_equal(m.programs[1].flags, PROGRAM_MODULE);
    assert_int_equal(m.programs[1].cpu, 1);
    assert_int_equal(m.programs[1].priority, MANIFEST_DEFAULT_PRIORITY);
    assert_int_equal(m.programs[1].quota_pages, MANIFEST_DEFAULT_QUOTA);
    assert_int_equal(m.programs[2].uses, 1 << 0);
    assert_int_equal(m.programs[2].shares, 1 << 1);
    assert_string_equal(m.programs[2].args, "--verbose  two");
    assert_int_equal(m.programs[2].flags, PROGRAM_MODULE);
    assert_int_equal(m.programs[2].line, 5);
    assert_int_equal(m.programs[3].uses, 1 << 1 | 1 << 2);
    assert_int_equal(m.programs[3].quota_pages, 2048);
    assert_int_equal(m.programs[3].flags, PROGRAM_CREATE_PD | PROGRAM_NO_PORTAL);
    assert_int_equal(manifest_find(&m, "vfs"), 2);
    assert_int_equal(manifest_find(&m, "net"), -1);
}

static const struct {
    const char *text;
    unsigned line;
    const char *says;
} mistakes[] = {
    { "", 0, "no program" },
    { "# nothing\n\n", 0, "no program" },
    { "server a b\n", 1, "begins with 'program', not 'server'" },
    { "  program a b\n", 1, "after blanks" },
    { "\nprogram\n", 2, "needs a name" },
    { "program a\n", 1, "needs a path" },
    { "program a a\nprogram a b\n", 2, "two programs with the name 'a'" },
    { "program uses a\n", 1, "can't have the name 'uses'" },
    { "program root a\n", 1, "can't have the name 'root'" },
    { "program a23456789012345678901234 a\n", 1, "longer than" },
    { "program a a colour red\n", 1, "unknown word 'colour'" },
    { "program a a\n  priority 10\n  turbo\n", 3, "unknown word 'turbo'" },
    { "program a a priority high\n", 1, "not 'high'" },
    { "program a a priority\n", 1, "not 'end of row'" },
    { "program a a priority 60\n", 1, "more than 59" },
    { "program a a priority 99999999999999999999999\n", 1, "is not a number" },
    { "program a a cpu 16\n", 1, "more than 15" },
    { "program a a kernel-quota 8GiB\n", 1, "KiB or MiB" },
    { "program a a kernel-quota 100\n", 1, "less than 64 KiB" },
    { "program a a uses b\n", 1, "unknown program 'b' after uses" },
    { "program a a uses a\n", 1, "a uses itself" },
    { "program a a uses module\n", 1, "needs the name of a program" },
    { "program a a shares-frames-with x\n", 1, "unknown program 'x'" },
    { "program a a\n uses b\nprogram b b uses c\nprogram c c uses a\n", 4, "a cycle: c uses a" },
    { "program a a uses b\nprogram b b\n", 1, "starts after it (line 2)" },
    { "program a a shares-frames-with b\nprogram b b\n", 1, "b, which starts after it" },
    { "program a a no-portal\nprogram b b uses a\n", 2, "has no portal" },
    { "program a a args\n", 1, "args needs something" },
    { "program a b\x01 x\n", 1, "not text (0x01)" },
    { "program a \xff\n", 0, NULL }, /* a path may have any bytes above blanks */
};

static void reports_mistakes_with_their_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct manifest m;
        struct manifest_error error = { 0 };
        bool good = parse(&m, mistakes[i].text, &error);

        if (!mistakes[i].says) {
            assert_true(good);
            continue;
        }
        assert_false(good);
        if (!strstr(error.text, mistakes[i].says))
            fail_msg("'%s': '%s'", mistakes[i].text, error.text);
        if (error.line != mistakes[i].line)
            fail_msg("'%s': line %u, not %u", mistakes[i].text, error.line, mistakes[i].line);
    }
}

static void limits_the_number_of_programs(void **state)
{
    struct manifest m;
    struct manifest_error error;
    char text[1024];
    size_t used = 0;

    (void)state;
    for (unsigned i = 0; i < MANIFEST_MAX_PROGRAMS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "program p%u p\n", i);
    assert_true(parse(&m, text, &error));
    strcpy(text + used, "program more p\n");
    assert_false(parse(&m, text, &error));
    assert_int_equal(error.line, MANIFEST_MAX_PROGRAMS + 1);
}

static void limits_the_length_of_words(void **state)
{
    struct manifest m;
    struct manifest_error error;
    char text[2048] = "program a ";

    (void)state;
    memset(text + 10, 'p', 127);
    assert_true(parse(&m, text, &error));
    memset(text + 10, 'p', 128);
    assert_false(parse(&m, text, &error));
    strcpy(text, "program a a args ");
    for (unsigned i = 0; i < STARTUP_ARGS_BYTES; i++)
        text[17 + i] = i % 100 == 50 ? ' ' : 'x';
    text[17 + STARTUP_ARGS_BYTES - 1] = '\0';
    assert_true(parse(&m, text, &error));
    assert_int_equal(strlen(m.programs[0].args), STARTUP_ARGS_BYTES - 1);
    text[17 + STARTUP_ARGS_BYTES - 1] = 'x';
    assert_false(parse(&m, text, &error));
}

/* Any cut and any damaged byte: an answer, and no overrun. */
static void survives_damage(void **state)
{
    static const char text[] = "program a boot/a priority 7 module\n"
                               "program b boot/b\n  uses a kernel-quota 8MiB # x\n args 1 2\n";

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        struct manifest m;
        struct manifest_error error;
        char damaged[sizeof text];

        memcpy(damaged, text, sizeof text);
        damaged[i] = '\0';
        (void)parse(&m, damaged, &error);
        for (unsigned value = 1; value < 256; value++) {
            damaged[i] = (char)value;
            (void)manifest_parse(&m, damaged, sizeof text - 1, &error);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_words),
        cmocka_unit_test(reports_mistakes_with_their_lines),
        cmocka_unit_test(limits_the_number_of_programs),
        cmocka_unit_test(limits_the_length_of_words),
        cmocka_unit_test(survives_damage),
    };

    return cmocka_run_group_tests_name("roottask/manifest", tests, NULL, NULL);
}
