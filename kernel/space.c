/*
 * Page tables.
 */
#include "space.h"
#include "cpu.h"
#include "kmem.h"
#include "misc.h"
#include "x86.h"

uint64_t *kernel_pml4;
phys_t kernel_cr3;
static bool have_nx;

enum { PML4_SHIFT = 39, PDPT_SHIFT = 30, PD_SHIFT = 21, KERNEL_HALF = 256 };

static unsigned table_index(vaddr_t va, unsigned shift) { return va >> shift & (TABLE_ENTRIES - 1); }
static uint64_t *entry_table(uint64_t entry)            { return phys_ptr(entry & PTE_ADDR); }

uint64_t pte_from_rights(unsigned rights)
{
    uint64_t pte = PTE_P | PTE_U | PTE_A;

    if (rights & MEM_W)
        pte |= PTE_W | PTE_D;
    if (!(rights & MEM_X) && have_nx)
        pte |= PTE_NX;
    if (rights & MEM_UC)
        pte |= PTE_PCD | PTE_PWT;
    return pte;
}

unsigned pte_rights(uint64_t pte)
{
    return MEM_R | (pte & PTE_W ? MEM_W : 0) | (pte & PTE_NX ? 0 : MEM_X) |
           (pte & PTE_PCD ? MEM_UC : 0);
}

enum status space_init(struct space *space, struct account *account)
{
    space->pml4 = page_alloc_charged(account);
    if (!space->pml4)
        return ST_NO_MEMORY;
    memcpy(space->pml4 + KERNEL_HALF, kernel_pml4 + KERNEL_HALF, PAGE_BYTES / 2);
    space->cr3 = ptr_phys(space->pml4);
    space->account = account;
    return ST_OK;
}

static void free_tables(struct space *space, uint64_t *table, unsigned level, unsigned count)
{
    for (unsigned i = 0; level > 1 && i < count; i++)
        if ((table[i] & (PTE_P | PTE_PS)) == PTE_P)
            free_tables(space, entry_table(table[i]), level - 1, TABLE_ENTRIES);
    page_free_charged(space->account, table);
}

void space_free(struct space *space)
{
    if (space->pml4)
        free_tables(space, space->pml4, 4, KERNEL_HALF);
    space->pml4 = NULL;
}

/* The table that an entry points to, made if create. */
static uint64_t *next_table(struct space *space, uint64_t *entry, bool create)
{
    uint64_t *table;

    if (*entry & PTE_P)
        return entry_table(*entry);
    if (!create)
        return NULL;
    table = page_alloc_charged(space->account);
    if (table)
        *entry = ptr_phys(table) | PTE_P | PTE_W | PTE_U | PTE_A;
    return table;
}

static uint64_t *walk_to_pd(struct space *space, vaddr_t va, bool create)
{
    uint64_t *table = next_table(space, &space->pml4[table_index(va, PML4_SHIFT)], create);

    if (table)
        table = next_table(space, &table[table_index(va, PDPT_SHIFT)], create);
    return table ? &table[table_index(va, PD_SHIFT)] : NULL;
}

/* Replaces a 2 MiB mapping by a table of 512 small ones. */
static bool split_big(struct space *space, uint64_t *entry)
{
    uint64_t *table = page_alloc_charged(space->account), big = *entry;

    if (!table)
        return false;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table[i] = (big & ~PTE_PS) + i * PAGE_BYTES;
    *entry = ptr_phys(table) | PTE_P | PTE_W | PTE_U | PTE_A;
    return true;
}

uint64_t *space_walk(struct space *space, vaddr_t va, bool create, bool *big)
{
    uint64_t *entry = walk_to_pd(space, va, create), *table;

    *big = false;
    if (!entry)
        return NULL;
    if ((*entry & (PTE_P | PTE_PS)) == (PTE_P | PTE_PS)) {
        if (!create) {
            *big = true;
            return entry;
        }
        if (!split_big(space, entry))
            return NULL;
    }
    table = next_table(space, entry, create);
    return table ? &table[table_index(va, PAGE_SHIFT)] : NULL;
}

uint64_t *space_walk_big(struct space *space, vaddr_t va)
{
    return walk_to_pd(space, va, true);
}

uint64_t space_gap(struct space *space, vaddr_t va)
{
    static const unsigned shifts[] = { PML4_SHIFT, PDPT_SHIFT, PD_SHIFT };
    uint64_t *table = space->pml4;

    for (unsigned level = 0; level < 3; level++) {
        uint64_t entry = table[table_index(va, shifts[level])], bytes = 1ull << shifts[level];

        if (!(entry & PTE_P))
            return bytes - va % bytes;
        table = entry_table(entry);
    }
    return 0;
}

