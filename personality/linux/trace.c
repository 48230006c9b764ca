/*
 * The decoder of Linux calls: text, symbols, plain arguments, results.
 */
#include "trace_text.h"

#include <linux/fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#define MAX_ERRNO 4095

/* ---- text ---------------------------------------------------------------------------------- */

void text_char(struct trace_text *text, char c)
{
    if (text->length + 1 >= text->max)
        return;
    text->out[text->length++] = c;
    text->out[text->length] = 0;
}

void text_add(struct trace_text *text, const char *string)
{
    while (*string)
        text_char(text, *string++);
}

void text_printf(struct trace_text *text, const char *format, ...)
{
    char    piece[96];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    text_add(text, piece);
}

void text_pointer(struct trace_text *text, uint64_t address)
{
    if (address)
        text_printf(text, "%#llx", (unsigned long long)address);
    else
        text_add(text, "NULL");
}

bool text_read(struct trace_text *text, void *to, uint64_t address, size_t bytes)
{
    return text->read_memory && text->read_memory(text->context, to, address, bytes) == bytes;
}

/* ---- symbols --------------------------------------------------------------------------------- */

static void text_enum(struct trace_text *text, const struct linux_symbol *symbol, uint64_t value)
{
    while (symbol->name && symbol->value != value)
        symbol++;
    if (symbol->name)
        text_add(text, symbol->name);
    else
        text_printf(text, "%#llx", (unsigned long long)value);
}

static void text_flags(struct trace_text *text, const struct linux_symbol *symbol, uint64_t value)
{
    uint64_t rest = value;
    bool     first = true;

    for (; symbol->name; symbol++) {
        if ((value & symbol->mask) != symbol->value || (symbol->value & ~rest))
            continue;
        text_printf(text, "%s%s", first ? "" : "|", symbol->name);
        rest &= ~symbol->value;
        first = false;
    }
    if (rest || first)
        text_printf(text, rest ? "%s%#llx" : "%s%llu", first ? "" : "|", (unsigned long long)rest);
}

void text_symbols(struct trace_text *text, enum symbol_set set, uint64_t value)
{
    const struct linux_symbols *symbols = &linux_symbols[set];

    /* Flags and commands are of type int. */
    if (symbols->is_flags)
        text_flags(text, symbols->symbol, (uint32_t)value);
    else
        text_enum(text, symbols->symbol, (uint32_t)value);
}

static const char *symbol_name(enum symbol_set set, uint64_t value)
{
    const struct linux_symbol *symbol = linux_symbols[set].symbol;

    while (symbol->name && symbol->value != value)
        symbol++;
    return symbol->name;
}

const char *trace_errno_name(int error) { return symbol_name(SYMBOLS_ERRNO, (uint64_t)error); }

const char *trace_signal_name(unsigned signal) { return symbol_name(SYMBOLS_SIGNAL, signal); }

/* ---- arguments --------------------------------------------------------------------------------- */

static void text_dirfd(struct trace_text *text, int fd)
{
    if (fd == AT_FDCWD)
        text_add(text, "AT_FDCWD");
    else
        text_printf(text, "%d", fd);
}

static void text_argument(struct trace_text *text, const struct linux_argument *argument,
                          uint64_t value)
{
    switch (argument->kind) {
    case ARG_INT:
    case ARG_PID:
    case ARG_FD: text_printf(text, "%d", (int)value); break;
    case ARG_UINT: text_printf(text, "%u", (unsigned)value); break;
    case ARG_LONG: text_printf(text, "%lld", (long long)value); break;
    case ARG_ULONG: text_printf(text, "%llu", (unsigned long long)value); break;
    case ARG_HEX: text_printf(text, value ? "%#llx" : "%llx", (unsigned long long)value); break;
    case ARG_MODE:
    case ARG_OCTAL: text_printf(text, "%#o", (unsigned)value); break;
    case ARG_DIRFD: text_dirfd(text, (int)value); break;
    case ARG_SIGNAL: text_symbols(text, SYMBOLS_SIGNAL, value); break;
    case ARG_PTR: text_pointer(text, value); break;
    case ARG_FLAGS:
    case ARG_ENUM: text_symbols(text, argument->detail, value); break;
    default: text_memory(text, argument, value); break;
    }
}

/* The mode of open(2) means nothing unless a file is created. */
static bool is_unused(const struct trace_text *text, const struct linux_argument *argument)
{
    return argument->kind == ARG_MODE && !(text->arg[argument->detail] & (O_CREAT | __O_TMPFILE));
}

static void text_call(struct trace_text *text, unsigned nr)
{
    static const struct linux_signature unknown = { .count = 6,
                                                    .argument = { { ARG_HEX, 0 }, { ARG_HEX, 0 },
                                                                  { ARG_HEX, 0 }, { ARG_HEX, 0 },
                                                                  { ARG_HEX, 0 }, { ARG_HEX, 0 } } };
    const struct linux_signature *signature = &unknown;

    if (nr < LINUX_SIGNATURE_COUNT && linux_signatures[nr].name)
        signature = &linux_signatures[nr];
    if (signature->name)
        text_printf(text, "%s(", signature->name);
    else
        text_printf(text, "syscall_%#x(", nr);
    for (unsigned i = 0; i < signature->count; i++) {
        if (is_unused(text, &signature->argument[i]))
            continue;
        if (i > 0)
            text_add(text, ", ");
        text_argument(text, &signature->argument[i], text->arg[i]);
    }
}

static void text_result(struct trace_text *text, unsigned nr, int64_t result)
{
    unsigned    kind = nr < LINUX_SIGNATURE_COUNT ? linux_signatures[nr].result : RESULT_INT;
    const char *error = result < 0 && result >= -MAX_ERRNO ? trace_errno_name((int)-result) : NULL;

    text_add(text, ") = ");
    if (error)
        text_printf(text, "-1 %s", error);
    else if (kind == RESULT_NONE)
        text_char(text, '?');
    else if (kind == RESULT_HEX)
        text_printf(text, "%#llx", (unsigned long long)result);
    else
        text_printf(text, "%lld", (long long)result);
}

/* ---- interface --------------------------------------------------------------------------------- */

size_t trace_arguments(char *out, size_t max, unsigned nr, const uint64_t arg[6], int64_t result,
                       trace_reader *read_memory, void *context)
{
    struct trace_text text = { .out = out,
                               .max = max,
                               .arg = arg,
                               .result = result,
                               .read_memory = read_memory,
                               .context = context };

    if (max > 0)
        out[0] = 0;
    text_call(&text, nr);
    return text.length;
}

size_t trace_result(char *out, size_t max, unsigned nr, int64_t result)
{
    struct trace_text text = { .out = out, .max = max };

    if (max > 0)
        out[0] = 0;
    text_result(&text, nr, result);
    return text.length;
}

size_t trace_format(char *out, size_t max, unsigned nr, const uint64_t arg[6], int64_t result,
                    trace_reader *read_memory, void *context)
{
    size_t length = trace_arguments(out, max, nr, arg, result, read_memory, context);

    return length + trace_result(out + length, max - length, nr, result);
}
