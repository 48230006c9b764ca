#include "servers/mem/pager.h"

#include <errno.h>
#include <lib/native/hypercall.h>
#include <lib/native/native.h>
#include <lib/native/runtime.h>

/* Where a mapping comes from. */
struct source {
    cap_sel_t pd;
    uint64_t  va;
};

/* The kernel answers ST_NO_MEMORY when its memory is out, and when the quota of the PD is.
 * Only in the first case it helps to give it more. */
static enum status map_retry(struct source from, struct pager *to, uint64_t va, uint64_t pages,
                             unsigned rights, unsigned flags)
{
    uint64_t done = 0;
    enum status status = hc_map(from.pd, from.va, to->pd, va, pages, rights, flags, &done);

    if (status == ST_NO_MEMORY && !to->full && kernel_memory_more()) {
        must(done <= pages);
        status = hc_map(from.pd, from.va + done * PAGE_BYTES, to->pd, va + done * PAGE_BYTES,
                        pages - done, rights, flags, &done);
        to->full = status == ST_NO_MEMORY;
    } else if (status == ST_OK) {
        to->full = false;
    }
    return status;
}

static int map_error(enum status status, uint64_t va)
{
    if (status == ST_OK)
        return 0;
    if (status == ST_NO_MEMORY)
        return -ENOMEM;
    log_line("mapping %#lx: status %d", (long)va, status);
    return -EFAULT;
}

int pager_map(struct pager *pager, phys_t phys, uint64_t va, uint64_t pages, unsigned rights)
{
    struct source window = { SEL_SELF, WINDOW_VA + phys };

    return map_error(map_retry(window, pager, va, pages, rights, 0), va);
}

void pager_copy(struct pager *pager, uint64_t from, uint64_t to, uint64_t pages, unsigned rights)
{
    struct source source = { pager->pd, from };

    if (rights)
        map_retry(source, pager, to, pages, rights, MAP_SPARSE);
}

int pager_clone(struct pager *from, struct pager *to, uint64_t va, uint64_t pages,
                unsigned rights, bool cow)
{
    struct source source = { from->pd, va };

    return map_error(map_retry(source, to, va, pages, rights, MAP_SPARSE | (cow ? MAP_COW : 0)),
                     va);
}

void pager_protect(struct pager *pager, uint64_t va, uint64_t pages, unsigned rights)
{
    enum status status = hc_protect(pager->pd, va, pages, rights);

    if (status == ST_NO_MEMORY && kernel_memory_more())
        status = hc_protect(pager->pd, va, pages, rights);
    /* ST_BAD_CAP: the protection domain is gone, and with it the mappings. Anything
     * else would leave a program with frames that we are about to free. */
    must(status == ST_OK || status == ST_BAD_CAP);
    pager->full = false;
}

void pager_release(struct pager *pager)
{
    if (pager->pd == SEL_NONE)
        return;
    hc_revoke(pager->pd, 1, REVOKE_SELF);
    cap_free(pager->pd, 1);
    pager->pd = SEL_NONE;
}
