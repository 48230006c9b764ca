/*
 * The rest of the native runtime on the host.
 */
#include "fakes.h"

#include <lib/host/host.h>
#include <lib/native/runtime.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_PORTALS 16

static uint64_t now_ns;
static struct {
    const char *name;
    cap_sel_t   portal;
} portals[MAX_PORTALS];

void host_reset(void)
{
    host_spaces_reset();
    host_caps_reset();
    host_frames_limit(UINT64_MAX);
    memset(portals, 0, sizeof portals);
    now_ns = 0;
}

/* ---- time, portals -------------------------------------------------------------- */

void host_clock_set(uint64_t ns) { now_ns = ns; }

uint64_t clock_ns(void) { return now_ns; }

uint64_t clock_ns_to_tsc(uint64_t ns) { return ns; }

void host_portal_set(const char *name, cap_sel_t portal)
{
    unsigned i = 0;

    while (i < MAX_PORTALS && portals[i].name)
        i++;
    must(i < MAX_PORTALS);
    portals[i].name = name;
    portals[i].portal = portal;
}

cap_sel_t portal_find(const char *name)
{
    for (unsigned i = 0; i < MAX_PORTALS && portals[i].name; i++)
        if (strcmp(portals[i].name, name) == 0)
            return portals[i].portal;
    return SEL_NONE;
}

/* ---- locks ---------------------------------------------------------------------------------- */

void lock_init(struct lock *lock) { *lock = (struct lock){ .sem = SEL_NONE }; }

void lock_acquire(struct lock *lock)
{
    uint32_t free_count = 0;

    while (!__atomic_compare_exchange_n((uint32_t *)&lock->count, &free_count, 1, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        free_count = 0;
        sched_yield();
    }
}

void lock_release(struct lock *lock)
{
    must(__atomic_load_n((uint32_t *)&lock->count, __ATOMIC_RELAXED) == 1);
    __atomic_store_n((uint32_t *)&lock->count, 0, __ATOMIC_RELEASE);
}

/* ---- log ------------------------------------------------------------------------------------ */

void log_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

_Noreturn void panic_at(const char *file, int line, const char *format, ...)
{
    static char reason[240]; /* cmocka looks at it after the jump */
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    mock_assert(0, reason, file, line); /* comes back only outside of a test */
    abort();
}
