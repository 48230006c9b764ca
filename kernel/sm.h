/*
 * Counting semaphores, also the receivers of interrupts.
 */
#pragma once

#include "lock.h"
#include "object.h"

struct ec;

struct sm {
    struct object object;
    struct spinlock lock;
    uint64_t    count;
    struct list waiters; /* ECs */
};

enum status sm_create(struct account *account, uint64_t count, struct sm **sm) PACKED_STATUS;
void sm_end(struct sm *sm);
void sm_free(struct sm *sm);
void sm_up(struct sm *sm);
/* Takes one (or all), or blocks ec, which is the current one, until there is
 * one or the TSC has passed deadline (0: none). */
void sm_down(struct sm *sm, struct ec *ec, bool all, uint64_t deadline);
/* Takes ec off the queue; false: it was not (any more) waiting. */
bool sm_forget(struct ec *ec);
