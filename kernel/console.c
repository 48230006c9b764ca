/*
 * The kernel's own output: the first serial port, polled.
 */
#include "misc.h"
#include "x86.h"

enum { COM1 = 0x3f8, UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };
enum { LSR_THRE = 1 << 5 };

static struct spinlock console_lock;

void console_init(void)
{
    outb(COM1 + UART_IER, 0);
    outb(COM1 + UART_LCR, 0x80); /* divisor latch: 115200 baud */
    outb(COM1 + UART_DATA, 1);
    outb(COM1 + UART_IER, 0);
    outb(COM1 + UART_LCR, 0x03); /* 8N1 */
    outb(COM1 + UART_FCR, 0x07);
    outb(COM1 + UART_MCR, 0x03);
}

void console_write(const char *text, size_t bytes)
{
    spin_lock(&console_lock);
    for (; bytes; bytes--, text++) {
        for (unsigned tries = 100000; tries && !(inb(COM1 + UART_LSR) & LSR_THRE); tries--)
            cpu_relax();
        outb(COM1 + UART_DATA, (uint8_t)*text);
    }
    spin_unlock(&console_lock);
}

void print(const char *format, ...)
{
    char line[256];
    __builtin_va_list args;
    size_t length;

    __builtin_va_start(args, format);
    length = format_text(line, sizeof line, format, args);
    __builtin_va_end(args);
    console_write(line, length < sizeof line ? length : sizeof line - 1);
}
