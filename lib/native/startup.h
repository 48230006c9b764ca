/*
 * What a native program finds when it starts: one page written by the
 * roottask, mapped read-only at STARTUP_VA.
 */
#pragma once

#include <abi/info.h>
#include <abi/types.h>

/* The address space of a native program. */
#define STARTUP_VA      0x0000000010000000ull /* struct startup */
#define INFO_VA         0x0000000010001000ull /* struct kernel_info */
#define MAIN_STACK_TOP  0x0000000020000000ull
#define MAIN_STACK_BYTES (64 * 1024ull)
#define UTCB_AREA_VA    0x0000000030000000ull /* UTCBs; the first is the main EC's */
/* Frames appear at WINDOW_VA + physical address in each program that owns or
 * shares them, so that a physical address names a frame in all of them. */
#define WINDOW_VA       0x0000100000000000ull

#define STARTUP_MAGIC   0x7374617274757031ull
#define STARTUP_NAME_BYTES 24
#define STARTUP_MAX_PORTALS 24
#define STARTUP_ARGS_BYTES 1024

struct startup_portal {
    char     name[STARTUP_NAME_BYTES]; /* service, such as "vfs" */
    uint32_t sel;                      /* portal capability in this PD */
    uint32_t reserved;
};

struct startup {
    uint64_t magic;
    char     name[STARTUP_NAME_BYTES]; /* of this program in the manifest */
    uint32_t sel_pd, sel_ec, sel_sc;   /* its own */
    uint32_t sel_event;  /* event portal (crash handler) for further ECs */
    uint32_t sel_free;   /* first selector that is free for its own use */
    uint32_t priority;   /* of its main thread; highest it may give */
    uint32_t portal_count;
    uint32_t cpu_count;
    phys_t   module_base;   /* the boot module, mapped read-only in the window if the */
    uint64_t module_bytes;  /* manifest says so; else 0 */
    int64_t  realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC at boot */
    struct startup_portal portals[STARTUP_MAX_PORTALS];
    char     args[STARTUP_ARGS_BYTES]; /* arguments of the manifest row, then of the
                                          kernel command line, separated by blanks */
};
_Static_assert(sizeof(struct startup) <= PAGE_BYTES, "one page");

static inline const struct startup *startup_info(void)
{
    return (const struct startup *)STARTUP_VA;
}
static inline const struct kernel_info *kernel_info(void)
{
    return (const struct kernel_info *)INFO_VA;
}
