/*
 * Between the files of the decoder: text that is being made, and the call that it
 * is about.
 */
#pragma once

#include <gen/linux_trace.h>
#include <personality/linux/trace.h>

struct trace_text {
    char  *out;
    size_t max, length; /* without the zero byte, which is always there */

    const uint64_t *arg;
    int64_t         result;
    trace_reader   *read_memory;
    void           *context;
};

/* Strings and arrays are cut after so many characters and elements, as strace does. */
#define TRACE_STRING_MAX 32u
#define TRACE_ARRAY_MAX  16u

void text_char(struct trace_text *text, char c);
void text_add(struct trace_text *text, const char *string);
void text_printf(struct trace_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* NULL, or the address in hexadecimal. */
void text_pointer(struct trace_text *text, uint64_t address);
/* Symbols of the value; what has no symbol is printed as a number. */
void text_symbols(struct trace_text *text, enum symbol_set set, uint64_t value);
/* Bytes in quotes, with "..." if there are more than total. */
void text_quote(struct trace_text *text, const unsigned char *bytes, size_t count, bool cut);
/* Returns whether all bytes could be read. */
bool text_read(struct trace_text *text, void *to, uint64_t address, size_t bytes);

/* Everything that looks into the program's memory (trace_memory.c). Prints the
 * address if that is not possible or the call failed before it was filled. */
void text_memory(struct trace_text *text, const struct linux_argument *argument, uint64_t value);
