/*
 * Address spaces: four-level page tables of 4 KiB pages, and 2 MiB pages where
 * physical memory is mapped in bulk.
 */
#pragma once

#include "lock.h"

#define PTE_P    (1ull << 0)
#define PTE_W    (1ull << 1)
#define PTE_U    (1ull << 2)
#define PTE_PWT  (1ull << 3)
#define PTE_PCD  (1ull << 4)
#define PTE_A    (1ull << 5)
#define PTE_D    (1ull << 6)
#define PTE_PS   (1ull << 7)
#define PTE_G    (1ull << 8)
#define PTE_KERNEL_OWNED (1ull << 9) /* software: a frame of the kernel (UTCB); never copied */
#define PTE_NX   (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

#define BIG_PAGE_BYTES (2ull << 20)
#define TABLE_ENTRIES  512u

struct space {
    uint64_t *pml4;            /* in the direct map; NULL after space_free */
    phys_t    cr3;
    struct account *account;   /* pays for page tables */
    struct spinlock lock;      /* all tables below user PML4 entries */
    bool      dying;           /* no CPU may keep it loaded */
};

enum status space_init(struct space *space, struct account *account) PACKED_STATUS;
/* Frees the page tables; no CPU uses them any more. */
void space_free(struct space *space);

/* The entry that maps va: a 4 KiB entry, or a 2 MiB one (*big). With create,
 * missing tables are made and 2 MiB pages split, so that it is a 4 KiB entry.
 * NULL: not there, or out of memory. Under the lock (walks without create may
 * be without it if the result is used as a hint). */
uint64_t *space_walk(struct space *space, vaddr_t va, bool create, bool *big);
/* The 2 MiB-level entry of va, made if need be; NULL: out of memory. */
uint64_t *space_walk_big(struct space *space, vaddr_t va);
/* Bytes from va to where the next table may be, when there is none for va. */
uint64_t space_gap(struct space *space, vaddr_t va);
/* Frees the page table behind an entry of the 2 MiB level (all its pages are unmapped). */
void space_free_table(struct space *space, uint64_t *entry);

/* Translates for the kernel's own access: the direct-map address of va if it is
 * mapped for user space (with write: writable), else NULL. */
void *space_access(struct space *space, vaddr_t va, bool write);

uint64_t pte_from_rights(unsigned rights);
unsigned pte_rights(uint64_t pte);

/* Kernel half: final page tables, built once at boot. */
void kernel_space_init(void);
/* Maps a device register page for the kernel; index 0 to 7. */
volatile void *device_map(unsigned index, phys_t phys);
extern uint64_t *kernel_pml4;
extern phys_t kernel_cr3;
