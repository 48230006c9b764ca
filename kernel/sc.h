/*
 * Scheduling contexts: priority and time. Belongs to its EC's CPU.
 */
#pragma once

#include "object.h"

struct ec;

enum sc_state {
    SC_READY,   /* in a ready queue */
    SC_RUNNING,
    SC_BLOCKED, /* in blocked_scs of the EC it would run */
    SC_STOPPED, /* its first EC is gone, or it has ended */
};

#define PRIORITY_COUNT 64

struct sc {
    struct object object;
    struct ec    *ec;       /* where its chain of calls begins; referenced */
    uint32_t      cpu;
    uint8_t       priority;
    uint8_t       state;
    bool          doomed;   /* last capability gone, but a handler still uses its time */
    uint64_t      quantum, left; /* TSC ticks */
    uint64_t      used;     /* TSC ticks until it was last switched away */
    struct list   link;     /* ready queue or blocked_scs */
};

enum status sc_create(struct account *account, struct ec *ec, unsigned priority, uint64_t quantum,
                      struct sc **sc) PACKED_STATUS;
void sc_end(struct sc *sc);
void sc_free(struct sc *sc);

/* The rest on the home CPU. */

/* The first EC is gone; heir (or NULL) goes on with its time until it replies. */
void sc_inherit(struct sc *sc, struct ec *heir);
/* There is nothing that it could run any more. */
void sc_stop(struct sc *sc);
/* May it go, its last capability being gone? Not while a handler uses its time. */
bool sc_is_over(const struct sc *sc);
