/*
 * Boot, one step a line.
 */
#include "kmem.h"
#include "misc.h"
#include "smp.h"
#include "x86.h"

void exit_to_user(void) __attribute__((noreturn)); /* entry.S */
_Noreturn void kernel_main(enum boot_protocol protocol, uint32_t info);

/* The first pool of kernel memory; the root program donates more when it is needed. */
static void kmem_init(void)
{
    const struct kernel_info *info = &boot_kernel_info;
    uint64_t free_pages = 0, pages;
    phys_t pool;

    for (uint32_t i = 0; i < info->region_count; i++)
        if (info->regions[i].type == REGION_FREE)
            free_pages += info->regions[i].bytes / PAGE_BYTES;
    pages = free_pages / 32;
    if (pages < 256)
        pages = 256;
    if (pages > 4096)
        pages = 4096;
    pool = boot_memory_take(pages);
    if (!pool)
        panic("no %lu KiB of memory in one piece below 4 GiB", (uint64_t)(pages * PAGE_BYTES / 1024));
    kmem_add(pool, pages);
}

static void first_cpu_init(void)
{
    struct cpu *cpu = cpu_alloc(0, 0);

    assert(cpu);
    cpu->kernel_stack = (uint64_t)boot_stack_top;
    cpus[0] = cpu;
    cpu_count = 1;
    cpu_init(cpu);
}

_Noreturn void kernel_main(enum boot_protocol protocol, uint32_t info)
{
    boot_kernel_info.boot_tsc = rdtsc();
    console_init();
    boot_info_parse(protocol, info);
    acpi_parse(boot_kernel_info.rsdp);
    cpu_detect();
    kmem_init();
    kernel_space_init();
    write_cr3(kernel_cr3);
    idt_init();
    first_cpu_init();
    apic_init();
    apic_init_cpu();
    cpus[0]->apic_id = apic_id();
    ioapic_init();
    timer_calibrate();
    smp_start();
    root_start();
    print("kernel: %u CPU%s, TSC %lu kHz, %lu KiB of kernel memory\n", cpu_count,
          cpu_count > 1 ? "s" : "", tsc_hz / 1000, (uint64_t)(kmem_counts().total * PAGE_BYTES / 1024));
    exit_to_user();
}
