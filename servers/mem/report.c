/*
 * What a space looks like from outside: proc(5), maps, statm, status.
 */
#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <gen/mem_server.h>

#include <errno.h>
#include <lib/native/native.h>
#include <proto/mem_report.h>
#include <string.h>

/* ---- figures ------------------------------------------------------------------------------ */

/* Pages of objects that are there, whether or not they are in page tables at the moment. Those
 * that have private copies are counted as such. */
static void count_resident(const struct space *space, uint64_t figures[MEM_FIGURES])
{
    const struct vma *vma = vma_at_or_after(&space->vmas, 0);

    figures[MEM_RSS_ANON] = space->pages.count;
    for (; vma; vma = vma_next(&space->vmas, vma)) {
        uint64_t pages = page_number(vma->end - vma->start), known, copied;

        if (!vma->object)
            continue;
        known = pagemap_count(&vma->object->frames, vma->index, vma->index + pages);
        copied = pagemap_count(&space->pages, page_number(vma->start), page_number(vma->end));
        figures[vma->object->kind == OBJECT_FILE ? MEM_RSS_FILE : MEM_RSS_SHMEM] +=
            known > copied ? known - copied : 0;
    }
}

static void fill_marks(const struct space *space, uint64_t figures[MEM_FIGURES])
{
    const struct program_marks *marks = &space->marks;

    figures[MEM_CODE_START] = marks->code_start;
    figures[MEM_CODE_END] = marks->code_end;
    figures[MEM_DATA_START] = marks->data_start;
    figures[MEM_DATA_END] = marks->data_end;
    figures[MEM_BRK_START] = space->brk_start;
    figures[MEM_BRK_END] = space->brk;
    figures[MEM_STACK_START] = marks->stack_start;
    figures[MEM_ARGUMENTS_START] = marks->arguments_start;
    figures[MEM_ARGUMENTS_END] = marks->arguments_end;
    figures[MEM_ENVIRONMENT_START] = marks->environment_start;
    figures[MEM_ENVIRONMENT_END] = marks->environment_end;
}

int64_t mem_op_space_stat(struct call *call, uint32_t id, void *to, size_t *bytes)
{
    const struct space *space = space_lookup(id);
    uint64_t figures[MEM_FIGURES] = { 0 };

    (void)call;
    must(*bytes >= sizeof figures);
    *bytes = 0;
    if (!space)
        return -ESRCH;
    figures[MEM_TOTAL] = space->counts.total;
    figures[MEM_TOTAL_PEAK] = space->peak_total;
    figures[MEM_DATA] = space->counts.data;
    figures[MEM_STACK] = space->counts.stack;
    figures[MEM_EXEC] = space->counts.exec;
    figures[MEM_ANON_PEAK] = space->peak_own;
    figures[MEM_FAULTS] = space->faults;
    count_resident(space, figures);
    fill_marks(space, figures);
    memcpy(to, figures, sizeof figures);
    *bytes = sizeof figures;
    return 0;
}

/* ---- areas -------------------------------------------------------------------------------- */

static enum mem_area_name name_of(const struct space *space, const struct vma *vma)
{
    if (vma->object && vma->object->kind == OBJECT_FILE)
        return MEM_AREA_PLAIN;
    if (vma->object && vma->flags & VMA_SHARED)
        return MEM_AREA_SHARED;
    if (vma->object)
        return vma->start == VVAR_START ? MEM_AREA_VVAR : MEM_AREA_VDSO;
    if (vma->start < space->brk && vma->end > space->brk_start)
        return MEM_AREA_HEAP;
    if (vma->start <= space->marks.stack_start && vma->end >= space->marks.stack_start)
        return MEM_AREA_STACK;
    return MEM_AREA_PLAIN;
}

static struct mem_area area_of(const struct space *space, const struct vma *vma)
{
    bool has_file = vma->object && vma->object->kind == OBJECT_FILE;

    return (struct mem_area){
        .start = vma->start,
        .end = vma->end,
        .offset = vma->object ? vma->index << PAGE_SHIFT : 0,
        .file = has_file ? vma->object->file : 0,
        .prot = (uint8_t)vma->prot,
        .shared = (vma->flags & VMA_SHARED) != 0,
        .name = (uint16_t)name_of(space, vma),
    };
}

int64_t mem_op_maps(struct call *call, uint32_t id, uint64_t from, void *areas, size_t *bytes)
{
    const struct space *space = space_lookup(id);
    const struct vma *vma = space ? vma_at_or_after(&space->vmas, from) : NULL;
    int64_t count = 0;

    (void)call;
    must(*bytes >= MEM_AREAS_MAX * sizeof(struct mem_area));
    for (; vma && count < MEM_AREAS_MAX; vma = vma_next(&space->vmas, vma), count++) {
        struct mem_area area = area_of(space, vma);

        memcpy((char *)areas + (size_t)count * sizeof area, &area, sizeof area);
    }
    *bytes = (size_t)count * sizeof(struct mem_area);
    return space ? count : -ESRCH;
}
