/*
 * Starting the other CPUs, and mail between CPUs.
 */
#include "smp.h"
#include "ec.h"
#include "mail.h"
#include "misc.h"
#include "x86.h"

void exit_to_user(void) __attribute__((noreturn)); /* entry.S */
extern char ap_trampoline[], ap_trampoline_end[];
uint64_t ap_boot_stack; /* boot.S */

enum {
    TRAMPOLINE = 0x8000, /* below 1 MiB, page number is the start-up vector */
    ICR_INIT = 0x4500, ICR_STARTUP = 0x4600,
    AP_STACK_PAGES = 4,
};

static struct cpu *ap_starting;

static void delay_us(uint64_t us)
{
    uint64_t end = rdtsc() + tsc_hz / 1000000 * us;

    while (rdtsc() < end)
        cpu_relax();
}

/* The CPU's number is not counted until it runs. */
static bool ap_start(uint32_t apic)
{
    struct cpu *cpu = cpu_alloc(cpu_count, apic);
    phys_t stack = boot_memory_take(AP_STACK_PAGES);

    if (!cpu || !stack)
        return false;
    cpu->kernel_stack = (uint64_t)phys_ptr(stack) + AP_STACK_PAGES * PAGE_BYTES;
    ap_boot_stack = cpu->kernel_stack;
    cpus[cpu->id] = cpu;
    __atomic_store_n(&ap_starting, cpu, __ATOMIC_RELEASE);
    apic_send(apic, ICR_INIT);
    delay_us(200);
    for (unsigned tries = 0; tries < 2; tries++) {
        apic_send(apic, ICR_STARTUP | TRAMPOLINE >> PAGE_SHIFT);
        for (unsigned wait = 0; wait < 1000; wait++) {
            if (!__atomic_load_n(&ap_starting, __ATOMIC_ACQUIRE))
                return true;
            delay_us(100);
        }
    }
    print("kernel: CPU with APIC id %u does not start\n", apic);
    return false;
}

void smp_start(void)
{
    memcpy(phys_ptr(TRAMPOLINE), ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    for (uint32_t i = 0; i < madt.cpu_count; i++)
        if (madt.cpu_apic_id[i] != cpus[0]->apic_id && ap_start(madt.cpu_apic_id[i]))
            cpu_count++;
}

_Noreturn void ap_main(void)
{
    struct cpu *cpu = ap_starting;

    write_cr3(kernel_cr3);
    cpu_init(cpu);
    apic_init_cpu();
    __atomic_store_n(&ap_starting, NULL, __ATOMIC_RELEASE);
    exit_to_user();
}

/* ---- mail ------------------------------------------------------------------------------ */

void ipi_send(uint32_t cpu)
{
    apic_send(cpus[cpu]->apic_id, VECTOR_IPI | 1 << 14);
}

static void deliver(struct object *object, uint32_t mail)
{
    if (object->type == OBJ_EC)
        ec_mail((struct ec *)object, mail);
    else
        sc_mail((struct sc *)object, mail);
}

void mail_send(struct object *object, uint32_t cpu, uint32_t mail)
{
    struct cpu *target = cpus[cpu];
    struct object *head;

    if (target == cpu_self()) {
        deliver(object, mail);
        return;
    }
    if (!object_get_if_alive(object))
        return;
    if (__atomic_fetch_or(&object->mail, mail, __ATOMIC_ACQ_REL)) {
        object_put(object); /* is in the mailbox already */
        return;
    }
    head = __atomic_load_n(&target->mailbox, __ATOMIC_RELAXED);
    do {
        object->mail_next = head;
    } while (!__atomic_compare_exchange_n(&target->mailbox, &head, object, false, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    ipi_send(cpu);
}

void mail_receive(void)
{
    struct object *object = __atomic_exchange_n(&cpu_self()->mailbox, NULL, __ATOMIC_ACQUIRE), *next;

    for (; object; object = next) {
        next = object->mail_next; /* before it can be queued again */
        deliver(object, __atomic_exchange_n(&object->mail, 0, __ATOMIC_ACQ_REL));
        object_put(object);
    }
}

void ipi_handle(void)
{
    mail_receive();
    tlb_service();
    reclaim_quiescent();
}
