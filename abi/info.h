/*
 * Kernel information page: what the kernel tells the root program at boot.
 * Mapped read-only; every native server gets it too.
 */
#pragma once

#include <abi/types.h>

#define INFO_MAGIC 0x6e6f72646568796cull
#define INFO_MAX_REGIONS 64
#define INFO_CMDLINE_BYTES 1024

enum region_type {
    REGION_FREE     = 1, /* RAM for the root program to give out */
    REGION_RESERVED = 2, /* firmware; not to be touched */
    REGION_ACPI     = 3,
    REGION_MODULE   = 4, /* the boot module */
    REGION_KERNEL   = 5, /* the kernel and its first pool */
};

struct info_region {
    phys_t   base;
    uint64_t bytes;
    uint64_t type;
};

struct kernel_info {
    uint64_t magic;
    uint32_t version;
    uint32_t cpu_count;
    uint64_t tsc_hz;
    uint64_t boot_tsc;      /* time stamp counter when the kernel was entered */
    phys_t   module_base;
    uint64_t module_bytes;
    phys_t   rsdp;          /* ACPI root pointer, or 0 */
    uint64_t cpu_features;  /* enum cpu_feature */
    uint32_t region_count;
    uint32_t reserved;
    struct info_region regions[INFO_MAX_REGIONS];
    char     cmdline[INFO_CMDLINE_BYTES];
};
_Static_assert(sizeof(struct kernel_info) <= PAGE_BYTES, "one page");

enum cpu_feature {
    CPU_FSGSBASE = 1 << 0,
    CPU_SMEP     = 1 << 1,
    CPU_SMAP     = 1 << 2,
    CPU_UMIP     = 1 << 3,
    CPU_PCID     = 1 << 4,
    CPU_INVPCID  = 1 << 5,
    CPU_XSAVE    = 1 << 6,
    CPU_ERMS     = 1 << 7,
    CPU_RDRAND   = 1 << 8,
    CPU_X2APIC   = 1 << 9,
    CPU_TSC_DEADLINE = 1 << 10,
    CPU_GIB_PAGES = 1 << 11,
};

/* KMEM_OP_STAT */
struct kmem_stat {
    uint64_t pages_total;
    uint64_t pages_free;
    uint64_t objects[5]; /* PD, EC, SC, PT, SM that exist */
    uint64_t reserved;
};

/* Where the root program finds things when it starts:
 * rdi = address of the kernel information page, rsi = its UTCB,
 * rdx = first free capability selector; the selectors below. */
enum {
    ROOT_SEL_PD = 1,
    ROOT_SEL_EC = 2,
    ROOT_SEL_SC = 3,
    ROOT_SEL_EVENT = 4, /* its event portal is looked for here; empty at start */
};
