/*
 * What a process has used.
 */
#pragma once

#include "proc.h"

/* ns: of processor time. */
void rusage_fill(struct rusage *usage, uint64_t ns);
