/*
 * The first process: what boot/init asks for.
 */
#pragma once

#include "init.h"

/* Starts it on a slot of CPU 0. Returns 0, or a negative errno with nothing left
 * behind. run_finished is called at its end. */
int64_t first_process_start(const struct init_config *config);
