/*
 * Capabilities: selectors come from the real allocator; behind them are numbered
 * objects, of which only signals are known here.
 */
#include "fakes.h"

#include <lib/host/host.h>
#include <lib/native/runtime.h>
#include <lib/server/backend.h>
#include <string.h>

static unsigned object_of[MAX_CAPS];
static unsigned objects;
static unsigned signals[HOST_MAX_OBJECTS];

unsigned host_object(cap_sel_t sel)
{
    must(sel < MAX_CAPS);
    if (!object_of[sel]) {
        must(objects + 1 < HOST_MAX_OBJECTS);
        object_of[sel] = ++objects;
    }
    return object_of[sel];
}

cap_sel_t host_cap_copy(cap_sel_t sel)
{
    cap_sel_t copy = cap_alloc(1);

    must(copy != SEL_NONE);
    object_of[copy] = host_object(sel);
    return copy;
}

void ipc_cap_drop(cap_sel_t sel)
{
    if (sel == SEL_NONE)
        return;
    must(sel < MAX_CAPS);
    object_of[sel] = 0;
    cap_free(sel, 1);
}

void backend_signal(cap_sel_t sem) { signals[host_object(sem)]++; }

unsigned host_signals(cap_sel_t sem)
{
    unsigned count = signals[host_object(sem)];

    signals[host_object(sem)] = 0;
    return count;
}

unsigned host_caps_in_use(void) { return caps_in_use(); }

/* Selectors stay allocated: servers with static state may hold them still. */
void host_caps_reset(void) { memset(signals, 0, sizeof signals); }
