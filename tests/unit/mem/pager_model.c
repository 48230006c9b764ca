#include "pager_model.h"

#include "inject.h"
#include "servers/mem/pagemap.h"
#include "servers/mem/pager.h"

#include <abi/hypercall.h>
#include <errno.h>
#include <lib/native/native.h>
#include <lib/server/ipc.h>

/* Entries: frame | rights, by PD and page. */
static struct pagemap tables;
static uint64_t map_calls, clone_calls;

#define PD_SHIFT 36
#define RIGHTS_MASK 7u

static uint64_t key(cap_sel_t pd, uint64_t va)
{
    return (uint64_t)pd << PD_SHIFT | va >> PAGE_SHIFT;
}

void model_reset(void)
{
    for (uint64_t index = 0; pagemap_next(&tables, &index, UINT64_MAX); index++)
        pagemap_clear(&tables, index);
    map_calls = clone_calls = 0;
}

phys_t model_lookup(cap_sel_t pd, uint64_t va, unsigned *rights)
{
    uint64_t entry = pagemap_get(&tables, key(pd, va));

    *rights = entry & RIGHTS_MASK;
    return entry & ~(PAGE_BYTES - 1);
}

uint64_t model_mapped_pages(void) { return tables.count; }
uint64_t model_map_calls(void) { return map_calls; }
uint64_t model_clone_calls(void) { return clone_calls; }

static void enter(cap_sel_t pd, uint64_t va, uint64_t entry)
{
    bool paused = inject_pause();

    must(va < USER_END && va % PAGE_BYTES == 0 && (entry & RIGHTS_MASK));
    must(pagemap_set(&tables, key(pd, va), entry) == 0);
    inject_resume(paused);
}

void model_map(cap_sel_t pd, phys_t phys, uint64_t va, uint64_t pages, unsigned rights)
{
    for (uint64_t page = 0; page < pages; page++)
        enter(pd, va + page * PAGE_BYTES, (phys + page * PAGE_BYTES) | rights);
}

int pager_map(struct pager *pager, phys_t phys, uint64_t va, uint64_t pages, unsigned rights)
{
    map_calls++;
    if (inject_fails())
        return -ENOMEM;
    model_map(pager->pd, phys, va, pages, rights);
    return 0;
}

/* The kernel gives no right that the source does not have, but for executing. */
static void copy_entry(uint64_t index, cap_sel_t pd, uint64_t va, unsigned rights)
{
    uint64_t entry = pagemap_get(&tables, index);

    if (!(entry & MEM_W))
        rights &= ~(unsigned)MEM_W;
    enter(pd, va, (entry & ~(uint64_t)RIGHTS_MASK) | rights);
}

void pager_copy(struct pager *pager, uint64_t from, uint64_t to, uint64_t pages, unsigned rights)
{
    uint64_t index = key(pager->pd, from), first = index;

    if (!rights || inject_fails())
        return;
    for (; pagemap_next(&tables, &index, first + pages); index++)
        copy_entry(index, pager->pd, to + (index - first) * PAGE_BYTES, rights);
}

/* When it fails, half of it has been done. */
int pager_clone(struct pager *from, struct pager *to, uint64_t va, uint64_t pages,
                unsigned rights, bool cow)
{
    uint64_t index = key(from->pd, va), first = index, entry;
    bool fails = inject_fails();

    clone_calls++;
    must((rights & MEM_R) && pages > 0);
    for (; (entry = pagemap_next(&tables, &index, first + (fails ? pages / 2 : pages))); index++) {
        uint64_t at = va + (index - first) * PAGE_BYTES;

        copy_entry(index, to->pd, at, rights);
        if (cow)
            enter(from->pd, at, entry & ~(uint64_t)MEM_W);
    }
    return fails ? -ENOMEM : 0;
}

void pager_protect(struct pager *pager, uint64_t va, uint64_t pages, unsigned rights)
{
    cap_sel_t pd = pager->pd;
    uint64_t index = key(pd, va), end = index + pages, entry;

    must(va % PAGE_BYTES == 0 && va + pages * PAGE_BYTES <= USER_END);
    for (; (entry = pagemap_next(&tables, &index, end)); index++) {
        pagemap_clear(&tables, index);
        if (entry & rights)
            enter(pd, (index & ((1ull << PD_SHIFT) - 1)) << PAGE_SHIFT,
                  (entry & ~(uint64_t)RIGHTS_MASK) | (entry & rights));
    }
}

void pager_release(struct pager *pager)
{
    if (pager->pd == SEL_NONE)
        return;
    ipc_cap_drop(pager->pd);
    pager->pd = SEL_NONE;
}
