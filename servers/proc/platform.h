/*
 * What the server needs to know of the machine. platform.c asks the runtime;
 * unit tests bring their own.
 */
#pragma once

#include <abi/types.h>

/* CLOCK_MONOTONIC, and what to add for CLOCK_REALTIME. */
uint64_t platform_now_ns(void);
int64_t platform_realtime_offset_ns(void);
/* Time consumed on a scheduling context so far. */
uint64_t platform_time_used_ns(cap_sel_t sc);
unsigned platform_cpu_count(void);
/* Bytes of memory: what the machine has and what is free. */
void platform_memory(uint64_t *total, uint64_t *available);
