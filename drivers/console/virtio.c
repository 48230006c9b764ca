/*
 * A channel on a virtio console: one port, one queue for each direction, by the
 * legacy interface, whose registers are I/O ports (Virtual I/O Device 1.1,
 * 4.1.4.8 and 5.3). One exit from the guest for each message instead of one for
 * each byte.
 *
 * Sending is synchronous: a single buffer, and the used ring is polled. With
 * QEMU's ioeventfd=off the device has taken it when the notification returns,
 * unless the reader outside is slow.
 */
#include "channel.h"
#include "pci.h"
#include <abi/hypercall.h>
#include <drivers/ports.h>
#include <lib/native/native.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define PCI_VENDOR_VIRTIO  0x1af4
#define PCI_DEVICE_CONSOLE (0x1000 + VIRTIO_ID_CONSOLE) /* transitional device */

#define QUEUE_MAX    256u
#define QUEUE_RX     0u
#define QUEUE_TX     1u
#define BUFFER_BYTES PAGE_BYTES
#define RX_BUFFERS   4u

struct queue {
    uint16_t index;
    struct vring ring;
    uint16_t used_seen; /* used->idx up to which we have looked */
};

struct virtio {
    uint16_t base; /* first I/O port */
    struct queue rx, tx;
    phys_t tx_buffer, rx_buffers; /* one page; RX_BUFFERS pages */
    uint32_t rx_taken;            /* bytes of the oldest used buffer that are already fed */
};

#define DEVICES_MAX 2u

/* ---- queues --------------------------------------------------------------------------------- */

static unsigned order_for(size_t bytes)
{
    unsigned order = 0;

    while (PAGE_BYTES << order < bytes)
        order++;
    return order;
}

static bool queue_open(struct virtio *virtio, struct queue *queue, uint16_t index)
{
    uint16_t size;
    phys_t phys;

    port_write16(virtio->base + VIRTIO_PCI_QUEUE_SEL, index);
    size = port_read16(virtio->base + VIRTIO_PCI_QUEUE_NUM);
    if (size == 0 || size > QUEUE_MAX || size < RX_BUFFERS)
        return false;
    phys = frames_alloc(order_for(vring_size(size, VIRTIO_PCI_VRING_ALIGN)));
    if (!phys)
        return false;
    queue->index = index;
    vring_init(&queue->ring, size, frame_ptr(phys), VIRTIO_PCI_VRING_ALIGN);
    port_write32(virtio->base + VIRTIO_PCI_QUEUE_PFN,
                 (uint32_t)(phys >> VIRTIO_PCI_QUEUE_ADDR_SHIFT));
    return true;
}

/* Offers the descriptor to the device. */
static void queue_offer(struct queue *queue, uint16_t descriptor)
{
    vring_avail_t *avail = queue->ring.avail;

    avail->ring[avail->idx % queue->ring.num] = descriptor;
    __atomic_store_n(&avail->idx, (uint16_t)(avail->idx + 1), __ATOMIC_RELEASE);
}

static void queue_notify(const struct virtio *virtio, const struct queue *queue)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    port_write16(virtio->base + VIRTIO_PCI_QUEUE_NOTIFY, queue->index);
}

static bool queue_has_used(const struct queue *queue)
{
    return __atomic_load_n(&queue->ring.used->idx, __ATOMIC_ACQUIRE) != queue->used_seen;
}

static void descriptor_set(struct queue *queue, unsigned index, phys_t phys, uint32_t bytes,
                           uint16_t flags)
{
    queue->ring.desc[index] = (vring_desc_t){ .addr = phys, .len = bytes, .flags = flags };
}

/* ---- the channel ------------------------------------------------------------------------------
 */

static void send_piece(struct virtio *virtio, const void *data, size_t bytes)
{
    memcpy(frame_ptr(virtio->tx_buffer), data, bytes);
    descriptor_set(&virtio->tx, 0, virtio->tx_buffer, (uint32_t)bytes, 0);
    queue_offer(&virtio->tx, 0);
    queue_notify(virtio, &virtio->tx);
    while (!queue_has_used(&virtio->tx))
        __builtin_ia32_pause();
    virtio->tx.used_seen++;
}

