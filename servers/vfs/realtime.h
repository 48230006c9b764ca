/*
 * Time stamps of files.
 */
#pragma once

#include <stdint.h>

/* CLOCK_REALTIME minus CLOCK_MONOTONIC, in ns; set once at start. */
void realtime_set_offset(int64_t offset_ns);
int64_t realtime_offset_ns(void);
/* CLOCK_REALTIME in ns since 1970. */
int64_t realtime_ns(void);