void space_free_table(struct space *space, uint64_t *entry)
{
    uint64_t *table = entry_table(*entry);

    page_free_charged(space->account, table);
}

void *space_access(struct space *space, vaddr_t va, bool write)
{
    uint64_t need = PTE_P | PTE_U | (write ? PTE_W : 0);
    uint64_t *entry, pte;
    bool big;

    if (va >= USER_END)
        return NULL;
    entry = space_walk(space, va, false, &big);
    if (!entry)
        return NULL;
    pte = __atomic_load_n(entry, __ATOMIC_RELAXED);
    if ((pte & need) != need || pte & PTE_PCD)
        return NULL;
    return phys_ptr((pte & PTE_ADDR) + va % (big ? BIG_PAGE_BYTES : PAGE_BYTES));
}

/* ---- the kernel's half ------------------------------------------------------------ */

static uint64_t *kernel_entry(uint64_t va, bool big)
{
    static const unsigned shifts[] = { PML4_SHIFT, PDPT_SHIFT, PD_SHIFT };
    uint64_t *table = kernel_pml4;

    for (unsigned level = 0; level < 3; level++) {
        uint64_t *entry = &table[table_index(va, shifts[level])];

        if (level == 2 && big)
            return entry;
        if (!(*entry & PTE_P)) {
            void *fresh = page_alloc();

            if (!fresh)
                panic("no memory for the kernel's page tables");
            *entry = ptr_phys(fresh) | PTE_P | PTE_W;
        }
        table = entry_table(*entry);
    }
    return &table[table_index(va, PAGE_SHIFT)];
}

static void map_kernel_range(const char *from, const char *to, uint64_t flags)
{
    for (uint64_t va = (uint64_t)from; va < (uint64_t)to; va += PAGE_BYTES)
        *kernel_entry(va, false) = (va - KERNEL_BASE) | flags | PTE_P | PTE_G;
}

/* Below 4 MiB in small pages, so that the kernel's text is protected here too. */
static void map_direct(phys_t end, uint64_t nx)
{
    phys_t text = ptr_phys(kernel_start), rodata_end = ptr_phys(kernel_rodata_end);

    for (phys_t at = 0; at < 2 * BIG_PAGE_BYTES; at += PAGE_BYTES)
        *kernel_entry(DIRECT_BASE + at, false) =
            at | PTE_P | nx | PTE_G | (at >= text && at < rodata_end ? 0 : PTE_W);
    for (phys_t at = 2 * BIG_PAGE_BYTES; at < end; at += BIG_PAGE_BYTES)
        *kernel_entry(DIRECT_BASE + at, true) = at | PTE_P | PTE_W | PTE_PS | nx | PTE_G;
}

static phys_t ram_end(void)
{
    phys_t end = 0;

    for (unsigned i = 0; i < boot_kernel_info.region_count; i++) {
        const struct info_region *r = &boot_kernel_info.regions[i];

        if (r->type != REGION_RESERVED && r->base + r->bytes > end)
            end = r->base + r->bytes;
    }
    return end < MAX_PHYS ? end : MAX_PHYS;
}

void kernel_space_init(void)
{
    uint32_t leaf[4];
    uint64_t nx;

    cpuid(0x80000001, 0, leaf);
    have_nx = leaf[3] >> 20 & 1;
    nx = have_nx ? PTE_NX : 0;

    kernel_pml4 = page_alloc();
    assert(kernel_pml4);
    kernel_cr3 = ptr_phys(kernel_pml4);
    map_direct(ram_end(), nx);
    map_kernel_range(kernel_start, kernel_text_end, 0);
    map_kernel_range(kernel_text_end, kernel_rodata_end, nx);
    map_kernel_range(kernel_rodata_end, kernel_end, PTE_W | nx);
    /* Devices: one page each for the local and up to four I/O APICs (apic.c). */
    kernel_entry(DEVICE_BASE, false);
    /* Every PML4 entry of the kernel's half exists from now on, so that all
     * address spaces share them. */
    for (unsigned i = KERNEL_HALF; i < TABLE_ENTRIES; i++)
        if (kernel_pml4[i] & PTE_P)
            kernel_pml4[i] |= PTE_A;
}

volatile void *device_map(unsigned index, phys_t phys)
{
    uint64_t va = DEVICE_BASE + index * PAGE_BYTES;

    *kernel_entry(va, false) =
        (phys & PTE_ADDR) | PTE_P | PTE_W | PTE_PCD | PTE_PWT | PTE_G | (have_nx ? PTE_NX : 0);
    invlpg(va);
    return (volatile void *)(va + phys % PAGE_BYTES);
}
