/*
 * The way to the outside: the console driver's channels, and what descriptors 0, 1 and 2 of
 * the first process are. A descriptor that is a terminal at the other end is one here; any
 * other behaves like a pipe.
 */
#pragma once

#include <lib/server/ipc.h>

struct process;
struct terminal;

/* The driver, before anything else here is used. */
void console_init(const struct server_ref *driver);
/* Opens descriptors 0, 1 and 2. terminals: bit n set: n is one. The terminal gets new
 * settings; process is in its foreground. Returns 0 or -ENOMEM. */
int console_open_stdio(struct process *process, unsigned terminals)
    __attribute__((warn_unused_result));
/* Takes in what has arrived, as far as there is room. */
void console_pull(void);
struct terminal *console_terminal(void);
