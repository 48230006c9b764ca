/*
 * PCI configuration space: see pci.h.
 */
#include "pci.h"
#include <drivers/ports.h>

#define ADDRESS_PORT 0xcf8
#define DATA_PORT    0xcfc
#define ENABLE       (1u << 31)

#define DEVICES 32u

uint32_t pci_read(const struct pci_device *device, enum pci_register at)
{
    port_write32(ADDRESS_PORT, device->address | at);
    return port_read32(DATA_PORT);
}

void pci_write(const struct pci_device *device, enum pci_register at, uint32_t value)
{
    port_write32(ADDRESS_PORT, device->address | at);
    port_write32(DATA_PORT, value);
}

bool pci_find(struct pci_device *device, uint16_t vendor, uint16_t id, unsigned index)
{
    for (uint32_t number = 0; number < DEVICES; number++) {
        device->address = ENABLE | number << 11;
        if (pci_read(device, PCI_ID) != ((uint32_t)id << 16 | vendor))
            continue;
        if (index-- == 0)
            return true;
    }
    return false;
}
