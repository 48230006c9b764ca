/*
 * Decoder and buffer of console input: see input.h.
 */
#include "input.h"

#define DLE 0x10

/* Sizes travel as six-bit halves, each as a printable character. */
#define HALF_BASE 0x20u
#define HALF_BITS 6

size_t input_room(const struct input *input)
{
    return INPUT_RING_BYTES - (input->write_at - input->read_at);
}

static void ring_put(struct input *input, uint8_t byte)
{
    if (input_room(input) > 0)
        input->ring[input->write_at++ % INPUT_RING_BYTES] = byte;
}

static void window_set(struct input *input)
{
    input->rows = (uint32_t)input->halves[0] << HALF_BITS | input->halves[1];
    input->columns = (uint32_t)input->halves[2] << HALF_BITS | input->halves[3];
    input->window_changed = true;
}

static enum input_state escape_take(struct input *input, uint8_t byte)
{
    switch (byte) {
    case DLE: ring_put(input, DLE); break;
    case 'E': input->ended = true; break;
    case 'W': input->halves_read = 0; return INPUT_WINDOW_SIZE;
    default: break; /* unknown: ignored, as the future may bring more */
    }
    return INPUT_TEXT;
}

static enum input_state half_take(struct input *input, uint8_t byte)
{
    input->halves[input->halves_read++] = (uint8_t)((byte - HALF_BASE) & ((1u << HALF_BITS) - 1));
    if (input->halves_read < sizeof input->halves)
        return INPUT_WINDOW_SIZE;
    window_set(input);
    return INPUT_TEXT;
}

void input_feed(struct input *input, uint8_t byte)
{
    switch (input->state) {
    case INPUT_TEXT:
        if (byte == DLE)
            input->state = INPUT_ESCAPED;
        else
            ring_put(input, byte);
        break;
    case INPUT_ESCAPED: input->state = escape_take(input, byte); break;
    case INPUT_WINDOW_SIZE: input->state = half_take(input, byte); break;
    }
}

bool input_available(const struct input *input)
{
    return input->read_at != input->write_at || input->ended || input->window_changed;
}

size_t input_fetch(struct input *input, uint8_t *to, size_t max, enum input_event *event)
{
    size_t count = 0;

    while (count < max && input->read_at != input->write_at)
        to[count++] = input->ring[input->read_at++ % INPUT_RING_BYTES];
    *event = INPUT_NONE;
    if (input->window_changed) {
        *event = INPUT_WINDOW;
        input->window_changed = false;
    } else if (input->ended && input->read_at == input->write_at) {
        *event = INPUT_END;
        input->ended = false;
    }
    return count;
}
