/*
 * A channel on a 16550A UART.
 */
#include "channel.h"
#include <drivers/ports.h>
#include <drivers/uart.h>

static void uart_send(struct channel *channel, const void *data, size_t bytes)
{
    const uint8_t *at = data;

    while (bytes > 0) {
        size_t burst = bytes < UART_FIFO_BYTES ? bytes : UART_FIFO_BYTES;

        while (!(port_read8(channel->port + UART_LSR) & UART_LSR_THRE))
            __builtin_ia32_pause();
        port_write_many(channel->port + UART_DATA, at, burst);
        at += burst;
        bytes -= burst;
    }
}

/* Reading the data is what lets the line fall. */
static void uart_acknowledge(struct channel *channel) { (void)channel; }

static void uart_receive(struct channel *channel, struct input *input)
{
    while (input_room(input) > 0 && port_read8(channel->port + UART_LSR) & UART_LSR_RECEIVED)
        input_feed(input, port_read8(channel->port + UART_DATA));
}

static bool uart_exists(uint16_t port)
{
    port_write8(port + UART_SCRATCH, 0x5a);
    if (port_read8(port + UART_SCRATCH) != 0x5a)
        return false;
    port_write8(port + UART_SCRATCH, 0xa5);
    return port_read8(port + UART_SCRATCH) == 0xa5;
}

bool uart_open(struct channel *channel, uint16_t port, unsigned irq, bool input)
{
    static const struct channel_ops ops = { uart_send, uart_acknowledge, uart_receive };

    if (!uart_exists(port))
        return false;
    *channel = (struct channel){ .ops = &ops, .gsi = irq, .port = port };
    port_write8(port + UART_IER, 0);
    port_write8(port + UART_LCR, UART_LCR_DLAB);
    port_write8(port + UART_DATA, 1); /* 115200 baud */
    port_write8(port + UART_IER, 0);
    port_write8(port + UART_LCR, UART_LCR_8N1);
    port_write8(port + UART_FCR, UART_FCR_ENABLE | UART_FCR_TRIGGER_14 | UART_FCR_CLEAR_SEND |
                                     (input ? 0 : UART_FCR_CLEAR_RECEIVE));
    port_write8(port + UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
    port_write8(port + UART_IER, input ? UART_IER_RECEIVED : 0);
    return true;
}
