/*
 * Trace lines of Linux calls for "ph run --trace":
 *
 *     [1] openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3 <vfs>
 */
#pragma once

#include "router.h"

#define TRACE_LINE_BYTES 1024u

extern bool trace_enabled;

struct trace_line {
    bool   written;  /* before the call, which does not come back */
    size_t length;   /* of the arguments, if they had to be taken before the call; else 0 */
    char   text[TRACE_LINE_BYTES];
};

/* Before the call. */
void trace_begin(struct trace_line *line, const struct thread *thread, unsigned nr,
                 const uint64_t arg[6]);
/* After it: writes the line. */
void trace_end(struct trace_line *line, const struct thread *thread, unsigned nr,
               const uint64_t arg[6], int64_t result);
/* The end of a process; status as wait(2) has it. */
void trace_death(const struct thread *thread, uint32_t status);
