/*
 * What the boot loader says: memory map, module, command line. PVH and Multiboot2
 * are brought into one form, the kernel information page.
 */
#include "misc.h"

struct kernel_info boot_kernel_info __attribute__((aligned(4096)));

/* ---- regions ------------------------------------------------------------------------ */

static void region_add(phys_t base, uint64_t bytes, enum region_type type)
{
    struct kernel_info *info = &boot_kernel_info;

    if (!bytes || base + bytes < base)
        return;
    if (info->region_count == INFO_MAX_REGIONS)
        panic("more than %d memory regions", INFO_MAX_REGIONS);
    info->regions[info->region_count++] = (struct info_region){ base, bytes, type };
}

/* Cuts a range out of the free regions. */
static void region_reserve(phys_t base, uint64_t bytes)
{
    struct kernel_info *info = &boot_kernel_info;
    phys_t end = base + bytes;

    for (uint32_t i = 0; i < info->region_count; i++) {
        struct info_region *r = &info->regions[i];
        phys_t r_end = r->base + r->bytes;

        if (r->type != REGION_FREE || r->base >= end || base >= r_end)
            continue;
        r->bytes = base > r->base ? base - r->base : 0;
        if (end < r_end)
            region_add(end, r_end - end, REGION_FREE);
    }
}

/* Free regions are whole pages, above 1 MiB, without the kernel and the module. */
static void regions_tidy(void)
{
    struct kernel_info *info = &boot_kernel_info;
    phys_t kernel = ptr_phys(kernel_start), kernel_bytes = (uint64_t)(kernel_end - kernel_start);
    phys_t module = info->module_base & ~(PAGE_BYTES - 1);
    uint64_t module_bytes = (info->module_base + info->module_bytes - module + PAGE_BYTES - 1) &
                            ~(PAGE_BYTES - 1);

    region_reserve(0, 1 << 20);
    region_reserve(kernel, kernel_bytes);
    region_add(kernel, kernel_bytes, REGION_KERNEL);
    if (info->module_bytes) {
        region_reserve(module, module_bytes);
        region_add(module, module_bytes, REGION_MODULE);
    }
    for (uint32_t i = 0; i < info->region_count; i++) {
        struct info_region *r = &info->regions[i];
        phys_t base = (r->base + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
        phys_t end = (r->base + r->bytes) & ~(PAGE_BYTES - 1);

        if (r->type != REGION_FREE)
            continue;
        r->base = base;
        r->bytes = end > base ? end - base : 0;
    }
}

phys_t boot_memory_take(uint64_t pages)
{
    struct kernel_info *info = &boot_kernel_info;
    uint64_t bytes = pages * PAGE_BYTES;

    for (uint32_t i = 0; i < info->region_count; i++) {
        struct info_region *r = &info->regions[i];
        phys_t base = r->base;

        if (r->type != REGION_FREE || r->bytes < bytes || base + bytes > 4ull << 30)
            continue;
        r->base += bytes;
        r->bytes -= bytes;
        region_add(base, bytes, REGION_KERNEL);
        return base;
    }
    return 0;
}

bool phys_is_mappable(phys_t phys, uint64_t bytes)
{
    const struct kernel_info *info = &boot_kernel_info;

    if (phys + bytes < phys || phys + bytes > 1ull << 52)
        return false;
    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct info_region *r = &info->regions[i];

        if (r->type == REGION_KERNEL && phys < r->base + r->bytes && r->base < phys + bytes)
            return false;
    }
    return true;
}

bool phys_is_given(phys_t phys, uint64_t bytes)
{
    const struct kernel_info *info = &boot_kernel_info;

    for (uint32_t i = 0; i < info->region_count; i++) {
        const struct info_region *r = &info->regions[i];

        if ((r->type == REGION_FREE || r->type == REGION_MODULE) && phys >= r->base &&
            phys - r->base <= r->bytes && bytes <= r->bytes - (phys - r->base))
            return phys + bytes <= MAX_PHYS;
    }
    return false;
}

