/*
 * Checks of signals: each prints what it sees, the same here and on Linux.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

typedef void handler_fn(int, siginfo_t *, void *);

struct check {
    const char *name;
    void (*run)(void);
};

extern const struct check handler_checks[], frame_checks[], queue_checks[], restart_checks[],
    fault_checks[], timer_checks[], child_checks[], stop_checks[];

/* Says what is wrong and ends the program, if the result is negative. */
int must(int result, const char *what);
#define MUST(call) must((int)(call), #call)

/* sigaction(2) with SA_SIGINFO; mask: one signal that is blocked as well, or 0. */
void handle(int signal, handler_fn *handler, int flags, int mask);
/* Back to the default. */
void unhandle(int signal);
void block(int signal);
void unblock(int signal);
int is_blocked(int signal);
int is_pending(int signal);
const char *name(int signal);
const char *error_name(int error);

/* Runs it in a child process. Prints how it ended. */
void in_child(const char *what, void (*run)(void));
/* "exited 3", "killed by SIGKILL", ... */
const char *ending(int status);

/* One signal SIGALRM in so many milliseconds. */
void alarm_in(int ms);
int64_t now_ns(void);
void sleep_ms(int ms);
