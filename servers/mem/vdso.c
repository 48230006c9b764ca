#include "servers/mem/vdso.h"

#include "servers/mem/layout.h"
#include "servers/mem/vdso/vvar.h"

#include "gen/vdso_image.h"

#include <asm/mman.h>
#include <errno.h>
#include <lib/native/native.h>
#include <string.h>

#define IMAGE_PAGES ((sizeof vdso_image + PAGE_BYTES - 1) / PAGE_BYTES)
_Static_assert(IMAGE_PAGES <= VDSO_MAX_PAGES, "layout.h has room for the vDSO");

/* Page 0 is the data page, then the image. Each program maps it privately, so that a
 * debugger's breakpoints stay its own. */
static struct object *vdso;

static struct vvar *vvar_page(void) { return frame_ptr(object_frame(vdso, 0)); }

static int fill(void)
{
    for (uint64_t page = 0; page < 1 + IMAGE_PAGES; page++) {
        phys_t phys = object_frame(vdso, page);
        size_t offset = (page - 1) * PAGE_BYTES;
        size_t left = sizeof vdso_image - offset;

        if (!phys)
            return -ENOMEM;
        if (page > 0)
            memcpy(frame_ptr(phys), vdso_image + offset, left < PAGE_BYTES ? left : PAGE_BYTES);
    }
    return 0;
}

int vdso_init(const struct vdso_clock *clock)
{
    vdso = object_create_anon();
    if (!vdso)
        return -ENOMEM;
    if (fill()) {
        vdso_exit();
        return -ENOMEM;
    }
    vvar_set_clock(vvar_page(), clock->tsc_hz, clock->boot_tsc);
    vdso_set_realtime(clock->realtime_offset_ns);
    return 0;
}

void vdso_exit(void)
{
    struct object *released = NULL;

    object_put(vdso, &released);
    vdso = NULL;
}

void vdso_set_realtime(int64_t offset_ns)
{
    __atomic_store_n(&vvar_page()->realtime_offset_ns, offset_ns, __ATOMIC_RELEASE);
}

int vdso_map(struct space *space)
{
    struct vma data = {
        .start = VVAR_START, .end = VVAR_START + PAGE_BYTES, .prot = PROT_READ,
        .max_prot = PROT_READ, .object = vdso, .index = 0,
    };
    struct vma code = {
        .start = VDSO_START, .end = VDSO_START + IMAGE_PAGES * PAGE_BYTES,
        .prot = PROT_READ | PROT_EXEC, .max_prot = PROT_ALL, .object = vdso, .index = 1,
    };
    int error = space_map(space, &data);

    return error ? error : space_map(space, &code);
}
