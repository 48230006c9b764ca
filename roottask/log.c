/*
 * The system log: lines on COM1, polled. In place of lib/native/log.c.
 */
#include "format.h"
#include "root.h"
#include <drivers/ports.h>
#include <drivers/uart.h>
#include <stdarg.h>
#include <string.h>

#define LINE_BYTES 1100u

static struct lock log_lock; /* before log_init there is one thread, and it is always free */
static _Atomic bool crashing;

void log_init(void) { lock_init(&log_lock); }
void log_crashing(void) { crashing = true; }

/* Printable text only, so that nobody forges lines or controls the terminal. */
static size_t text_clean(char *to, const char *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)from[i];

        to[i] = c >= ' ' && c != 0x7f ? (char)c : c == '\t' ? ' ' : '?';
    }
    return bytes;
}

static void line_send(const char *line, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += UART_FIFO_BYTES) {
        size_t burst = bytes - at < UART_FIFO_BYTES ? bytes - at : UART_FIFO_BYTES;

        while (!(port_read8(UART_COM1 + UART_LSR) & UART_LSR_THRE))
            __builtin_ia32_pause();
        port_write_many(UART_COM1 + UART_DATA, line + at, burst);
    }
}

void log_write(const char *prefix, const char *text, size_t bytes)
{
    char line[LINE_BYTES];
    size_t used = strnlen(prefix, LINE_BYTES / 2);
    bool locked = !crashing;

    memcpy(line, prefix, used);
    if (bytes > sizeof line - used - 1)
        bytes = sizeof line - used - 1;
    used += text_clean(line + used, text, bytes);
    line[used++] = '\n';
    if (locked)
        lock_acquire(&log_lock);
    line_send(line, used);
    if (locked)
        lock_release(&log_lock);
}

__attribute__((format(printf, 1, 0))) static void line_log(const char *format, va_list arguments)
{
    char text[256];
    size_t length = text_format_list(text, sizeof text, format, arguments);

    log_write(text[0] == '@' ? "" : "root: ", text, length);
}

void log_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    line_log(format, arguments);
    va_end(arguments);
}

_Noreturn void panic_at(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    log_crashing();
    log_line("panic at %s:%d", file, line);
    va_start(arguments, format);
    line_log(format, arguments);
    va_end(arguments);
    system_fail();
}
