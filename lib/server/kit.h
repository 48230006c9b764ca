/*
 * Between the files of the server kit.
 */
#pragma once

#include <lib/server/server.h>

/* The live slot with this number, or NULL. */
struct slot *slot_find(struct server *server, uint64_t number);
/* Takes the slot off all wait queues. */
void slot_stop_waiting(struct slot *slot);
/* Forgets the state of a call that has ended. */
void slot_reset(struct slot *slot);
