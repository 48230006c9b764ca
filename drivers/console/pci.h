/*
 * PCI configuration space through I/O ports (PCI Local Bus Specification 3.0, 3.2.2.3 and 6.1).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pci_device {
    uint32_t address; /* bus, device and function as in the address port */
};

enum pci_register {
    PCI_ID = 0x00,      /* vendor, device */
    PCI_COMMAND = 0x04, /* command, status */
    PCI_BAR0 = 0x10,
    PCI_IRQ = 0x3c, /* line in bits 0-7 */
};

enum {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_NO_INTERRUPT = 1 << 10,
};

/* The index-th device of bus 0 with these ids, by ascending device number. */
bool pci_find(struct pci_device *device, uint16_t vendor, uint16_t id, unsigned index);
uint32_t pci_read(const struct pci_device *device, enum pci_register at);
void pci_write(const struct pci_device *device, enum pci_register at, uint32_t value);
