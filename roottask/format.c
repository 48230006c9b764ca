/*
 * Formatted text: see format.h.
 */
#include "format.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct output {
    char *to;
    size_t room, used;
};

struct conversion {
    bool zeros;
    bool wide; /* 64-bit argument */
    unsigned width;
    char kind;
};

static void put(struct output *output, char c)
{
    if (output->used + 1 < output->room)
        output->to[output->used++] = c;
}

static void put_text(struct output *output, const char *text, unsigned width)
{
    for (size_t length = strlen(text); length < width; length++)
        put(output, ' ');
    while (*text)
        put(output, *text++);
}

static void put_number(struct output *output, uint64_t value, bool negative,
                       const struct conversion *c)
{
    char digits[24];
    unsigned base = c->kind == 'x' ? 16 : 10, count = 0, sign = negative && c->zeros;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (sign) /* before the zeros, else next to the digits */
        put(output, '-');
    else if (negative)
        digits[count++] = '-';
    for (unsigned i = count + sign; i < c->width; i++)
        put(output, c->zeros ? '0' : ' ');
    while (count > 0)
        put(output, digits[--count]);
}

/* Reads what follows a percent sign. */
static const char *conversion_read(const char *format, struct conversion *c)
{
    *c = (struct conversion){ 0 };
    if (*format == '0') {
        c->zeros = true;
        format++;
    }
    while (*format >= '0' && *format <= '9')
        c->width = c->width * 10 + (unsigned)(*format++ - '0');
    while (*format == 'l' || *format == 'z') {
        c->wide = true;
        format++;
    }
    c->kind = *format;
    return *format ? format + 1 : format;
}

size_t text_format_list(char *to, size_t room, const char *format, va_list arguments)
{
    struct output output = { .to = to, .room = room };
    struct conversion c;
    int64_t value;

    while (*format) {
        if (*format != '%') {
            put(&output, *format++);
            continue;
        }
        format = conversion_read(format + 1, &c);
        switch (c.kind) {
        case 's': put_text(&output, va_arg(arguments, const char *), c.width); break;
        case 'c': put(&output, (char)va_arg(arguments, int)); break;
        case 'd':
            value = c.wide ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            put_number(&output, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0, &c);
            break;
        case 'u':
        case 'x':
            put_number(&output, c.wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned),
                       false, &c);
            break;
        default: put(&output, c.kind ? c.kind : '%'); break;
        }
    }
    to[output.used] = '\0';
    return output.used;
}

size_t text_format(char *to, size_t room, const char *format, ...)
{
    va_list arguments;
    size_t used;

    va_start(arguments, format);
    used = text_format_list(to, room, format, arguments);
    va_end(arguments);
    return used;
}
