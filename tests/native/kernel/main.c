/*
 * Runs the tests as the root program: nothing else is on the machine, and the
 * tests have all rights. Reports with "@test" lines on the first serial port and
 * ends QEMU.
 */
#include "env.h"

#include <stdarg.h>
#include <string.h>

_Noreturn void root_main(const struct kernel_info *info, struct utcb *utcb, uint64_t first_sel,
                         struct tcb *tcb);

enum {
    COM1 = 0x3f8, LINE_STATUS = 5, LINE_STATUS_EMPTY = 0x20,
    DEBUG_EXIT = 0xf4, EXIT_DONE = 33,
    WATCHDOG_MS = 20000, WATCHDOG_STEP_MS = 250,
    LEAK_TRIES = 4, SMP_SLACK_PAGES = 16,
};

static const struct group groups[] = {
    { "call", call_tests },       { "items", item_tests },   { "params", param_tests },
    { "caps", cap_tests },        { "sm", sm_tests },        { "foreign", foreign_tests },
    { "exception", exception_tests }, { "recall", recall_tests },
    { "copy", copy_tests },       { "map", map_tests },      { "quota", quota_tests },
    { "life", life_tests },       { "sched", sched_tests },  { "help", help_tests },
    { "fpu", fpu_tests },         { "smp", smp_tests },      { "fuzz", fuzz_tests },
};

/* ---- log ------------------------------------------------------------------------------- */

static void out(uint16_t port, uint8_t byte)
{
    __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
    uint8_t byte;

    __asm__ volatile("inb %1, %0" : "=a"(byte) : "Nd"(port));
    return byte;
}

static void put(char c)
{
    while (!(in(COM1 + LINE_STATUS) & LINE_STATUS_EMPTY))
        relax();
    out(COM1, (uint8_t)c);
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_number(uint64_t value, unsigned base)
{
    char digits[20];
    unsigned n = 0;

    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n)
        put(digits[--n]);
}

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%')
            put(*format);
        else if (*++format == 's')
            put_text(va_arg(args, const char *));
        else
            put_number(va_arg(args, uint64_t), *format == 'x' ? 16 : 10);
    }
    va_end(args);
    put('\n');
}

/* ---- failures -------------------------------------------------------------------------- */

static struct {
    uint64_t count;
    const char *file, *what;
    uint64_t line, got, wanted;
} failure;

void test_failed(const char *file, int line, const char *what, uint64_t got, uint64_t wanted)
{
    if (__atomic_fetch_add(&failure.count, 1, __ATOMIC_RELAXED))
        return;
    failure.file = file;
    failure.line = (uint64_t)line;
    failure.what = what;
    failure.got = got;
    failure.wanted = wanted;
}

bool test_has_failed(void) { return __atomic_load_n(&failure.count, __ATOMIC_RELAXED); }

static uint64_t failures; /* tests that failed */

static void failure_print(const char *group, const char *name)
{
    failures++;
    if (failure.got == failure.wanted)
        log_line("@test fail %s/%s: %s %d, %s", group, name, failure.file, failure.line,
                 failure.what);
    else
        log_line("@test fail %s/%s: %s %d, %s is 0x%x, not 0x%x", group, name, failure.file,
                 failure.line, failure.what, failure.got, failure.wanted);
}

_Noreturn static void machine_end(void)
{
    log_line("@exit %d", (uint64_t)(failures > 0));
    out(DEBUG_EXIT, EXIT_DONE);
    for (;;)
        relax();
}

/* ---- watchdog ---------------------------------------------------------------------------- */

static struct {
    uint64_t started; /* TSC */
    const char *group, *name;
} running;

/* Runs above all others: a test that hangs is reported, and is the last. */
static void watchdog(void *arg)
{
    (void)arg;
    for (;;) {
        hc_sm_down(SEL_NEVER, tsc() + ms(WATCHDOG_STEP_MS));
        if (tsc() - load(&running.started) < ms(WATCHDOG_MS))
            continue;
        if (test_has_failed())
            failure_print(running.group, running.name);
        else
            log_line("@test fail %s/%s: hangs", running.group, running.name);
        failures++;
        machine_end();
    }
}

static void watchdog_start(void)
{
    store(&running.started, tsc());
    thread_new(ROOT_SEL_PD, 0, 63, watchdog, NULL);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Runs it until a run takes no kernel memory away: the first ones may let slabs and
 * root's page tables grow. Objects must be as before every time. With several CPUs
 * it is chance how many objects await their end at once. */
static void run_checked(const struct test *test)
{
    uint64_t slack = cpu_count > 1 ? SMP_SLACK_PAGES : 0;

    for (unsigned n = 0; n < LEAK_TRIES; n++) {
        struct kmem_stat before = kernel_memory();
        uint64_t now;

        test->run();
        env_reset();
        if (!objects_settle(&before) || test_has_failed() || test->flags & TEST_ONCE)
            return;
        now = kernel_memory().pages_free;
        if (now + slack >= before.pages_free)
            return;
        if (n + 1 == LEAK_TRIES)
            test_failed("main.c", __LINE__, "free pages", now, before.pages_free);
    }
}

static void run(const char *group, const struct test *test)
{
    if (test->flags & TEST_SMP && cpu_count < 2) {
        log_line("@test skip %s/%s: one CPU", group, test->name);
        return;
    }
    memset(&failure, 0, sizeof failure);
    running.group = group;
    running.name = test->name;
    store(&running.started, tsc());
    run_checked(test);
    if (test_has_failed())
        failure_print(group, test->name);
    else
        log_line("@test ok %s/%s", group, test->name);
}

/* On the command line: only=GROUP or only=GROUP/TEST. */
static bool wanted(const char *cmdline, const char *group, const char *name)
{
    const char *only = strstr(cmdline, "only=");
    size_t length = strlen(group);

    if (!only)
        return true;
    only += strlen("only=");
    if (strncmp(only, group, length))
        return false;
    only += length;
    if (*only != '/')
        return *only <= ' ';
    return !strncmp(only + 1, name, strlen(name)) && only[1 + strlen(name)] <= ' ';
}

static uint64_t for_each(const char *cmdline, bool execute)
{
    uint64_t count = 0;

    for (unsigned g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct test *t = groups[g].tests; t->name; t++) {
            if (!wanted(cmdline, groups[g].name, t->name))
                continue;
            count++;
            if (execute)
                run(groups[g].name, t);
        }
    return count;
}

_Noreturn void root_main(const struct kernel_info *info, struct utcb *utcb, uint64_t first_sel,
                         struct tcb *tcb)
{
    *tcb = (struct tcb){ .utcb = utcb };
    env_init(info, (cap_sel_t)first_sel);
    watchdog_start();
    env_reset();
    if (test_has_failed())
        failure_print("main", "start");
    log_line("@test plan %d", for_each(info->cmdline, false));
    for_each(info->cmdline, true);
    if (exact_time)
        costs_print();
    machine_end();
}
