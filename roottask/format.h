/*
 * Formatted text, for the log. musl's printf would use vector registers, and so
 * memory of the kernel at the first use in each thread; the log must work when
 * there is none left.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Like vsnprintf(3), for %c %d %u %x %s %%, with 0, a width, and l, ll or z.
 * Returns the characters written, without the zero byte at the end (room > 0). */
size_t text_format_list(char *to, size_t room, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
size_t text_format(char *to, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
