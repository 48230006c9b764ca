/*
 * Declarations of the smaller files.
 */
#pragma once

#include "ec.h"

#include <abi/info.h>

/* boot_info.c */
enum boot_protocol { BOOT_PVH = 1, BOOT_MULTIBOOT2 = 2 };
void boot_info_parse(enum boot_protocol protocol, phys_t info);
extern struct kernel_info boot_kernel_info;
/* Takes pages off a free region, so that the root program does not get them. */
phys_t boot_memory_take(uint64_t pages);
/* Is the range RAM or device memory that the root program may map? */
bool phys_is_mappable(phys_t phys, uint64_t bytes);
/* Is it memory that was given to the root program, which the kernel can reach? */
bool phys_is_given(phys_t phys, uint64_t bytes);

/* console.c, format.c, panic.c */
void console_init(void);
void console_write(const char *text, size_t bytes);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
size_t format_text(char *to, size_t max, const char *format, __builtin_va_list args);
_Noreturn void panic_regs(const struct regs *regs, const char *what);
_Noreturn void machine_stop(uint8_t code);
enum { STOP_PANIC = 35 };

/* acpi.c, apic.c, irq.c */
struct madt_info {
    phys_t   lapic;
    uint32_t cpu_count;
    uint8_t  cpu_apic_id[MAX_CPUS];
    struct { phys_t address; uint32_t gsi_base; } ioapic[4];
    uint32_t ioapic_count;
};
extern struct madt_info madt;
void acpi_parse(phys_t rsdp);
void apic_init(void);
void apic_init_cpu(void);
void apic_eoi(void);
uint32_t apic_id(void);
void apic_send(uint32_t apic_id, uint32_t command);
void apic_timer_set(uint32_t count, bool masked);
uint32_t apic_timer_read(void);
void ioapic_init(void);
bool ioapic_route(unsigned gsi, unsigned vector, uint32_t apic_id, unsigned mode);
void ioapic_mask(unsigned gsi, bool masked);

enum { IRQ_COUNT = 128 };
struct sm;
enum status irq_bind(unsigned gsi, struct sm *sm, unsigned mode) PACKED_STATUS;
enum status irq_unmask(unsigned gsi) PACKED_STATUS;
void irq_handle(unsigned gsi);
void irq_forget(struct sm *sm);

/* fpu.c */
void fpu_init_cpu(void);
/* #NM: gives the FPU to ec. False: no memory for its state. */
bool fpu_acquire(struct ec *ec);
/* The registers of ec are in memory afterwards. */
void fpu_flush(struct ec *ec);
void fpu_forget(struct ec *ec);
uint32_t fpu_state_bytes(void);
bool fpu_area(struct ec *ec); /* makes sure it has one */
bool fpu_state_valid(const void *area, uint64_t bytes);

/* range.c */
struct range_result { enum status status; uint64_t done; };
struct range_result range_map(struct space *src, vaddr_t from, struct space *dst, vaddr_t to,
                              uint64_t pages, unsigned rights, unsigned flags);
enum status range_protect(struct space *space, vaddr_t va, uint64_t pages, unsigned rights)
    PACKED_STATUS;
enum status range_map_phys(struct space *dst, phys_t phys, vaddr_t va, uint64_t pages,
                           unsigned rights) PACKED_STATUS;
struct range_result copy_between(struct space *local, vaddr_t local_va, struct space *remote,
                                 vaddr_t remote_va, uint64_t bytes, unsigned op);

/* hypercall.c, root.c */
void hypercall(struct ec *ec);
void root_start(void);
extern struct pd *root_pd;
bool user_range_valid(vaddr_t va, uint64_t pages);

extern char kernel_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];
extern char root_image[], root_image_end[];
extern char boot_stack_top[];
