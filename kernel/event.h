/*
 * What a thread does not do by hypercall: foreign system calls, faults and
 * exceptions, recall, start-up; all become messages.
 */
#pragma once

#include "ec.h"

void event_foreign(struct ec *ec);
void event_fault(struct ec *ec, uint64_t address);
void event_exception(struct ec *ec);
void event_recall(struct ec *ec);
void event_startup(struct ec *ec);
/* Sends the message of an EC again whose handler was busy, or has gone. */
void event_retry(struct ec *ec);
/* The handler declined: to the event portal. */
void event_declined(struct ec *ec);
