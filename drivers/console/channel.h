/*
 * A channel: a device that takes and brings bytes.
 */
#pragma once

#include "input.h"

struct channel;

struct channel_ops {
    /* Sends all of it; comes back when the device has taken it. */
    void (*send)(struct channel *channel, const void *data, size_t bytes);
    /* Tells the device that its interrupt was seen. */
    void (*acknowledge)(struct channel *channel);
    /* Feeds what has arrived, as far as there is room. */
    void (*receive)(struct channel *channel, struct input *input);
};

struct channel {
    const struct channel_ops *ops;
    unsigned gsi;      /* interrupt for input */
    unsigned irq_mode; /* abi/hypercall.h, HC_IRQ */
    union {
        uint16_t port; /* UART: first I/O port */
        struct virtio *virtio;
    };
};

/* Opens the UART at the port; false if there is none. */
bool uart_open(struct channel *channel, uint16_t port, unsigned irq, bool input);

/* Opens the index-th virtio console of the PCI bus; false if there is none. */
bool virtio_open(struct channel *channel, unsigned index, bool input);
