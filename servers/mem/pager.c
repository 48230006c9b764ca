#include "servers/mem/pager.h"

#include <errno.h>
#include <lib/native/hypercall.h>
#include <lib/native/native.h>
#include <lib/native/runtime.h>

static enum status map_retry(cap_sel_t src_pd, uint64_t src, cap_sel_t pd, uint64_t va,
                             uint64_t pages, unsigned rights, unsigned flags)
{
    uint64_t done = 0;
    enum status status = hc_map(src_pd, src, pd, va, pages, rights, flags, &done);

    if (status != ST_NO_MEMORY || !kernel_memory_more())
        return status;
    must(done <= pages);
    return hc_map(src_pd, src + done * PAGE_BYTES, pd, va + done * PAGE_BYTES, pages - done, rights,
                  flags, &done);
}

int pager_map(cap_sel_t pd, phys_t phys, uint64_t va, uint64_t pages, unsigned rights)
{
    enum status status = map_retry(SEL_SELF, WINDOW_VA + phys, pd, va, pages, rights, 0);

    if (status == ST_OK)
        return 0;
    if (status == ST_NO_MEMORY)
        return -ENOMEM;
    log_line("map of frame %#lx to %#lx: status %d", (long)phys, (long)va, status);
    return -EFAULT;
}

void pager_copy(cap_sel_t pd, uint64_t from, uint64_t to, uint64_t pages, unsigned rights)
{
    map_retry(pd, from, pd, to, pages, rights, MAP_SPARSE);
}

void pager_protect(cap_sel_t pd, uint64_t va, uint64_t pages, unsigned rights)
{
    enum status status = hc_protect(pd, va, pages, rights);

    if (status == ST_NO_MEMORY && kernel_memory_more())
        status = hc_protect(pd, va, pages, rights);
    /* ST_BAD_CAP: the protection domain is gone, and with it the mappings. Anything
     * else would leave a program with frames that we are about to free. */
    must(status == ST_OK || status == ST_BAD_CAP);
}

void pager_release(cap_sel_t pd)
{
    if (pd == SEL_NONE)
        return;
    hc_revoke(pd, 1, REVOKE_SELF);
    cap_free(pd, 1);
}
