/*
 * Reading clocks.
 */
#pragma once

#include "proc.h"

#include <time.h>

#define NS_PER_SECOND 1000000000ull

/* The time of a clock of clock_gettime(2), or -EINVAL. */
int64_t clock_read(const struct call *call, int32_t clock, uint64_t *ns);
