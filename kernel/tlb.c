/*
 * TLB shootdown. A CPU that may hold translations of a space has it loaded (there
 * are no address-space tags in use); it is asked by IPI to flush, and waited for.
 */
#include "misc.h"
#include "smp.h"
#include "x86.h"

enum { SINGLE_PAGES = 16 }; /* up to so many are invalidated one by one */

static void flush_local(vaddr_t va, uint64_t pages)
{
    if (pages > SINGLE_PAGES) {
        write_cr3(read_cr3());
        return;
    }
    for (; pages; pages--, va += PAGE_BYTES)
        invlpg(va);
}

/* Answers requests of others; also called while spinning for a lock. */
void tlb_service(void)
{
    struct cpu *cpu = cpu_self();
    uint64_t wanted = __atomic_load_n(&cpu->tlb_wanted, __ATOMIC_ACQUIRE);

    if (wanted == cpu->tlb_done)
        return;
    write_cr3(read_cr3());
    __atomic_store_n(&cpu->tlb_done, wanted, __ATOMIC_RELEASE);
}

void tlb_shootdown(struct space *space, vaddr_t va, uint64_t pages)
{
    struct cpu *self = cpu_self();
    uint64_t wanted[MAX_CPUS] = { 0 };

    if (self->loaded_space == space)
        flush_local(va, pages);
    /* The page tables were written before we look who has them loaded; the other
     * side stores loaded_space before it loads CR3, which serialises. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < cpu_count; i++) {
        if (cpus[i] == self || __atomic_load_n(&cpus[i]->loaded_space, __ATOMIC_RELAXED) != space)
            continue;
        wanted[i] = __atomic_add_fetch(&cpus[i]->tlb_wanted, 1, __ATOMIC_ACQ_REL);
        ipi_send(i);
    }
    for (uint32_t i = 0; i < cpu_count; i++)
        while (wanted[i] && __atomic_load_n(&cpus[i]->tlb_done, __ATOMIC_ACQUIRE) < wanted[i]) {
            tlb_service();
            cpu_relax();
        }
}
