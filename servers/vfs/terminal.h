/*
 * A terminal: the line discipline between a byte channel and programs; termios(3),
 * ioctl_tty(2). It knows no channel: what it sends goes through send().
 *
 * Input is a ring with three positions: [tail, committed) can be read in canonical mode,
 * [committed, head) is the line that is being edited; in raw mode all can be read.
 */
#pragma once

#include <asm/termbits.h>
#include <asm/termios.h>
#include <lib/server/server.h>

#define TERMINAL_INPUT  4096u /* entries; powers of two */
#define TERMINAL_OUTPUT 8192u /* bytes */
/* The most that one byte of output becomes (a tab that is expanded). */
#define TERMINAL_EXPANSION 8u

/* What an entry of the input ring has besides its byte. */
enum { INPUT_LINE_END = 0x100, INPUT_EOF = 0x200 };

struct terminal {
    struct termios2   settings;
    struct winsize    window;
    uint16_t          input[TERMINAL_INPUT];
    uint64_t          head, committed, tail;   /* entries ever put, committed, read */
    uint64_t          last_input_ns;           /* for VTIME */
    uint8_t           output[TERMINAL_OUTPUT];
    uint64_t          output_head, output_tail;
    unsigned          column;                  /* of the cursor */
    unsigned          line_column;             /* where the line being edited began */
    bool              literal_next;            /* VLNEXT was typed */
    bool              stopped;                 /* VSTOP was typed */
    bool              ended;                   /* no more input will come */
    uint32_t          pgrp, session;           /* in the foreground; 0: none */
    uint64_t          signals;                 /* bit n: signal n is to be sent to pgrp */
    struct wait_queue readers, writers;
    /* Sends bytes; returns how many were taken, or a negative errno. */
    int64_t (*send)(struct terminal *terminal, const void *bytes, size_t count);
};

/* Settings as a new terminal of Linux has them; no input, no output. Keeps send and queues. */
void terminal_reset(struct terminal *terminal);

static inline bool terminal_is_canonical(const struct terminal *t)
{
    return t->settings.c_lflag & ICANON;
}

/* ---- input (terminal_input.c) ------------------------------------------------------------ */

/* Bytes that have been typed: edits, echoes, makes signals, wakes readers. */
void terminal_receive(struct terminal *terminal, const uint8_t *bytes, size_t count);
/* Whether count bytes can be received without losing what programs have not read. */
bool terminal_has_room(const struct terminal *terminal, size_t count);
void terminal_end_input(struct terminal *terminal);
void terminal_flush_input(struct terminal *terminal);
/* Bytes that read(2) would give now. */
size_t terminal_readable(const struct terminal *terminal);
/* ICANON was changed: what was typed is read by the new rule. */
void terminal_mode_changed(struct terminal *terminal, bool was_canonical);

/* ---- output (terminal_output.c) ------------------------------------------------------------ */

/* Bytes that a program may write now, whatever they become. */
size_t terminal_output_room(const struct terminal *terminal);
/* One byte of a program, or of an echo; dropped if there is no room. */
void terminal_put(struct terminal *terminal, uint8_t byte);
/* Sends what the channel takes. Returns whether all is sent. */
bool terminal_drain(struct terminal *terminal);
void terminal_stop(struct terminal *terminal, bool stop);
void terminal_flush_output(struct terminal *terminal);

/* ---- settings (terminal_ioctl.c) ---------------------------------------------------------- */

int64_t terminal_ioctl(struct terminal *terminal, struct call *call, unsigned request,
                       uint64_t argument);
void terminal_set_window(struct terminal *terminal, unsigned rows, unsigned columns);
