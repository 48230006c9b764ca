/*
 * The kernel's view of signals from the UAPI header, under names that do not
 * collide with those of the C library.
 */
#pragma once

#include <sys/types.h>
#include <time.h>

#undef _STRUCT_TIMESPEC /* glibc's; <linux/time.h> is to define its own */

#define sigset_t    linux_sigset_t
#define sigaction   linux_sigaction
#define sigaltstack linux_sigaltstack
#define stack_t     linux_stack_t
#define timespec    linux_timespec
#define timeval     linux_timeval
#define itimerspec  linux_itimerspec
#define itimerval   linux_itimerval
#define timezone    linux_timezone
#include <linux/signal.h>
#undef sigset_t
#undef sigaction
#undef sigaltstack
#undef stack_t
#undef timespec
#undef timeval
#undef itimerspec
#undef itimerval
#undef timezone

#include <stdbool.h>
#include <stdint.h>

#define SIGNAL_COUNT 64

typedef uint64_t signal_set_t; /* bit n - 1: signal n */

static inline signal_set_t signal_bit(unsigned signal) { return 1ull << (signal - 1); }

/* Signals that can neither be blocked nor handled. */
#define SIGNALS_FORCED (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))
