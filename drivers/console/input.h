/*
 * The way in: takes the escapes out of the bytes that arrive (docs/architecture.md,
 * "The outside") and keeps what the reader has not fetched yet. Pure.
 *
 * Not thread-safe: the caller holds a lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_RING_BYTES 4096u /* a power of two */

enum input_state {
    INPUT_TEXT,
    INPUT_ESCAPED,     /* after DLE */
    INPUT_WINDOW_SIZE, /* within the four characters after DLE W */
};

enum input_event { /* as proto/console.def has them */
                   INPUT_NONE = 0,
                   INPUT_END = 1,
                   INPUT_WINDOW = 2,
};

struct input {
    uint8_t ring[INPUT_RING_BYTES];
    uint32_t read_at, write_at; /* modulo 2^32; their difference is what the ring holds */
    enum input_state state;
    uint8_t halves[4];
    unsigned halves_read;
    bool ended; /* told once the ring is empty */
    bool window_changed;
    uint32_t rows, columns;
};

/* Bytes that may be fed without losing any. */
size_t input_room(const struct input *input);
/* One byte from the device. There must be room. */
void input_feed(struct input *input, uint8_t byte);
/* Is there anything to fetch? */
bool input_available(const struct input *input);
/* Moves up to max bytes out. A change of the window is told at once (rows and
 * columns are set), the end after the last byte; each once. */
size_t input_fetch(struct input *input, uint8_t *to, size_t max, enum input_event *event);
