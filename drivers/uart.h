/*
 * The 16550A UART as far as we use it (National Semiconductor PC16550D data sheet).
 */
#pragma once

#define UART_COM1 0x3f8 /* IRQ 4: the system log */
#define UART_COM2 0x2f8 /* IRQ 3 */
#define UART_COM3 0x3e8 /* IRQ 4 */

#define UART_FIFO_BYTES 16u

enum uart_register {
    UART_DATA = 0, /* write: to send; read: received; DLAB: divisor, low byte */
    UART_IER = 1,  /* interrupts; DLAB: divisor, high byte */
    UART_IIR = 2,  /* read: which interrupt */
    UART_FCR = 2,  /* write: FIFOs */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_SCRATCH = 7,
};

enum {
    UART_IER_RECEIVED = 1 << 0,
    UART_FCR_ENABLE = 1 << 0,
    UART_FCR_CLEAR_RECEIVE = 1 << 1,
    UART_FCR_CLEAR_SEND = 1 << 2,
    UART_FCR_TRIGGER_14 = 3 << 6, /* interrupt at 14 bytes, or when no more come */
    UART_LCR_8N1 = 3,
    UART_LCR_DLAB = 1 << 7,
    UART_MCR_DTR = 1 << 0,
    UART_MCR_RTS = 1 << 1,
    UART_MCR_OUT2 = 1 << 3, /* connects the interrupt line on PCs */
    UART_LSR_RECEIVED = 1 << 0,
    UART_LSR_THRE = 1 << 5, /* the send FIFO is empty */
};
