/*
 * The boot manifest: which programs the roottask starts, in which order, and what
 * each of them may do. The format is described in docs/manifest.md. Pure.
 */
#pragma once

#include <abi/types.h>
#include <lib/native/startup.h>

#define MANIFEST_MAX_PROGRAMS 16u
#define MANIFEST_PATH_BYTES   128u
#define MANIFEST_ERROR_BYTES  160u

#define MANIFEST_DEFAULT_PRIORITY 20u
#define MANIFEST_MAX_PRIORITY     59u  /* the roottask is above all */
#define MANIFEST_DEFAULT_QUOTA    256u /* pages */
#define MANIFEST_MIN_QUOTA        16u

enum manifest_flag {
    PROGRAM_IO_PORTS = 1 << 0,   /* may use I/O ports */
    PROGRAM_INTERRUPTS = 1 << 1, /* may bind interrupts */
    PROGRAM_MODULE = 1 << 2,     /* sees the boot module */
    PROGRAM_CREATE_PD = 1 << 3,  /* may create protection domains */
    PROGRAM_NO_PORTAL = 1 << 4,  /* publishes nothing: the next one starts at once */
};

struct manifest_program {
    char name[STARTUP_NAME_BYTES];  /* also of the service that it publishes */
    char path[MANIFEST_PATH_BYTES]; /* in the archive */
    char args[STARTUP_ARGS_BYTES];
    unsigned line;
    unsigned priority;
    unsigned cpu;
    unsigned flags;       /* enum manifest_flag */
    uint32_t uses;        /* bit n: program n's portal */
    uint32_t shares;      /* bit n: program n sees our frames */
    uint64_t quota_pages; /* kernel memory */
};

struct manifest {
    unsigned count;
    struct manifest_program programs[MANIFEST_MAX_PROGRAMS];
};

struct manifest_error {
    unsigned line; /* 0: the manifest as a whole */
    char text[MANIFEST_ERROR_BYTES];
};

/* Reads the text of a manifest. Returns false with *error set when it is wrong;
 * programs come out in the order of the file, which is the order of the start. */
bool manifest_parse(struct manifest *manifest, const char *text, uint64_t bytes,
                    struct manifest_error *error);

/* The index of the program of that name, or -1. */
int manifest_find(const struct manifest *manifest, const char *name);
