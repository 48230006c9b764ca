#include <lib/native/runtime.h>
#include <lib/server/ipc.h>

void ipc_cap_drop(cap_sel_t sel)
{
    if (sel == SEL_NONE)
        return;
    hc_revoke(sel, 1, REVOKE_SELF);
    cap_free(sel, 1);
}
