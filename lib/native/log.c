/*
 * Lines for the system log, sent to the roottask.
 */
#include <gen/root_client.h>
#include <lib/native/runtime.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 241 /* with the zero byte */

static void line_send(const char *line)
{
    struct server_ref to = { .portal = portal_find("root") };

    (void)root_log(&to, line, strnlen(line, LINE_BYTES - 1));
}

__attribute__((format(printf, 2, 0))) static void line_log(const char *place, const char *format,
                                                           va_list arguments)
{
    char line[LINE_BYTES];
    int  used = snprintf(line, sizeof line, "%s: %s", startup_info()->name, place);

    if (used >= 0 && (size_t)used < sizeof line)
        vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    line_send(line);
}

void log_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    line_log("", format, arguments);
    va_end(arguments);
}

_Noreturn void panic_at(const char *file, int line, const char *format, ...)
{
    char    place[100];
    va_list arguments;

    snprintf(place, sizeof place, "panic at %s:%d: ", file, line);
    va_start(arguments, format);
    line_log(place, format, arguments);
    va_end(arguments);
    __builtin_trap();
}
