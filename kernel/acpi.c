/*
 * ACPI tables, as far as a kernel needs them: the processors and interrupt
 * controllers in the MADT. Read at boot, while the first 4 GiB are mapped.
 */
#include "misc.h"
#include "cpu.h"

struct madt_info madt;

struct sdt {
    char     signature[4];
    uint32_t bytes;
    uint8_t  revision, checksum;
    char     oem[18];
    uint32_t creator, creator_revision;
} __attribute__((packed));

struct rsdp {
    char     signature[8];
    uint8_t  checksum;
    char     oem[6];
    uint8_t  revision;
    uint32_t rsdt;
    uint32_t bytes;
    uint64_t xsdt;
} __attribute__((packed));

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_ENABLED = 1 };

static const void *boot_ptr(phys_t phys, uint64_t bytes)
{
    return phys && phys < (4ull << 30) - bytes ? phys_ptr(phys) : NULL;
}

static bool sums_to_zero(const void *table, uint32_t bytes)
{
    uint8_t sum = 0;

    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)table)[i]);
    return sum == 0;
}

static const struct sdt *table_at(phys_t phys)
{
    const struct sdt *table = boot_ptr(phys, sizeof *table);

    if (!table || table->bytes < sizeof *table || !boot_ptr(phys, table->bytes) ||
        table->bytes > 1 << 20 || !sums_to_zero(table, table->bytes))
        return NULL;
    return table;
}

static bool is_rsdp(const struct rsdp *rsdp)
{
    return rsdp && memcmp(rsdp->signature, "RSD PTR ", 8) == 0 && sums_to_zero(rsdp, 20);
}

static const struct rsdp *find_rsdp(phys_t hint)
{
    const struct rsdp *rsdp = boot_ptr(hint, sizeof *rsdp);

    if (is_rsdp(rsdp))
        return rsdp;
    for (phys_t at = 0xe0000; at < 0x100000; at += 16)
        if (is_rsdp(phys_ptr(at)))
            return phys_ptr(at);
    return NULL;
}

static const struct sdt *find_madt(const struct rsdp *rsdp)
{
    bool wide = rsdp->revision >= 2 && rsdp->xsdt;
    const struct sdt *root = table_at(wide ? rsdp->xsdt : rsdp->rsdt);
    uint32_t entry = wide ? 8 : 4;

    for (uint32_t at = sizeof *root; root && at + entry <= root->bytes; at += entry) {
        phys_t phys = 0;
        const struct sdt *table;

        memcpy(&phys, (const char *)root + at, entry);
        table = table_at(phys);
        if (table && memcmp(table->signature, "APIC", 4) == 0)
            return table;
    }
    return NULL;
}

static void add_entry(const uint8_t *e)
{
    if (e[0] == MADT_LAPIC && e[4] & MADT_ENABLED && madt.cpu_count < MAX_CPUS)
        madt.cpu_apic_id[madt.cpu_count++] = e[3];
    if (e[0] == MADT_IOAPIC && madt.ioapic_count < ARRAY_COUNT(madt.ioapic)) {
        uint32_t address, base;

        memcpy(&address, e + 4, 4);
        memcpy(&base, e + 8, 4);
        madt.ioapic[madt.ioapic_count].address = address;
        madt.ioapic[madt.ioapic_count++].gsi_base = base;
    }
}

void acpi_parse(phys_t hint)
{
    const struct rsdp *rsdp = find_rsdp(hint);
    const struct sdt *table = rsdp ? find_madt(rsdp) : NULL;
    const uint8_t *e, *end;
    uint32_t lapic;

    madt.lapic = 0xfee00000;
    if (!table || table->bytes < sizeof *table + 8) {
        print("kernel: no ACPI processor table, one CPU\n");
        return;
    }
    memcpy(&lapic, table + 1, 4);
    madt.lapic = lapic;
    e = (const uint8_t *)(table + 1) + 8;
    end = (const uint8_t *)table + table->bytes;
    for (; e + 12 <= end && e[1] >= 2; e += e[1])
        add_entry(e);
    if (e + 8 <= end && e[0] == MADT_LAPIC)
        add_entry(e);
}
