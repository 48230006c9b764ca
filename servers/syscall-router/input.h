/*
 * Input of the terminal.
 */
#pragma once

#include <stdbool.h>

/* Starts the thread that waits for input. False: it could not be started. */
bool input_start(void);
