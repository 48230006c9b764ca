/*
 * Linux calls as text, in the manner of strace:
 *
 *     openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = -1 ENOENT
 *
 * What it needs to know comes from syscalls.tbl and flags.tbl.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads the calling program's memory. Returns the bytes read from address on,
 * fewer than asked for where a page is missing. */
typedef size_t trace_reader(void *context, void *to, uint64_t address, size_t bytes);

/* Formats a finished call without newline. Returns the length; what does not fit
 * into max bytes (with the zero byte at the end) is cut. read_memory NULL: only
 * addresses are printed. */
size_t trace_format(char *out, size_t max, unsigned nr, const uint64_t arg[6], int64_t result,
                    trace_reader *read_memory, void *context);

/* The same in two halves, for calls after which the program's memory is another
 * (execve): "name(arguments" before; with after them ") = result". result: 0 if it is
 * not known yet. */
size_t trace_arguments(char *out, size_t max, unsigned nr, const uint64_t arg[6], int64_t result,
                       trace_reader *read_memory, void *context);
size_t trace_result(char *out, size_t max, unsigned nr, int64_t result);

/* "ENOENT" for 2, "SIGKILL" for 9; NULL if there is none. */
const char *trace_errno_name(int error);
const char *trace_signal_name(unsigned signal);
