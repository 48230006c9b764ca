/*
 * What is typed: editing, echo, signals.
 */
#include <servers/vfs/terminal.h>

#include <lib/native/native.h>
#include <signal.h>

#define BELL        '\a'
#define TAB_COLUMNS 8u

static bool has_local(const struct terminal *t, unsigned flag)
{
    return (t->settings.c_lflag & flag) != 0;
}

/* Whether byte is the special character; 0 disables it. */
static bool is_special(const struct terminal *t, unsigned which, uint8_t byte)
{
    return t->settings.c_cc[which] && byte == t->settings.c_cc[which];
}

static uint16_t entry_at(const struct terminal *t, uint64_t position)
{
    return t->input[position % TERMINAL_INPUT];
}

static uint64_t input_room(const struct terminal *t)
{
    return TERMINAL_INPUT - (t->head - t->tail);
}

bool terminal_has_room(const struct terminal *t, size_t count)
{
    /* A line that fills everything can't be read before its end: take more and drop it. */
    if (terminal_is_canonical(t) && t->committed == t->tail)
        return true;
    return input_room(t) >= count;
}

size_t terminal_readable(const struct terminal *t)
{
    size_t count = 0;

    if (!terminal_is_canonical(t))
        return t->head - t->tail;
    for (uint64_t i = t->tail; i != t->committed; i++)
        count += !(entry_at(t, i) & INPUT_EOF);
    return count;
}

static void input_push(struct terminal *t, uint16_t entry)
{
    t->input[t->head++ % TERMINAL_INPUT] = entry;
}

/* ---- echo --------------------------------------------------------------------------------- */

static bool is_control(uint8_t byte) { return byte < ' ' || byte == 0x7f; }

static void echo(struct terminal *t, uint8_t byte)
{
    if (!has_local(t, ECHO) && !(byte == '\n' && has_local(t, ECHONL) && has_local(t, ICANON)))
        return;
    if (is_control(byte) && has_local(t, ECHOCTL) && byte != '\t' && byte != '\n') {
        terminal_put(t, '^');
        terminal_put(t, byte ^ 0x40);
        return;
    }
    terminal_put(t, byte);
}

/* Columns that a byte of the edited line took when its echo began in column. */
static unsigned echo_width(const struct terminal *t, uint8_t byte, unsigned column)
{
    if (byte == '\t')
        return TAB_COLUMNS - column % TAB_COLUMNS;
    if (is_control(byte))
        return has_local(t, ECHOCTL) ? 2 : 0;
    if ((byte & 0xc0) == 0x80 && (t->settings.c_iflag & IUTF8))
        return 0;
    return 1;
}

/* Column in which the line being edited ends. */
static unsigned line_end_column(const struct terminal *t)
{
    unsigned column = t->line_column;

    for (uint64_t i = t->committed; i != t->head; i++)
        column += echo_width(t, (uint8_t)entry_at(t, i), column);
    return column;
}

static void echo_rubout(struct terminal *t, unsigned columns)
{
    while (columns--) {
        terminal_put(t, '\b');
        terminal_put(t, ' ');
        terminal_put(t, '\b');
    }
}

/* ---- editing ------------------------------------------------------------------------------ */

static bool line_is_empty(const struct terminal *t) { return t->head == t->committed; }

static uint8_t last_byte(const struct terminal *t) { return (uint8_t)entry_at(t, t->head - 1); }

/* Takes the last character off the line, with all its bytes. */
static void character_erase(struct terminal *t)
{
    unsigned before = line_end_column(t);
    bool     utf8 = t->settings.c_iflag & IUTF8;
    bool     more;

    do {
        more = utf8 && (last_byte(t) & 0xc0) == 0x80;
        t->head--;
    } while (more && !line_is_empty(t));
    if (has_local(t, ECHO) && has_local(t, ECHOE))
        echo_rubout(t, before - line_end_column(t));
    else
        echo(t, t->settings.c_cc[VERASE]);
}

