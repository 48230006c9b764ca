/*
 * What programs write and what is echoed, on its way to the channel.
 */
#include <servers/vfs/terminal.h>

#include <lib/native/native.h>

#define TAB_COLUMNS 8u

static uint64_t output_used(const struct terminal *t) { return t->output_head - t->output_tail; }

size_t terminal_output_room(const struct terminal *t)
{
    return (TERMINAL_OUTPUT - output_used(t)) / TERMINAL_EXPANSION;
}

static void output_push(struct terminal *t, uint8_t byte)
{
    t->output[t->output_head++ % TERMINAL_OUTPUT] = byte;
}

/* c_oflag has OPOST. */
static void put_processed(struct terminal *t, uint8_t byte)
{
    unsigned flags = t->settings.c_oflag;

    if (byte == '\r' && (flags & OCRNL))
        byte = '\n';
    if (byte == '\r' && (flags & ONOCR) && t->column == 0)
        return;
    if (byte == '\t' && (flags & TABDLY) == XTABS) {
        do {
            output_push(t, ' ');
        } while (++t->column % TAB_COLUMNS);
        return;
    }
    if (byte == '\n' && (flags & ONLCR))
        output_push(t, '\r');
    if (byte == '\n' && (flags & (ONLCR | ONLRET)))
        t->column = 0;
    output_push(t, byte);
}

/* Follows the cursor. */
static void column_advance(struct terminal *t, uint8_t byte)
{
    if (byte == '\r')
        t->column = 0;
    else if (byte == '\b')
        t->column -= t->column > 0;
    else if (byte == '\t')
        t->column += TAB_COLUMNS - t->column % TAB_COLUMNS;
    else if (byte >= ' ' && byte != 0x7f && (byte & 0xc0) != 0x80)
        t->column++;
}

void terminal_put(struct terminal *t, uint8_t byte)
{
    bool expanded = byte == '\t' && (t->settings.c_oflag & TABDLY) == XTABS;

    if (terminal_output_room(t) == 0)
        return;
    if (!(t->settings.c_oflag & OPOST)) {
        output_push(t, byte);
        column_advance(t, byte);
        return;
    }
    put_processed(t, byte);
    if (!expanded)
        column_advance(t, byte);
}

bool terminal_drain(struct terminal *t)
{
    while (output_used(t) && !t->stopped) {
        uint64_t at = t->output_tail % TERMINAL_OUTPUT;
        uint64_t run = TERMINAL_OUTPUT - at;
        int64_t  taken;

        if (run > output_used(t))
            run = output_used(t);
        taken = t->send(t, t->output + at, run);
        if (taken < 0) /* the channel is gone, and with it the output */
            t->output_tail = t->output_head;
        else
            t->output_tail += (uint64_t)taken;
        if (taken >= 0 && (uint64_t)taken < run)
            break;
    }
    return output_used(t) == 0;
}

void terminal_stop(struct terminal *t, bool stop)
{
    t->stopped = stop;
    if (stop)
        return;
    terminal_drain(t);
    wake_all(&t->writers);
}

void terminal_flush_output(struct terminal *t)
{
    t->output_tail = t->output_head;
    wake_all(&t->writers);
}
