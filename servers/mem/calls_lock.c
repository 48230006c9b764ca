/*
 * mlock and its relatives. Nothing is ever paged out, so locking means to be there from
 * now on. RLIMIT_MEMLOCK is not looked at.
 */
#include "servers/mem/calls.h"

#include "servers/mem/layout.h"

#include "gen/linux_calls_mem.h"

#include <asm/mman.h>
#include <errno.h>
#include <linux/mman.h>

static int64_t lock_range(struct call *call, bool touch_pages)
{
    struct space *space = call_space(call);
    uint64_t start = page_down(call->arg[0]);
    uint64_t bytes = page_up(call->arg[1] + page_offset(call->arg[0]));

    if (!space)
        return -ESRCH;
    if (start + bytes < start)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!layout_is_user(start, bytes) || !space_is_mapped(space, start, start + bytes))
        return -ENOMEM;
    return touch_pages ? touch_range(call, space, start, start + bytes, TOUCH_AS_MAPPED) : 0;
}

/* mlock(2) */
int64_t sys_mlock(struct call *call) { return lock_range(call, true); }

/* mlock2(2) */
int64_t sys_mlock2(struct call *call)
{
    if (call->arg[2] & ~(uint64_t)MLOCK_ONFAULT)
        return -EINVAL;
    return lock_range(call, !call->arg[2]);
}

/* munlock(2) */
int64_t sys_munlock(struct call *call) { return lock_range(call, false); }

/* Brings in what can be had of all VMAs; what can't is passed over. The address to go on at is
 * in aux[1]; aux[0] is touch_range's. */
static int64_t touch_all(struct call *call, struct space *space)
{
    uint64_t *next = &call->slot->aux[1];
    const struct vma *vma;

    while ((vma = vma_at_or_after(&space->vmas, *next))) {
        uint64_t start = vma->start, end = vma->end;

        if (vma->prot & PROT_ALL)
            (void)touch_range(call, space, start, end, TOUCH_AS_MAPPED);
        if (call->answer != ANSWER_DONE)
            return 0;
        *next = end;
        call->slot->aux[0] = 0;
    }
    return 0;
}

/* mlockall(2) */
int64_t sys_mlockall(struct call *call)
{
    struct space *space = call_space(call);
    uint64_t flags = call->arg[0];

    if (!space)
        return -ESRCH;
    if (!flags || flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ||
        flags == MCL_ONFAULT)
        return -EINVAL;
    space->lock_future = flags & MCL_FUTURE && !(flags & MCL_ONFAULT);
    return flags & MCL_CURRENT && !(flags & MCL_ONFAULT) ? touch_all(call, space) : 0;
}

/* munlockall(2) */
int64_t sys_munlockall(struct call *call)
{
    struct space *space = call_space(call);

    if (!space)
        return -ESRCH;
    space->lock_future = false;
    return 0;
}
