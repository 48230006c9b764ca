/*
 * The scheduler of a CPU: 64 priorities, round robin within each.
 */
#pragma once

#include "cpu.h"

/* Makes an SC of this CPU ready; preempts if its priority is higher. */
void sc_ready(struct sc *sc);
/* Takes it out of the queue it is in. */
void sc_unqueue(struct sc *sc);
/* TSC ticks it has consumed. */
uint64_t sc_time(const struct sc *sc);

/* The current SC stays ready, behind its peers. */
void schedule_yield(void);
/* The current EC is blocked and takes the current SC with it. */
void schedule_block(struct ec *blocked);
/* The chain of the current SC has changed: finds its end again. */
void schedule_rewalk(void);

/* On the way to user mode: works off the hazards, then loads the state of the
 * current EC; idles in the kernel while there is none. */
void schedule_exit(void);
