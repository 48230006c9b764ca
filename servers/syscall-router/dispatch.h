/*
 * Messages of a Linux thread to its slot.
 */
#pragma once

#include "router.h"

/* Handler of every slot's portal. */
void dispatch_message(struct portal *portal, struct portal_frame *frame);
/* One Linux call: the result for rax. */
int64_t dispatch_call(struct thread *thread, unsigned nr, const uint64_t arg[6]);

/* fault.c */
void handle_fault(struct thread *thread, uint64_t address, uint64_t error_code);
/* ip: of the instruction. */
void handle_exception(struct thread *thread, unsigned vector, uint64_t ip);
