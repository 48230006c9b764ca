/*
 * Per-CPU state and CPU features.
 */
#pragma once

#include "sc.h"
#include "space.h"
#include "timer.h"

#include <abi/info.h>

struct ec;

enum hazard { /* rare things to look at on the way to user mode */
    HAZARD_SCHEDULE = 1 << 0,
    HAZARD_RECLAIM  = 1 << 1,
};

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct cpu {
    /* entry.S knows these offsets */
    struct cpu *self;         /* 0 */
    uint64_t    kernel_stack; /* 8 */
    uint64_t    scratch;      /* 16 */
    struct ec  *current;      /* 24 */
    uint32_t    hazards;      /* 32: enum hazard */
    bool        rewalk;       /* a reply must look at the chain of current_sc again */

    uint32_t    id;
    uint32_t    apic_id;
    struct sc  *current_sc;
    struct ec  *loaded;       /* whose FS, GS, address space the processor has */
    struct space *loaded_space; /* also read by other CPUs (tlb.c) */
    struct ec  *fpu_owner;    /* whose registers the FPU holds */
    bool        fpu_disabled; /* CR0.TS is set */
    uint64_t    sc_start;     /* TSC when current_sc began to run */

    /* ready queues */
    uint64_t    ready_mask;
    struct list ready[PRIORITY_COUNT];

    /* timers */
    struct timer *timers;
    uint64_t    programmed;   /* TSC for which the interrupt is set; 0: none */

    /* from other CPUs */
    _Atomic uint64_t tlb_wanted;
    _Atomic uint64_t tlb_done;
    _Atomic(struct object *) mailbox;
    _Atomic uint32_t reclaim_wanted; /* say when no pointers are held */

    struct tss  tss;
    uint64_t    gdt[9];
};

extern struct cpu *cpus[MAX_CPUS];
extern uint32_t cpu_count;
extern uint64_t cpu_features; /* enum cpu_feature */

static inline struct cpu *cpu_self(void)
{
    struct cpu *cpu;

    __asm__("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

static inline bool cpu_has(enum cpu_feature feature) { return cpu_features & feature; }

/* Detects features (first CPU), then sets up this CPU: GDT, TSS, IDT, control registers. */
void cpu_detect(void);
struct cpu *cpu_alloc(uint32_t id, uint32_t apic_id);
void cpu_init(struct cpu *cpu);
void idt_init(void);
