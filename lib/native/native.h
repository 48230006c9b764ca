/*
 * The native runtime: what programs on the bare kernel link against.
 *
 * musl's libc.a supplies pure functions (string, ctype, qsort, snprintf, ...);
 * nothing of it that makes a system call may be used. The runtime supplies the
 * start code, a TLS block for each EC (errno, stack protector), and malloc.
 */
#pragma once

#include <abi/types.h>
#include <lib/native/startup.h>

/* The program's own entry, run by the main EC. If it returns, the EC sleeps for ever. */
int native_main(const struct startup *startup);

/* ---- capabilities ------------------------------------------------------------ */

/* Returns a run of count free selectors, or SEL_NONE. Thread-safe. */
cap_sel_t cap_alloc(unsigned count);
/* Gives selectors back; revoke them first if they hold anything. */
void cap_free(cap_sel_t first, unsigned count);
/* The portal granted to us under this name by the manifest, or SEL_NONE. */
cap_sel_t portal_find(const char *name);

/* ---- memory -------------------------------------------------------------------- */

/* Allocates 2^order zeroed contiguous frames. Returns the physical address, or
 * 0 when memory is out. Small orders come from chunks that are fetched from the
 * roottask as needed and given back when they are empty. Thread-safe. */
phys_t frames_alloc(unsigned order);
/* The same for frames that the caller fills as a whole: they may hold anything. */
phys_t frames_alloc_dirty(unsigned order);
void frames_free(phys_t phys, unsigned order);
/* Frames that this program holds (allocated, not cached in chunks). */
uint64_t frames_in_use(void);

static inline void *frame_ptr(phys_t phys) { return (void *)(WINDOW_VA + phys); }
static inline phys_t frame_phys(const void *ptr) { return (phys_t)(uintptr_t)ptr - WINDOW_VA; }

/* malloc, calloc, realloc, free of <stdlib.h> work, on frames. malloc answers
 * NULL when memory is out; heap_bytes_in_use is for leak tests. */
size_t heap_bytes_in_use(void);

/* ---- log ------------------------------------------------------------------------- */

/* One line to the system log (at most 240 bytes; "name: " is put before it). */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Logs the reason with file and line and stops the program with #UD, so that
 * the roottask reports registers and a backtrace. */
_Noreturn void panic_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
/* Stays on in release builds. */
#define must(condition)                                                                           \
    do {                                                                                          \
        if (__builtin_expect(!(condition), 0))                                                    \
            panic_at(__FILE__, __LINE__, "%s", #condition);                                       \
    } while (0)

/* ---- threads, locks, time ----------------------------------------------------------- */

typedef void (*thread_fn)(void *arg);

/* Starts a global EC with an SC of our priority on cpu. Returns its selectors'
 * first (EC, SC), or SEL_NONE. */
cap_sel_t thread_create(unsigned cpu, thread_fn run, void *arg);

/* Creates a local EC on cpu, to answer portals; its stack has stack_bytes (a
 * multiple of the page size). Returns its selector, or SEL_NONE. */
cap_sel_t handler_create(unsigned cpu, size_t stack_bytes);

/* A lock that sleeps; zero-initialised it is free, except for the semaphore,
 * which lock_init creates. Never held across a portal call. */
struct lock {
    _Atomic uint32_t count;
    cap_sel_t        sem;
};
void lock_init(struct lock *lock);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);

/* CLOCK_MONOTONIC: nanoseconds since boot. */
uint64_t clock_ns(void);
/* The TSC value at that time, for deadlines. */
uint64_t clock_ns_to_tsc(uint64_t ns);

/* The calling EC's UTCB. */
struct utcb *utcb_self(void);
