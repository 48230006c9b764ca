/*
 * Settings of a terminal: ioctl_tty(2).
 */
#include <servers/vfs/terminal.h>

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <lib/native/native.h>
#include <linux/tty.h>
#include <servers/vfs/process.h>
#include <signal.h>
#include <string.h>

#define CONTROL(letter) ((letter) & 0x1f)
#define DRAIN_POLL_NS   1000000ull

static const struct termios2 initial = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_line = N_TTY,
    .c_cc = { [VINTR] = CONTROL('C'), [VQUIT] = CONTROL('\\'), [VERASE] = 0x7f,
              [VKILL] = CONTROL('U'), [VEOF] = CONTROL('D'), [VMIN] = 1,
              [VSTART] = CONTROL('Q'), [VSTOP] = CONTROL('S'), [VSUSP] = CONTROL('Z'),
              [VREPRINT] = CONTROL('R'), [VDISCARD] = CONTROL('O'), [VWERASE] = CONTROL('W'),
              [VLNEXT] = CONTROL('V') },
    .c_ispeed = 38400,
    .c_ospeed = 38400,
};

void terminal_reset(struct terminal *t)
{
    t->settings = initial;
    terminal_flush_input(t);
    terminal_flush_output(t);
    t->column = t->line_column = 0;
    t->stopped = t->literal_next = false;
    t->signals = 0;
    t->pgrp = t->session = 0;
}

void terminal_set_window(struct terminal *t, unsigned rows, unsigned columns)
{
    if (t->window.ws_row == rows && t->window.ws_col == columns)
        return;
    t->window.ws_row = (unsigned short)rows;
    t->window.ws_col = (unsigned short)columns;
    t->signals |= 1ull << SIGWINCH;
}

static int64_t settings_out(struct terminal *t, struct call *call, uint64_t to)
{
    struct termios old;

    memset(&old, 0, sizeof old);
    old.c_iflag = t->settings.c_iflag;
    old.c_oflag = t->settings.c_oflag;
    old.c_cflag = t->settings.c_cflag;
    old.c_lflag = t->settings.c_lflag;
    old.c_line = t->settings.c_line;
    memcpy(old.c_cc, t->settings.c_cc, sizeof old.c_cc);
    return copy_out(call, to, &old, sizeof old);
}

/* Reads the structure that request takes. Returns 0 or 1 (fault in). */
static int settings_in(struct terminal *t, struct call *call, uint64_t from, bool is_new,
                       struct termios2 *settings)
{
    struct termios old;

    *settings = t->settings;
    if (is_new)
        return copy_in(call, settings, from, sizeof *settings);
    if (copy_in(call, &old, from, sizeof old))
        return 1;
    settings->c_iflag = old.c_iflag;
    settings->c_oflag = old.c_oflag;
    settings->c_cflag = old.c_cflag;
    settings->c_lflag = old.c_lflag;
    settings->c_line = old.c_line;
    memcpy(settings->c_cc, old.c_cc, sizeof old.c_cc);
    return 0;
}

/* Returns true when all output has left; else the call is asked again. */
static bool wait_drained(struct terminal *t, struct call *call)
{
    if (terminal_drain(t))
        return true;
    if (t->stopped)
        (void)call_wait(call, &t->writers, clock_ns() + DRAIN_POLL_NS);
    else
        (void)call_sleep(call, clock_ns() + DRAIN_POLL_NS);
    return false;
}

enum when { NOW, AFTER_OUTPUT, AFTER_OUTPUT_FLUSH_INPUT };

static int64_t settings_set(struct terminal *t, struct call *call, uint64_t from, bool is_new,
                            enum when when)
{
    bool            was_canonical = terminal_is_canonical(t);
    struct termios2 settings;

    if (settings_in(t, call, from, is_new, &settings))
        return 0;
    if (when != NOW && !wait_drained(t, call))
        return 0;
    if (when == AFTER_OUTPUT_FLUSH_INPUT)
        terminal_flush_input(t);
    t->settings = settings;
    terminal_mode_changed(t, was_canonical);
    return 0;
}

static int64_t window_in(struct terminal *t, struct call *call, uint64_t from)
{
    struct winsize window;

    if (copy_in(call, &window, from, sizeof window))
        return 0;
    terminal_set_window(t, window.ws_row, window.ws_col);
    t->window = window;
    return 0;
}

static int64_t int_out(struct call *call, uint64_t to, uint64_t value)
{
    int number = (int)value;

    return copy_out(call, to, &number, sizeof number);
}

static int64_t pgrp_in(struct terminal *t, struct call *call, uint64_t from)
{
    int pgrp;

    if (copy_in(call, &pgrp, from, sizeof pgrp))
        return 0;
    if (pgrp < 0)
        return -EINVAL;
    t->pgrp = (uint32_t)pgrp;
    return 0;
}

static int64_t flush(struct terminal *t, uint64_t which)
{
    if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
        return -EINVAL;
    if (which != TCOFLUSH)
        terminal_flush_input(t);
    if (which != TCIFLUSH)
        terminal_flush_output(t);
    return 0;
}

static int64_t flow(struct terminal *t, uint64_t action)
{
    switch (action) {
    case TCOOFF: terminal_stop(t, true); return 0;
    case TCOON: terminal_stop(t, false); return 0;
    case TCIOFF:
    case TCION: return 0; /* the channel has no way to ask the other side for that */
    default: return -EINVAL;
    }
}

int64_t terminal_ioctl(struct terminal *t, struct call *call, unsigned request, uint64_t argument)
{
    switch (request) {
    case TCGETS: return settings_out(t, call, argument);
    case TCSETS: return settings_set(t, call, argument, false, NOW);
    case TCSETSW: return settings_set(t, call, argument, false, AFTER_OUTPUT);
    case TCSETSF: return settings_set(t, call, argument, false, AFTER_OUTPUT_FLUSH_INPUT);
    case TCGETS2: return copy_out(call, argument, &t->settings, sizeof t->settings);
    case TCSETS2: return settings_set(t, call, argument, true, NOW);
    case TCSETSW2: return settings_set(t, call, argument, true, AFTER_OUTPUT);
    case TCSETSF2: return settings_set(t, call, argument, true, AFTER_OUTPUT_FLUSH_INPUT);
    case TIOCGWINSZ: return copy_out(call, argument, &t->window, sizeof t->window);
    case TIOCSWINSZ: return window_in(t, call, argument);
    case FIONREAD: return int_out(call, argument, terminal_readable(t));
    case TIOCOUTQ: return int_out(call, argument, t->output_head - t->output_tail);
    case TIOCGPGRP: return int_out(call, argument, t->pgrp);
    case TIOCSPGRP: return pgrp_in(t, call, argument);
    case TIOCGSID: return int_out(call, argument, t->session);
    case TIOCSCTTY: t->session = call_process(call)->pid; return 0;
    case TIOCGETD: return int_out(call, argument, N_TTY);
    case TCFLSH: return flush(t, argument);
    case TCXONC: return flow(t, argument);
    case TCSBRK:
    case TCSBRKP: (void)wait_drained(t, call); return 0;
    default: return -ENOTTY;
    }
}
