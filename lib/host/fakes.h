/*
 * Between the files of the host kit.
 */
#pragma once

#include <abi/types.h>

/* What a selector stands for; copies of a capability stand for the same object.
 * Objects are numbered from 1; a selector gets one when it is first asked about. */
unsigned  host_object(cap_sel_t sel);
cap_sel_t host_cap_copy(cap_sel_t sel);

#define HOST_MAX_OBJECTS 65536u

void host_spaces_reset(void);
void host_caps_reset(void);
