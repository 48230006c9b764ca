/*
 * Arguments that point to the program's memory.
 */
#include "trace_text.h"

#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/resource.h>
#include <linux/uio.h>
#include <linux/utsname.h>
#include <string.h>

/* ---- bytes and strings --------------------------------------------------------------------- */

static void text_escaped(struct trace_text *text, unsigned char c, unsigned char next)
{
    static const char plain[] = "\"\\\n\t\r\v\f", letter[] = "\"\\ntrvf";
    const char       *special = c ? strchr(plain, c) : NULL;
    bool              digit_follows = next >= '0' && next <= '9';

    if (special)
        text_printf(text, "\\%c", letter[special - plain]);
    else if (c >= ' ' && c < 0x7f)
        text_char(text, (char)c);
    else
        text_printf(text, digit_follows ? "\\%03o" : "\\%o", c);
}

void text_quote(struct trace_text *text, const unsigned char *bytes, size_t count, bool cut)
{
    text_char(text, '"');
    for (size_t i = 0; i < count; i++)
        text_escaped(text, bytes[i], i + 1 < count ? bytes[i + 1] : 0);
    text_add(text, cut ? "\"..." : "\"");
}

static void text_bytes(struct trace_text *text, uint64_t address, uint64_t count)
{
    unsigned char bytes[TRACE_STRING_MAX];
    size_t        shown = count < sizeof bytes ? count : sizeof bytes;

    if (!address || !text_read(text, bytes, address, shown))
        text_pointer(text, address);
    else
        text_quote(text, bytes, shown, shown < count);
}

