/*
 * What mem's entry points are called by the kit for.
 */
#pragma once

#include <lib/server/server.h>

bool      mem_fault(struct call *call, uint64_t address, uint64_t error_code);
int       mem_on_bind(struct slot *slot);
cap_sel_t mem_space_of(struct slot *slot);
