/*
 * The real proc server, for the router's tests. In a file of its own: what proc and
 * the router each know of a process has the same name.
 */
#pragma once

#include <stdbool.h>

struct server *world_proc(void);
/* Processes and zombies that there are. */
unsigned world_proc_ids(void);
/* Whether the step that is asked for is the one that is to fail. */
bool fails(void);
