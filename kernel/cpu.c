/*
 * The processor: features, descriptor tables, control registers, and where
 * interrupts and exceptions arrive in C.
 */
#include "cpu.h"
#include "event.h"
#include "kmem.h"
#include "misc.h"
#include "smp.h"
#include "x86.h"

struct cpu *cpus[MAX_CPUS];
uint32_t cpu_count;
uint64_t cpu_features;

extern char trap_stubs[];
void syscall_entry(void);
void syscall_handle(struct ec *ec);
void trap_handle(struct ec *ec);
void trap_handle_kernel(struct regs *regs);
void trap_handle_paranoid(struct regs *regs);

/* ---- features --------------------------------------------------------------------- */

static void feature(uint32_t reg, unsigned bit, uint64_t flag)
{
    if (reg >> bit & 1)
        cpu_features |= flag;
}

void cpu_detect(void)
{
    uint32_t leaf[4], max;

    cpuid(0, 0, leaf);
    max = leaf[0];
    cpuid(1, 0, leaf);
    feature(leaf[2], 17, CPU_PCID);
    feature(leaf[2], 21, CPU_X2APIC);
    feature(leaf[2], 24, CPU_TSC_DEADLINE);
    feature(leaf[2], 26, CPU_XSAVE);
    feature(leaf[2], 30, CPU_RDRAND);
    if (max >= 7) {
        cpuid(7, 0, leaf);
        feature(leaf[1], 0, CPU_FSGSBASE);
        feature(leaf[1], 7, CPU_SMEP);
        feature(leaf[1], 9, CPU_ERMS);
        feature(leaf[1], 10, CPU_INVPCID);
        feature(leaf[1], 20, CPU_SMAP);
        feature(leaf[2], 2, CPU_UMIP);
    }
    cpuid(0x80000001, 0, leaf);
    feature(leaf[3], 26, CPU_GIB_PAGES);
}

/* A bit that the CPU does not know must not be written. */
static void control_registers_init(void)
{
    uint64_t cr4 = read_cr4() | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    if (cpu_has(CPU_FSGSBASE))
        cr4 |= CR4_FSGSBASE;
    if (cpu_has(CPU_SMEP))
        cr4 |= CR4_SMEP;
    if (cpu_has(CPU_SMAP))
        cr4 |= CR4_SMAP;
    if (cpu_has(CPU_UMIP))
        cr4 |= CR4_UMIP;
    if (cpu_has(CPU_XSAVE))
        cr4 |= CR4_OSXSAVE;
    write_cr4(cr4);
    write_cr0(read_cr0() | CR0_WP);
}

/* ---- descriptor tables ---------------------------------------------------------------- */

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

struct gate {
    uint16_t offset_low, selector;
    uint8_t  ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

static struct gate idt[256];
static uint8_t paranoid_stacks[MAX_CPUS][2048] __attribute__((aligned(16)));

enum { GATE_INTERRUPT = 0x8e, GATE_USER = 0x60, IST_PARANOID = 1 };

void idt_init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t stub = (uint64_t)trap_stubs + i * 16;

        idt[i] = (struct gate){
            .offset_low = (uint16_t)stub,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
            .selector = SEL_KERNEL_CODE,
            .type = GATE_INTERRUPT | (i == 3 || i == 4 ? GATE_USER : 0),
            .ist = i == VECTOR_NMI || i == VECTOR_DF || i == VECTOR_MC ? IST_PARANOID : 0,
        };
    }
}

static void gdt_init(struct cpu *cpu)
{
    uint64_t tss = (uint64_t)&cpu->tss;
    struct table_pointer gdt = { sizeof cpu->gdt - 1, (uint64_t)cpu->gdt };
    struct table_pointer idtr = { sizeof idt - 1, (uint64_t)idt };

    cpu->gdt[SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff;
    cpu->gdt[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
    cpu->gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
    cpu->gdt[SEL_USER_CODE / 8] = 0x00affb000000ffff;
    cpu->gdt[SEL_TSS / 8] = 0x0000890000000000 | (sizeof cpu->tss - 1) | (tss & 0xffffff) << 16 |
                            (tss >> 24 & 0xff) << 56;
    cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
    cpu->tss.io_map = sizeof cpu->tss; /* none: ports are allowed by IOPL or not at all */
    cpu->tss.ist[IST_PARANOID - 1] = (uint64_t)(paranoid_stacks[cpu->id] + 2048);

    __asm__ volatile("lgdt %0" : : "m"(gdt));
    __asm__ volatile("pushq %0\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:"
                     : : "i"(SEL_KERNEL_CODE) : "rax", "memory");
    __asm__ volatile("mov %0, %%ss" : : "r"(0));
    __asm__ volatile("lidt %0" : : "m"(idtr));
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

struct cpu *cpu_alloc(uint32_t id, uint32_t apic)
{
    struct cpu *cpu = page_alloc();

    _Static_assert(sizeof(struct cpu) <= PAGE_BYTES, "one page");
    _Static_assert(offsetof(struct cpu, kernel_stack) == 8 && offsetof(struct cpu, scratch) == 16 &&
                       offsetof(struct cpu, current) == 24, "known to entry.S");
    if (!cpu)
        return NULL;
    cpu->self = cpu;
    cpu->id = id;
    cpu->apic_id = apic;
    for (unsigned i = 0; i < PRIORITY_COUNT; i++)
        list_init(&cpu->ready[i]);
    return cpu;
}

void cpu_init(struct cpu *cpu)
{
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    gdt_init(cpu);
    control_registers_init();
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (uint64_t)SEL_KERNEL_CODE << 32 | (uint64_t)(SEL_USER_CODE - 16) << 48);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_FMASK, RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL3);
    fpu_init_cpu();
}

/* ---- arrivals ------------------------------------------------------------------------------ */

void syscall_handle(struct ec *ec)
{
    if (ec->foreign) {
        if (!ec->utcb->native_call) {
            event_foreign(ec);
            return;
        }
        ec->utcb->native_call = 0;
    }
    hypercall(ec);
}

static void interrupt(unsigned vector)
{
    if (vector == VECTOR_SPURIOUS)
        return;
    apic_eoi();
    if (vector == VECTOR_TIMER)
        timer_expire();
    else if (vector == VECTOR_IPI)
        ipi_handle();
    else if (vector < VECTOR_IRQ_BASE + IRQ_COUNT)
        irq_handle(vector - VECTOR_IRQ_BASE);
}

void trap_handle(struct ec *ec)
{
    uint64_t vector = ec->regs.vector;

    if (vector >= VECTOR_EXCEPTIONS) {
        interrupt((unsigned)vector);
    } else if (vector == VECTOR_PF) {
        event_fault(ec, read_cr2());
    } else if (vector == VECTOR_NM) {
        if (!fpu_acquire(ec))
            event_exception(ec);
    } else {
        event_exception(ec);
    }
}

void trap_handle_kernel(struct regs *regs)
{
    if (regs->vector < VECTOR_EXCEPTIONS)
        panic_regs(regs, "exception in the kernel");
    interrupt((unsigned)regs->vector);
}

void trap_handle_paranoid(struct regs *regs)
{
    if (regs->vector == VECTOR_NMI)
        return;
    panic_regs(regs, regs->vector == VECTOR_DF ? "double fault" : "machine check");
}
