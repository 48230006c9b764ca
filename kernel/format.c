/*
 * Memory functions, and text formatting for messages to the console.
 */
#include "misc.h"

void *memset(void *to, int byte, size_t bytes)
{
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101ull;
    void *at = to;
    size_t words = bytes / 8;

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    for (char *p = at, *end = (char *)to + bytes; p < end; p++)
        *p = (char)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *at = to;
    size_t words = bytes / 8;

    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
    for (size_t rest = bytes % 8; rest; rest--) {
        *(char *)at = *(const char *)from;
        at = (char *)at + 1;
        from = (const char *)from + 1;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;

    for (; bytes; bytes--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void page_clear(void *page)
{
    memset(page, 0, PAGE_BYTES);
}

struct output {
    char  *to;
    size_t max, length;
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->max)
        out->to[out->length] = c;
    out->length++;
}

static void put_number(struct output *out, uint64_t value, unsigned base, bool negative, int width,
                       char pad)
{
    char digits[24];
    int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative)
        digits[n++] = '-';
    for (int i = n; i < width; i++)
        put(out, pad);
    while (n)
        put(out, digits[--n]);
}

static void put_string(struct output *out, const char *s)
{
    for (s = s ? s : "(null)"; *s; s++)
        put(out, *s);
}

/* %s %c %d %u %x %lx %lu %ld, width and zero padding. */
size_t format_text(char *to, size_t max, const char *format, __builtin_va_list args)
{
    struct output out = { to, max, 0 };

    for (; *format; format++) {
        int width = 0;
        bool is_long = false;
        char pad = ' ';

        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        if (*++format == '0')
            pad = '0';
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + *format - '0';
        for (; *format == 'l'; format++)
            is_long = true;
        switch (*format) {
        case 's': put_string(&out, __builtin_va_arg(args, const char *)); break;
        case 'c': put(&out, (char)__builtin_va_arg(args, int)); break;
        case 'd': {
            int64_t v = is_long ? __builtin_va_arg(args, int64_t) : __builtin_va_arg(args, int);
            put_number(&out, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, width, pad);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t v = is_long ? __builtin_va_arg(args, uint64_t)
                                 : __builtin_va_arg(args, unsigned);
            put_number(&out, v, *format == 'x' ? 16 : 10, false, width, pad);
            break;
        }
        default: put(&out, *format); break;
        }
    }
    if (max)
        to[out.length < max ? out.length : max - 1] = 0;
    return out.length;
}
