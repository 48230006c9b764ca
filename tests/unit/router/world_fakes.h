/*
 * Between the fakes.
 */
#pragma once

#include "world.h"

/* The thread of world_thread, or NULL. */
extern struct thread *the_thread;

/* Whether the step that is asked for is the one that is to fail. */
bool fails(void);
void kernel_setup(void);
/* Fills in what the kernel holds. */
void kernel_holdings(struct holdings *held);