static bool is_word(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

static void word_erase(struct terminal *t)
{
    while (!line_is_empty(t) && !is_word(last_byte(t)))
        character_erase(t);
    while (!line_is_empty(t) && is_word(last_byte(t)))
        character_erase(t);
}

static void line_kill(struct terminal *t)
{
    if (has_local(t, ECHO) && has_local(t, ECHOE) && has_local(t, ECHOKE)) {
        while (!line_is_empty(t))
            character_erase(t);
        return;
    }
    t->head = t->committed;
    echo(t, t->settings.c_cc[VKILL]);
    if (has_local(t, ECHOK))
        echo(t, '\n');
}

static void line_reprint(struct terminal *t)
{
    echo(t, t->settings.c_cc[VREPRINT]);
    echo(t, '\n');
    t->line_column = t->column;
    for (uint64_t i = t->committed; i != t->head; i++)
        echo(t, (uint8_t)entry_at(t, i));
}

static void line_commit(struct terminal *t, uint16_t entry)
{
    if (input_room(t) == 0)
        return;
    input_push(t, entry | INPUT_LINE_END);
    t->committed = t->head;
}

/* An ordinary character. One place is kept for the end of the line. */
static void character_insert(struct terminal *t, uint8_t byte)
{
    if (input_room(t) <= 1) {
        if (t->settings.c_iflag & IMAXBEL)
            terminal_put(t, BELL);
        return;
    }
    if (line_is_empty(t))
        t->line_column = t->column;
    input_push(t, byte);
    echo(t, byte);
}

/* Returns whether byte was an editing character. */
static bool edit(struct terminal *t, uint8_t byte)
{
    bool extended = has_local(t, IEXTEN);

    if (is_special(t, VERASE, byte)) {
        if (!line_is_empty(t))
            character_erase(t);
    } else if (is_special(t, VKILL, byte)) {
        line_kill(t);
    } else if (extended && is_special(t, VWERASE, byte)) {
        word_erase(t);
    } else if (extended && is_special(t, VREPRINT, byte) && has_local(t, ECHO)) {
        line_reprint(t);
    } else if (extended && is_special(t, VLNEXT, byte)) {
        t->literal_next = true;
        if (has_local(t, ECHO) && has_local(t, ECHOCTL)) {
            terminal_put(t, '^');
            terminal_put(t, '\b');
        }
    } else {
        return false;
    }
    return true;
}

/* Returns whether byte ended the line. */
static bool line_end(struct terminal *t, uint8_t byte)
{
    if (is_special(t, VEOF, byte)) {
        line_commit(t, INPUT_EOF);
        return true;
    }
    if (byte != '\n' && !is_special(t, VEOL, byte) &&
        !(has_local(t, IEXTEN) && is_special(t, VEOL2, byte)))
        return false;
    echo(t, byte);
    line_commit(t, byte);
    return true;
}

/* ---- signals and flow control ------------------------------------------------------------- */

static unsigned signal_of(const struct terminal *t, uint8_t byte)
{
    if (!has_local(t, ISIG))
        return 0;
    if (is_special(t, VINTR, byte))
        return SIGINT;
    if (is_special(t, VQUIT, byte))
        return SIGQUIT;
    return is_special(t, VSUSP, byte) ? SIGTSTP : 0;
}

static void signal_typed(struct terminal *t, unsigned signal, uint8_t byte)
{
    t->signals |= 1ull << signal;
    if (!has_local(t, NOFLSH)) {
        terminal_flush_input(t);
        terminal_drain(t); /* what the channel takes at once, such as echoes, is not lost */
        terminal_flush_output(t);
    }
    if (t->stopped)
        terminal_stop(t, false);
    echo(t, byte);
}

/* Returns whether byte was VSTART or VSTOP. */
static bool flow_control(struct terminal *t, uint8_t byte)
{
    unsigned flags = t->settings.c_iflag;

    if (!(flags & IXON))
        return false;
    if (is_special(t, VSTOP, byte)) {
        terminal_stop(t, true);
        return true;
    }
    if (is_special(t, VSTART, byte)) {
        terminal_stop(t, false);
        return true;
    }
    if (t->stopped && (flags & IXANY))
        terminal_stop(t, false);
    return false;
}

/* ---- all together ------------------------------------------------------------------------- */

/* CR and NL as c_iflag says. Returns false if the byte is dropped. */
static bool map_newline(const struct terminal *t, uint8_t *byte)
{
    unsigned flags = t->settings.c_iflag;

    if (*byte == '\r' && (flags & IGNCR))
        return false;
    if (*byte == '\r' && (flags & ICRNL))
        *byte = '\n';
    else if (*byte == '\n' && (flags & INLCR))
        *byte = '\r';
    return true;
}

static void receive_byte(struct terminal *t, uint8_t byte)
{
    unsigned signal;

    if (t->settings.c_iflag & ISTRIP)
        byte &= 0x7f;
    if (t->literal_next) {
        t->literal_next = false;
        character_insert(t, byte);
        return;
    }
    if (flow_control(t, byte))
        return;
    signal = signal_of(t, byte);
    if (signal) {
        signal_typed(t, signal, byte);
        return;
    }
    if (!map_newline(t, &byte))
        return;
    if (terminal_is_canonical(t) && (edit(t, byte) || line_end(t, byte)))
        return;
    character_insert(t, byte);
}

static void wake_readers(struct terminal *t)
{
    if (t->ended || t->tail != (terminal_is_canonical(t) ? t->committed : t->head))
        wake_all(&t->readers);
}

void terminal_receive(struct terminal *t, const uint8_t *bytes, size_t count)
{
    t->last_input_ns = clock_ns();
    for (size_t i = 0; i < count; i++)
        receive_byte(t, bytes[i]);
    terminal_drain(t);
    wake_readers(t);
}

void terminal_end_input(struct terminal *t)
{
    t->ended = true;
    wake_all(&t->readers);
}

void terminal_flush_input(struct terminal *t)
{
    t->tail = t->committed = t->head;
    t->literal_next = false;
}

void terminal_mode_changed(struct terminal *t, bool was_canonical)
{
    if (terminal_is_canonical(t) == was_canonical)
        return;
    t->literal_next = false;
    if (terminal_is_canonical(t) && t->head != t->tail) {
        t->input[(t->head - 1) % TERMINAL_INPUT] |= INPUT_LINE_END;
        t->committed = t->head;
    } else if (t->head == t->tail) {
        t->committed = t->head;
    }
    wake_readers(t);
}
