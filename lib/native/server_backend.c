/*
 * The server kit on our kernel.
 */
#include <lib/native/runtime.h>
#include <lib/server/backend.h>

enum status backend_copy(cap_sel_t space, unsigned op, void *local, uint64_t remote, uint64_t bytes,
                         uint64_t *done)
{
    return hc_copy(space, op, local, remote, bytes, done);
}

void backend_signal(cap_sel_t sem) { (void)hc_sm_up(sem); }

void backend_trim(void) { heap_trim(); }