static void text_string(struct trace_text *text, uint64_t address)
{
    unsigned char bytes[TRACE_STRING_MAX + 1];
    size_t        count = 0;

    while (count < sizeof bytes && text_read(text, &bytes[count], address + count, 1) && bytes[count])
        count++;
    if (count == sizeof bytes)
        text_quote(text, bytes, TRACE_STRING_MAX, true);
    else if (address && text_read(text, &bytes[count], address + count, 1))
        text_quote(text, bytes, count, false);
    else
        text_pointer(text, address);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static void text_strings(struct trace_text *text, uint64_t address)
{
    uint64_t string;

    if (!address || !text_read(text, &string, address, sizeof string)) {
        text_pointer(text, address);
        return;
    }
    text_char(text, '[');
    for (unsigned i = 0; text_read(text, &string, address + i * 8, sizeof string) && string; i++) {
        if (i > 0)
            text_add(text, ", ");
        if (i == TRACE_ARRAY_MAX) {
            text_add(text, "...");
            break;
        }
        text_string(text, string);
    }
    text_char(text, ']');
}

static void text_vars(struct trace_text *text, uint64_t address)
{
    uint64_t string;
    unsigned count = 0;

    text_pointer(text, address);
    while (address && count < 10000 &&
           text_read(text, &string, address + count * 8, sizeof string) && string)
        count++;
    if (address)
        text_printf(text, " /* %u var%s */", count, count == 1 ? "" : "s");
}

static void text_fds(struct trace_text *text, uint64_t address)
{
    int fds[2];

    if (text->result < 0 || !text_read(text, fds, address, sizeof fds))
        text_pointer(text, address);
    else
        text_printf(text, "[%d, %d]", fds[0], fds[1]);
}

/* filled: how many bytes of the buffers the call has filled. */
static void text_iovec(struct trace_text *text, uint64_t address, uint64_t count, uint64_t filled)
{
    struct iovec iov;

    text_char(text, '[');
    for (unsigned i = 0; i < count; i++, filled -= iov.iov_len < filled ? iov.iov_len : filled) {
        if (i > 0)
            text_add(text, ", ");
        if (i == TRACE_ARRAY_MAX || !text_read(text, &iov, address + i * sizeof iov, sizeof iov)) {
            text_add(text, "...");
            break;
        }
        text_add(text, "{iov_base=");
        text_bytes(text, (uintptr_t)iov.iov_base, iov.iov_len < filled ? iov.iov_len : filled);
        text_printf(text, ", iov_len=%llu}", (unsigned long long)iov.iov_len);
    }
    text_char(text, ']');
}

static void text_pollfds(struct trace_text *text, uint64_t address, uint64_t count)
{
    struct pollfd poll;

    text_char(text, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            text_add(text, ", ");
        if (i == TRACE_ARRAY_MAX || !text_read(text, &poll, address + i * sizeof poll, sizeof poll)) {
            text_add(text, "...");
            break;
        }
        text_printf(text, "{fd=%d, events=", poll.fd);
        text_symbols(text, SYMBOLS_POLL, (uint16_t)poll.events);
        if (text->result > 0 && poll.revents) {
            text_add(text, ", revents=");
            text_symbols(text, SYMBOLS_POLL, (uint16_t)poll.revents);
        }
        text_char(text, '}');
    }
    text_char(text, ']');
}

/* ---- structures ---------------------------------------------------------------------------------- */

static void text_signals(struct trace_text *text, uint64_t set)
{
    bool first = true;

    text_char(text, '[');
    for (unsigned signal = 1; signal <= 64; signal++) {
        const char *name = trace_signal_name(signal);

        if (!(set >> (signal - 1) & 1))
            continue;
        text_add(text, first ? "" : " ");
        first = false;
        if (name)
            text_add(text, name + strlen("SIG"));
        else
            text_printf(text, "RT_%u", signal - 32);
    }
    text_char(text, ']');
}

static void text_time(struct trace_text *text, const void *bytes, const char *fraction)
{
    int64_t time[2];

    memcpy(time, bytes, sizeof time);
    text_printf(text, "{tv_sec=%lld, %s=%lld}", (long long)time[0], fraction, (long long)time[1]);
}

static void text_stat(struct trace_text *text, const void *bytes)
{
    struct stat stat;

    memcpy(&stat, bytes, sizeof stat);
    text_add(text, "{st_mode=");
    text_symbols(text, SYMBOLS_MODE, stat.st_mode & 0170000);
    text_printf(text, "|%#o, ", stat.st_mode & 07777);
    if ((stat.st_mode & 0170000) == 0020000 || (stat.st_mode & 0170000) == 0060000)
        text_printf(text, "st_rdev=%#llx, ...}", (unsigned long long)stat.st_rdev);
    else
        text_printf(text, "st_size=%lld, ...}", (long long)stat.st_size);
}

static void text_limit(struct trace_text *text, uint64_t limit)
{
    if (limit == ~0ull)
        text_add(text, "RLIM64_INFINITY");
    else
        text_printf(text, "%llu", (unsigned long long)limit);
}

static void text_rlimit(struct trace_text *text, const void *bytes)
{
    struct rlimit64 limit;

    memcpy(&limit, bytes, sizeof limit);
    text_add(text, "{rlim_cur=");
    text_limit(text, limit.rlim_cur);
    text_add(text, ", rlim_max=");
    text_limit(text, limit.rlim_max);
    text_char(text, '}');
}

static void text_utsname(struct trace_text *text, const void *bytes)
{
    const struct new_utsname *name = bytes;

    text_printf(text, "{sysname=\"%.32s\", nodename=\"%.32s\", ...}", name->sysname,
                name->nodename);
}

/* The kernel's layout: <asm/signal.h> has it for the C library's use only. */
struct kernel_sigaction {
    uint64_t handler, flags, restorer, mask;
};

static void text_sigaction(struct trace_text *text, const void *bytes)
{
    struct kernel_sigaction action;

    memcpy(&action, bytes, sizeof action);
    text_add(text, "{sa_handler=");
    if (action.handler == 0)
        text_add(text, "SIG_DFL");
    else if (action.handler == 1)
        text_add(text, "SIG_IGN");
    else
        text_pointer(text, action.handler);
    text_add(text, ", sa_mask=");
    text_signals(text, action.mask);
    text_add(text, ", sa_flags=");
    text_symbols(text, SYMBOLS_SIGACTION, action.flags);
    text_char(text, '}');
}

static void text_structure(struct trace_text *text, unsigned kind, const void *bytes)
{
    switch (kind) {
    case ARG_SIGSET_IN:
    case ARG_SIGSET_OUT: text_signals(text, *(const uint64_t *)bytes); break;
    case ARG_TIMESPEC_IN:
    case ARG_TIMESPEC_OUT: text_time(text, bytes, "tv_nsec"); break;
    case ARG_TIMEVAL_IN:
    case ARG_TIMEVAL_OUT: text_time(text, bytes, "tv_usec"); break;
    case ARG_STAT_OUT: text_stat(text, bytes); break;
    case ARG_RLIMIT_IN:
    case ARG_RLIMIT_OUT: text_rlimit(text, bytes); break;
    case ARG_UTSNAME_OUT: text_utsname(text, bytes); break;
    case ARG_SIGACTION_IN:
    case ARG_SIGACTION_OUT: text_sigaction(text, bytes); break;
    case ARG_INT_IN:
    case ARG_INT_OUT: text_printf(text, "[%d]", *(const int *)bytes); break;
    default: break;
    }
}

struct layout {
    uint16_t bytes;
    bool     is_output; /* worth reading only if the call succeeded */
};

static const struct layout layouts[] = {
    [ARG_SIGSET_IN] = { 8, false },
    [ARG_SIGSET_OUT] = { 8, true },
    [ARG_TIMESPEC_IN] = { 16, false },
    [ARG_TIMESPEC_OUT] = { 16, true },
    [ARG_TIMEVAL_IN] = { 16, false },
    [ARG_TIMEVAL_OUT] = { 16, true },
    [ARG_STAT_OUT] = { sizeof(struct stat), true },
    [ARG_RLIMIT_IN] = { sizeof(struct rlimit64), false },
    [ARG_RLIMIT_OUT] = { sizeof(struct rlimit64), true },
    [ARG_UTSNAME_OUT] = { sizeof(struct new_utsname), true },
    [ARG_SIGACTION_IN] = { sizeof(struct kernel_sigaction), false },
    [ARG_SIGACTION_OUT] = { sizeof(struct kernel_sigaction), true },
    [ARG_INT_IN] = { sizeof(int), false },
    [ARG_INT_OUT] = { sizeof(int), true },
    [ARG_ENUM] = { 0, false },
};

static void text_object(struct trace_text *text, unsigned kind, uint64_t address)
{
    _Alignas(8) unsigned char bytes[sizeof(struct new_utsname) + 8];
    struct layout             layout = layouts[kind];

    if (!address || !layout.bytes || layout.bytes > sizeof bytes ||
        (layout.is_output && text->result < 0) || !text_read(text, bytes, address, layout.bytes))
        text_pointer(text, address);
    else
        text_structure(text, kind, bytes);
}

/* ---- all of them -------------------------------------------------------------------------------------- */

/* Bytes that an outgoing buffer holds: what the result or another argument says. */
static uint64_t output_length(const struct trace_text *text, unsigned detail)
{
    if (text->result < 0)
        return 0;
    return detail == LENGTH_IS_RESULT ? (uint64_t)text->result : text->arg[detail];
}

void text_memory(struct trace_text *text, const struct linux_argument *argument, uint64_t value)
{
    unsigned detail = argument->detail;

    switch (argument->kind) {
    case ARG_PATH: text_string(text, value); break;
    case ARG_STRINGS: text_strings(text, value); break;
    case ARG_VARS: text_vars(text, value); break;
    case ARG_FDS: text_fds(text, value); break;
    case ARG_INBUF: text_bytes(text, value, text->arg[detail]); break;
    case ARG_OUTBUF:
        if (text->result < 0)
            text_pointer(text, value);
        else
            text_bytes(text, value, output_length(text, detail));
        break;
    case ARG_INIOV: text_iovec(text, value, text->arg[detail], UINT64_MAX); break;
    case ARG_OUTIOV:
        text_iovec(text, value, text->arg[detail], output_length(text, LENGTH_IS_RESULT));
        break;
    case ARG_POLLFDS: text_pollfds(text, value, text->arg[detail]); break;
    default: text_object(text, argument->kind, value); break;
    }
}
