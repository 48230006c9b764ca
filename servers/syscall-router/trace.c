/*
 * Trace lines. The text of a call is made by personality/linux/trace.h.
 */
#include "trace.h"

#include <asm/unistd.h>
#include <gen/root_client.h>
#include <personality/linux/trace.h>
#include <stdarg.h>
#include <stdio.h>

#define TAIL_BYTES 64u /* kept free for the server and the newline */

bool trace_enabled;

/* Appends text; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void line_add(struct trace_line *line,
                                                           const char *format, ...)
{
    size_t room = sizeof line->text - line->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line->text + line->length, room, format, arguments);
    va_end(arguments);
    if (length > 0)
        line->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void line_write(struct trace_line *line)
{
    if (root_trace(&server_root, line->text, line->length) < 0)
        trace_enabled = false;
    line->written = true;
}

/* Memory is shown as far as it is there: tracing brings no pages in. */
static size_t read_memory(void *context, void *to, uint64_t address, size_t bytes)
{
    const struct thread *thread = context;
    int64_t done = kernel_copy(thread->process->pd, COPY_FROM, to, address, bytes);

    return done > 0 ? (size_t)done : 0;
}

static const char *owner_name(unsigned nr)
{
    static const char *const names[] = {
        [LINUX_NONE] = "not implemented", [LINUX_ROUTER] = "router", [LINUX_VFS] = "vfs",
        [LINUX_PROC] = "proc",            [LINUX_MEM] = "mem",
    };

    return names[nr < LINUX_CALL_COUNT ? linux_routes[nr].owner : LINUX_NONE];
}

/* After these the program's memory is another one, or none. */
static bool is_last_of_its_memory(unsigned nr)
{
    return nr == __NR_execve || nr == __NR_execveat || nr == __NR_exit || nr == __NR_exit_group;
}

static size_t text_room(const struct trace_line *line)
{
    return sizeof line->text - TAIL_BYTES - line->length;
}

void trace_begin(struct trace_line *line, const struct thread *thread, unsigned nr,
                 const uint64_t arg[6])
{
    line->written = false;
    line->length = 0;
    if (!is_last_of_its_memory(nr))
        return;
    line_add(line, "[%u] ", thread->tid);
    line->length += trace_arguments(line->text + line->length, text_room(line), nr, arg, 0,
                                    read_memory, (void *)(uintptr_t)thread);
    if (nr != __NR_exit && nr != __NR_exit_group)
        return;
    line_add(line, ") = ? <%s>\n", owner_name(nr));
    line_write(line);
}

void trace_end(struct trace_line *line, const struct thread *thread, unsigned nr,
               const uint64_t arg[6], int64_t result)
{
    if (line->written)
        return;
    if (line->length) {
        line->length += trace_result(line->text + line->length, text_room(line), nr, result);
    } else {
        line_add(line, "[%u] ", thread->tid);
        line->length += trace_format(line->text + line->length, text_room(line), nr, arg, result,
                                     read_memory, (void *)(uintptr_t)thread);
    }
    line_add(line, " <%s>\n", owner_name(nr));
    line_write(line);
}

void trace_death(const struct thread *thread, uint32_t status)
{
    struct trace_line line = { .length = 0 };
    unsigned signal = status & 0x7f;
    const char *name = signal ? trace_signal_name(signal) : NULL;

    if (name)
        line_add(&line, "[%u] +++ killed by %s +++\n", thread->tid, name);
    else if (signal)
        line_add(&line, "[%u] +++ killed by signal %u +++\n", thread->tid, signal);
    else
        line_add(&line, "[%u] +++ exited with %u +++\n", thread->tid, status >> 8 & 0xff);
    line_write(&line);
}
