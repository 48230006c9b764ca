/*
 * The console driver: channel 0 is standard input and output, channel 1 standard
 * error. Each is a virtio console if the machine has one, else a UART.
 */
#include "channel.h"
#include "gen/console_server.h"
#include "gen/root_client.h"
#include <drivers/uart.h>
#include <errno.h>
#include <lib/native/runtime.h>
#include <lib/server/server.h>

#define CHANNELS      2u
#define INPUT_CHANNEL 0u

#define IRQ_COM2 3u
#define IRQ_COM3 4u /* shared with COM1; not used, as channel 1 has no input */

static struct {
    struct channel channels[CHANNELS];
    struct lock lock; /* protects input and the way in of the channel */
    struct input input;
    cap_sel_t available; /* up when something has arrived */
    cap_sel_t interrupt; /* up when the device has something; by root or by the reader */
} console;

/* ---- operations ---------------------------------------------------------------------------- */

int64_t console_op_write(struct call *call, uint32_t channel, const void *data, size_t data_bytes)
{
    (void)call;
    if (channel >= CHANNELS)
        return -EINVAL;
    if (!console.channels[channel].ops)
        return -ENXIO;
    console.channels[channel].ops->send(&console.channels[channel], data, data_bytes);
    return (int64_t)data_bytes;
}

int64_t console_op_read(struct call *call, uint32_t channel, uint32_t *event, uint32_t *rows,
                        uint32_t *columns, void *data, size_t *data_bytes)
{
    enum input_event what;
    bool was_full;

    (void)call;
    if (channel != INPUT_CHANNEL)
        return -EINVAL;
    lock_acquire(&console.lock);
    was_full = input_room(&console.input) == 0;
    *data_bytes = input_fetch(&console.input, data, *data_bytes, &what);
    *rows = console.input.rows;
    *columns = console.input.columns;
    lock_release(&console.lock);
    *event = what;
    if (was_full)
        hc_sm_up(console.interrupt); /* the device may hold more back */
    return (int64_t)*data_bytes;
}

int64_t console_op_input_semaphore(struct call *call, cap_sel_t *sem)
{
    (void)call;
    *sem = console.available;
    return 0;
}

/* ---- the way in ---------------------------------------------------------------------------------
 */

/* Moves from the device to the ring; true if there is something to fetch. */
static bool input_take(struct channel *channel)
{
    bool available;

    lock_acquire(&console.lock);
    channel->ops->receive(channel, &console.input);
    available = input_available(&console.input);
    lock_release(&console.lock);
    return available;
}

/* Unmasks before it reads: what arrives while it reads causes another round. */
static void input_run(void *arg)
{
    struct channel *channel = arg;
    struct server_ref root = { .portal = portal_find("root") };

    for (;;) {
        channel->ops->acknowledge(channel);
        must(root_irq_unmask(&root, channel->gsi) == 0);
        if (input_take(channel))
            hc_sm_up(console.available);
        must(hc_sm_down(console.interrupt, 0) == ST_OK);
    }
}

static void input_start(struct channel *channel)
{
    struct server_ref root = { .portal = portal_find("root") };
    int64_t error = root_irq_bind(&root, channel->gsi, channel->irq_mode, &console.interrupt);

    if (error)
        panic("interrupt %u can't be had: error %d", channel->gsi, (int)-error);
    if (thread_create(0, input_run, channel) == SEL_NONE)
        panic("no memory for the input thread");
}

/* ---- start
 * ----------------------------------------------------------------------------------------- */

static bool channel_open(unsigned index)
{
    static const struct {
        uint16_t port;
        unsigned irq;
    } uarts[CHANNELS] = { { UART_COM2, IRQ_COM2 }, { UART_COM3, IRQ_COM3 } };
    struct channel *channel = &console.channels[index];
    bool input = index == INPUT_CHANNEL;

    return virtio_open(channel, index, input) ||
           uart_open(channel, uarts[index].port, uarts[index].irq, input);
}

int native_main(const struct startup *startup)
{
    static struct server server = { .name = "console", .dispatch = console_dispatch };

    (void)startup;
    lock_init(&console.lock);
    console.available = semaphore_create(0);
    must(console.available != SEL_NONE);
    for (unsigned i = 0; i < CHANNELS; i++)
        if (!channel_open(i))
            log_line("there is no device for channel %u", i);
    if (console.channels[INPUT_CHANNEL].ops)
        input_start(&console.channels[INPUT_CHANNEL]);
    log_line("@console ready");
    server_run(&server);
}