static void cmdline_set(const char *text)
{
    char *to = boot_kernel_info.cmdline;

    for (size_t i = 0; text && text[i] && i < INFO_CMDLINE_BYTES - 1; i++)
        to[i] = text[i];
}

/* ---- PVH: xen/include/public/arch-x86/hvm/start_info.h ------------------------------------ */

struct pvh_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};

struct pvh_module {
    uint64_t base, bytes, cmdline, reserved;
};

struct pvh_region {
    uint64_t base, bytes;
    uint32_t type, reserved;
};

#define PVH_MAGIC 0x336ec578u

static void parse_pvh(phys_t phys)
{
    const struct pvh_start_info *start = phys_ptr(phys);
    const struct pvh_region *map;

    if (start->magic != PVH_MAGIC || start->version < 1 || !start->memory_map)
        panic("PVH start information without a memory map");
    map = phys_ptr(start->memory_map);
    for (uint32_t i = 0; i < start->memory_map_count; i++)
        region_add(map[i].base, map[i].bytes,
                   map[i].type == 1 ? REGION_FREE : map[i].type == 3 ? REGION_ACPI : REGION_RESERVED);
    if (start->module_count) {
        const struct pvh_module *module = phys_ptr(start->modules);

        boot_kernel_info.module_base = module->base;
        boot_kernel_info.module_bytes = module->bytes;
    }
    if (start->cmdline)
        cmdline_set(phys_ptr(start->cmdline));
    boot_kernel_info.rsdp = start->rsdp;
}

/* ---- Multiboot2 specification 2.0, chapter 3.6 --------------------------------------------- */

struct mb2_tag {
    uint32_t type, bytes;
};

enum { MB2_END = 0, MB2_CMDLINE = 1, MB2_MODULE = 3, MB2_MEMORY = 6, MB2_RSDP1 = 14, MB2_RSDP2 = 15 };

static void parse_mb2_memory(const struct mb2_tag *tag)
{
    const uint32_t *head = (const uint32_t *)(tag + 1);
    uint32_t entry_bytes = head[0];

    for (uint32_t at = 16; entry_bytes >= 24 && at + entry_bytes <= tag->bytes; at += entry_bytes) {
        const struct pvh_region *r = (const void *)((const char *)tag + at);

        region_add(r->base, r->bytes,
                   r->type == 1 ? REGION_FREE : r->type == 3 ? REGION_ACPI : REGION_RESERVED);
    }
}

static void parse_mb2_tag(const struct mb2_tag *tag)
{
    const uint32_t *word = (const uint32_t *)(tag + 1);

    switch (tag->type) {
    case MB2_CMDLINE: cmdline_set((const char *)word); break;
    case MB2_MODULE:
        if (!boot_kernel_info.module_bytes) {
            boot_kernel_info.module_base = word[0];
            boot_kernel_info.module_bytes = word[1] - word[0];
        }
        break;
    case MB2_MEMORY: parse_mb2_memory(tag); break;
    case MB2_RSDP1:
    case MB2_RSDP2: boot_kernel_info.rsdp = ptr_phys(word); break;
    }
}

static void parse_mb2(phys_t phys)
{
    const uint32_t *info = phys_ptr(phys);
    uint32_t at = 8;

    while (at + sizeof(struct mb2_tag) <= info[0]) {
        const struct mb2_tag *tag = (const void *)((const char *)info + at);

        if (tag->type == MB2_END || tag->bytes < sizeof *tag)
            break;
        parse_mb2_tag(tag);
        at += (tag->bytes + 7) & ~7u;
    }
}

void boot_info_parse(enum boot_protocol protocol, phys_t info)
{
    if (protocol == BOOT_PVH)
        parse_pvh(info);
    else
        parse_mb2(info);
    regions_tidy();
    boot_kernel_info.magic = INFO_MAGIC;
    boot_kernel_info.version = 1;
}
