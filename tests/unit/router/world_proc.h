/*
 * The real proc server, for the router's tests. In a file of its own: what proc and
 * the router each know of a process has the same name.
 */
#pragma once

struct server *world_proc(void);
