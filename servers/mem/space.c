/* uthash ends the program when it can't allocate; we answer -ENOMEM instead. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->id = 0)

#include "servers/mem/space.h"

#include "servers/mem/exec.h"
#include "servers/mem/frames.h"
#include "servers/mem/layout.h"

#include <asm/resource.h>
#include <errno.h>
#include <lib/native/native.h>
#include <stdlib.h>

static struct space *spaces;
uint64_t space_mmap_base(uint64_t stack_limit)
{
    uint64_t gap = stack_limit < MMAP_GAP_MAX ? page_up(stack_limit) : MMAP_GAP_MAX;

    gap += STACK_GUARD_PAGES * PAGE_BYTES;
    if (gap < MMAP_GAP_MIN)
        gap = MMAP_GAP_MIN;
    if (gap > MMAP_GAP_MAX)
        gap = MMAP_GAP_MAX;
    return page_down(STACK_TOP - gap);
}

struct space *space_lookup(uint32_t id)
{
    struct space *space;

    HASH_FIND(hh, spaces, &id, sizeof id, space);
    return space;
}

int space_create(uint32_t id, cap_sel_t pd, struct space **created)
{
    struct space *space;

    if (id == 0)
        return -EINVAL;
    if (space_lookup(id))
        return -EEXIST;
    space = calloc(1, sizeof *space);
    if (!space)
        return -ENOMEM;
    space->id = id;
    HASH_ADD(hh, spaces, id, sizeof space->id, space);
    if (space->id == 0) { /* see uthash_nonfatal_oom */
        free(space);
        return -ENOMEM;
    }
    space->users = 1;
    space->pager.pd = pd;
    space->limits.as = space->limits.data = RLIM_INFINITY;
    space->limits.stack = STACK_LIMIT_DEFAULT;
    space->mmap_base = space_mmap_base(STACK_LIMIT_DEFAULT);
    *created = space;
    return 0;
}

void space_clear(struct space *space)
{
    struct vma *vma;

    exec_abandon(space);
    while ((vma = space->vmas.root)) {
        space_drop_pages(space, vma->start, vma->end);
        space_count_pages(space, -(int64_t)page_number(vma->end - vma->start), vma->prot,
                          vma->flags);
        vma_remove(&space->vmas, vma);
        object_put(vma->object, &space->released);
        free(vma);
    }
    must(space->pages.count == 0 && space->counts.total == 0);
    space->brk_start = space->brk = 0;
    space->marks = (struct program_marks){ 0 };
}

void space_free(struct space *space)
{
    must(!space->vmas.root && !space->released && !space->exec);
    HASH_DEL(spaces, space);
    pager_release(&space->pager);
    free(space);
}

uint64_t space_count(void) { return HASH_COUNT(spaces); }

size_t space_take_released(struct space *space, uint64_t *files, size_t max)
{
    size_t count = 0;

    while (space->released && count < max) {
        struct object *object = space->released;

        files[count++] = object->file;
        if (--object->file_refs > 0)
            continue;
        space->released = object->next;
        free(object);
    }
    return count;
}