static void virtio_send(struct channel *channel, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        size_t piece = bytes < BUFFER_BYTES ? bytes : BUFFER_BYTES;

        send_piece(channel->virtio, at, piece);
        at += piece;
        bytes -= piece;
    }
}

/* Reading the status register lets the interrupt line fall. */
static void virtio_acknowledge(struct channel *channel)
{
    (void)port_read8(channel->virtio->base + VIRTIO_PCI_ISR);
}

static void buffer_give(struct virtio *virtio, uint16_t index)
{
    descriptor_set(&virtio->rx, index, virtio->rx_buffers + index * BUFFER_BYTES, BUFFER_BYTES,
                   VRING_DESC_F_WRITE);
    queue_offer(&virtio->rx, index);
}

/* Feeds from the oldest used buffer; true when it is done with and given back. */
static bool buffer_feed(struct virtio *virtio, struct input *input)
{
    struct queue *rx = &virtio->rx;
    const vring_used_elem_t *used = &rx->ring.used->ring[rx->used_seen % rx->ring.num];
    uint32_t index = used->id, bytes = used->len;
    const uint8_t *buffer;

    must(index < RX_BUFFERS && bytes <= BUFFER_BYTES);
    buffer = frame_ptr(virtio->rx_buffers + index * BUFFER_BYTES);
    while (virtio->rx_taken < bytes && input_room(input) > 0)
        input_feed(input, buffer[virtio->rx_taken++]);
    if (virtio->rx_taken < bytes)
        return false;
    virtio->rx_taken = 0;
    rx->used_seen++;
    buffer_give(virtio, (uint16_t)index);
    return true;
}

static void virtio_receive(struct channel *channel, struct input *input)
{
    struct virtio *virtio = channel->virtio;
    bool given = false;

    while (queue_has_used(&virtio->rx) && buffer_feed(virtio, input))
        given = true;
    if (given)
        queue_notify(virtio, &virtio->rx);
}

/* ---- opening ------------------------------------------------------------------------------------
 */

static bool device_start(struct virtio *virtio, bool input)
{
    uint16_t status = virtio->base + VIRTIO_PCI_STATUS;

    port_write8(status, 0); /* reset */
    port_write8(status, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    port_write32(virtio->base + VIRTIO_PCI_GUEST_FEATURES, 0);
    virtio->tx_buffer = frames_alloc(order_for(BUFFER_BYTES));
    virtio->rx_buffers = frames_alloc(order_for(RX_BUFFERS * BUFFER_BYTES));
    if (!virtio->tx_buffer || !virtio->rx_buffers || !queue_open(virtio, &virtio->rx, QUEUE_RX) ||
        !queue_open(virtio, &virtio->tx, QUEUE_TX))
        return false;
    virtio->tx.ring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
    port_write8(status,
                VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK);
    if (!input)
        return true;
    for (uint16_t i = 0; i < RX_BUFFERS; i++)
        buffer_give(virtio, i);
    queue_notify(virtio, &virtio->rx);
    return true;
}

bool virtio_open(struct channel *channel, unsigned index, bool input)
{
    static const struct channel_ops ops = { virtio_send, virtio_acknowledge, virtio_receive };
    static struct virtio devices[DEVICES_MAX];
    struct virtio *virtio = &devices[index];
    struct pci_device pci;
    uint32_t bar, command;

    must(index < DEVICES_MAX);
    if (!pci_find(&pci, PCI_VENDOR_VIRTIO, PCI_DEVICE_CONSOLE, index))
        return false;
    bar = pci_read(&pci, PCI_BAR0);
    if (!(bar & 1)) {
        log_line("the virtio console has no legacy interface (disable-legacy=off)");
        return false;
    }
    command = pci_read(&pci, PCI_COMMAND) & 0xffff & ~(uint32_t)PCI_COMMAND_NO_INTERRUPT;
    pci_write(&pci, PCI_COMMAND, command | PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    virtio->base = (uint16_t)(bar & ~3u);
    if (!device_start(virtio, input)) {
        log_line("the virtio console does not start");
        return false;
    }
    *channel = (struct channel){
        .ops = &ops, .gsi = pci_read(&pci, PCI_IRQ) & 0xff, .irq_mode = IRQ_LEVEL, .virtio = virtio
    };
    return true;
}
