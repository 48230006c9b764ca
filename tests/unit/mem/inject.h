/*
 * Memory that runs out on demand: malloc, calloc and frames_alloc of mem and of the
 * model fail from the given allocation on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The allocation with this number, from 0, fails once. */
void inject_at(uint64_t number);
/* Nothing fails any more. Returns whether something has failed. */
bool inject_off(void);
/* Counts an allocation; whether it is to fail. */
bool inject_fails(void);
/* For the tests' own allocations. */
bool inject_pause(void);
void inject_resume(bool paused_before);
