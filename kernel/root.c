/*
 * Starts the root program, whose ELF file is part of the kernel image. It gets
 * the information page, a stack, and capabilities to itself; from then on it
 * owns everything that is not the kernel's.
 */
#include "cpu.h"
#include "kmem.h"
#include "mail.h"
#include "misc.h"
#include "sc.h"
#include "x86.h"

#include <elf.h>
#include <lib/native/startup.h>

enum { ROOT_PRIORITY = 60, ROOT_QUANTUM_MS = 10, STACK_RESERVE = 1024 };

struct pd *root_pd;

static void map_page(struct pd *pd, vaddr_t va, phys_t phys, unsigned rights)
{
    bool big;
    uint64_t *entry = space_walk(&pd->space, va, true, &big);

    if (!entry)
        panic("no memory for the root program");
    *entry = phys | pte_from_rights(rights);
}

static void *new_page(struct pd *pd, vaddr_t va, unsigned rights)
{
    void *page = page_alloc();

    if (!page)
        panic("no memory for the root program");
    map_page(pd, va, ptr_phys(page), rights);
    return page;
}

/* Read-only pages are mapped from the image itself, others are copied. */
static void load_segment(struct pd *pd, const Elf64_Phdr *ph)
{
    unsigned rights = MEM_R | (ph->p_flags & PF_W ? MEM_W : 0) | (ph->p_flags & PF_X ? MEM_X : 0);
    vaddr_t start = ph->p_vaddr & ~(PAGE_BYTES - 1), end = ph->p_vaddr + ph->p_memsz;
    vaddr_t file_end = ph->p_vaddr + ph->p_filesz;

    if (ph->p_offset + ph->p_filesz > (uint64_t)(root_image_end - root_image) ||
        (ph->p_offset - ph->p_vaddr) % PAGE_BYTES || ph->p_filesz > ph->p_memsz || end >= USER_END)
        panic("the root program's ELF segment at %lx is not valid", ph->p_vaddr);
    for (vaddr_t va = start; va < end; va += PAGE_BYTES) {
        const char *file = root_image + ph->p_offset + (va - ph->p_vaddr);

        if (!(rights & MEM_W)) {
            map_page(pd, va, ptr_phys(file), rights);
        } else {
            char *page = new_page(pd, va, rights);
            uint64_t skip = va < ph->p_vaddr ? ph->p_vaddr - va : 0;

            if (va + skip < file_end)
                memcpy(page + skip, file + skip,
                       (file_end - va < PAGE_BYTES ? file_end - va : PAGE_BYTES) - skip);
        }
    }
}

static vaddr_t load_image(struct pd *pd)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)root_image;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(root_image + eh->e_phoff);

    if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_machine != EM_X86_64)
        panic("the root program is not an x86-64 ELF file");
    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD)
            load_segment(pd, &ph[i]);
    return eh->e_entry;
}

static void finish_info(void)
{
    boot_kernel_info.cpu_count = cpu_count;
    boot_kernel_info.tsc_hz = tsc_hz;
    boot_kernel_info.cpu_features = cpu_features;
}

void root_start(void)
{
    struct ec_params params = {
        .utcb = UTCB_AREA_VA,
        .sp = MAIN_STACK_TOP - STACK_RESERVE,
        .event_sel = ROOT_SEL_EVENT,
    };
    struct pd *pd;
    struct ec *ec;
    struct sc *sc;

    finish_info();
    if (pd_create(&root_account, 1ull << 50, true, &pd) != ST_OK)
        panic("no memory for the root program");
    map_page(pd, INFO_VA, ptr_phys(&boot_kernel_info), MEM_R);
    for (vaddr_t va = MAIN_STACK_TOP - MAIN_STACK_BYTES; va < MAIN_STACK_TOP; va += PAGE_BYTES)
        new_page(pd, va, MEM_R | MEM_W);
    root_pd = pd;
    pd->object.caps = 1; /* one more than there are: it never ends */
    params.pd = pd;
    params.ip = load_image(pd);
    if (ec_create(&params, &ec) != ST_OK ||
        sc_create(pd->account, ec, ROOT_PRIORITY, tsc_hz / 1000 * ROOT_QUANTUM_MS, &sc) != ST_OK ||
        cap_insert(&pd->caps, ROOT_SEL_PD, &pd->object, PD_ALL) != ST_OK ||
        cap_insert(&pd->caps, ROOT_SEL_EC, &ec->object, EC_ALL) != ST_OK ||
        cap_insert(&pd->caps, ROOT_SEL_SC, &sc->object, SC_ALL) != ST_OK)
        panic("no memory for the root program");
    ec->regs.rdi = INFO_VA;
    ec->regs.rsi = UTCB_AREA_VA;
    ec->regs.rdx = ROOT_SEL_EVENT + 1;
    mail_send(&sc->object, sc->cpu, MAIL_START);
}
