/*
 * Deadlines of a CPU: a pairing heap ordered by TSC value, and the local timer
 * interrupt, programmed for the next of deadline and end of time slice.
 */
#pragma once

#include "types.h"

struct timer {
    uint64_t      deadline;
    struct timer *child, *sibling;
    struct timer **link; /* what points to us; NULL: not set */
};

static inline bool timer_is_set(const struct timer *timer) { return timer->link != NULL; }
/* On the current CPU. */
void timer_set(struct timer *timer, uint64_t deadline);
void timer_cancel(struct timer *timer);
/* Runs what is due and programs the interrupt; slice_end 0: no time slice. */
void timer_expire(void);
void timer_program(uint64_t slice_end);

/* Finds the rates of TSC and local timer against the PIT. */
void timer_calibrate(void);
extern uint64_t tsc_hz;
