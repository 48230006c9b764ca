#include <lib/native/runtime.h>

cap_sel_t semaphore_create(uint64_t count)
{
    cap_sel_t sel = cap_alloc(1);

    if (sel == SEL_NONE)
        return SEL_NONE;
    if (with_kernel_memory(hc_create_sm(sel, own_pd, count)) == ST_OK)
        return sel;
    cap_free(sel, 1);
    return SEL_NONE;
}
