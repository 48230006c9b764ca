/*
 * The roottask's parts. Each section is one file.
 */
#pragma once

#include "manifest.h"
#include <abi/info.h>
#include <abi/message.h>
#include <lib/native/hypercall.h>
#include <lib/native/runtime.h>

/* ---- log.c: lines on COM1 ------------------------------------------------------------ */

/* From now on several threads may log. */
void log_init(void);
/* The system is about to end: from now on nobody waits for the log's lock. */
void log_crashing(void);
/* Writes one line: the prefix, then the text with all but printable characters
 * replaced; a newline is added. Lines don't mix. */
void log_write(const char *prefix, const char *text, size_t bytes);
/* log_line (lib/native/native.h) is for the roottask's own lines; with "@" at its
 * beginning a line gets no name. */

/* ---- start.c: the roottask's own thread ---------------------------------------------------- */

#define ROOT_HANDLER_STACK_BYTES (16 * 1024)

/* Makes the startup page that lib/native expects, for the handlers that it creates. */
void startup_page_make(const struct kernel_info *info, cap_sel_t first_free);
_Noreturn void root_main(const struct kernel_info *info, cap_sel_t first_free);

/* ---- power.c: the end of the system --------------------------------------------------- */

/* An orderly end: "ph run" exits with the status (0 to 255). */
_Noreturn void system_exit(unsigned status);
/* The system itself has failed; the reason has been logged. "ph run" exits with 125. */
_Noreturn void system_fail(void);

/* ---- rtc.c: the time of day ------------------------------------------------------------ */

/* Seconds since 1970-01-01 00:00 UTC, from the CMOS clock. */
int64_t rtc_seconds(void);

/* ---- memory.c: frames ------------------------------------------------------------------- */

enum memory_owner {
    OWNER_ROOT = 0,
    OWNER_PROGRAM = 1,  /* + index: allocated by that program */
    OWNER_IMAGE = 254,  /* images and stacks of programs */
    OWNER_KERNEL = 255, /* donated for kernel objects */
};

/* Maps all free memory and the boot module into the window and takes it over. */
void memory_init(const struct kernel_info *info);
/* 2^order zeroed contiguous frames, or 0. */
phys_t memory_take(unsigned order, uint8_t owner);
/* false: it is not a block of that owner. */
bool memory_give_back(phys_t phys, unsigned order, uint8_t owner);
bool memory_is_owned(phys_t phys, unsigned order, uint8_t owner);
uint64_t memory_free_frames(void);
/* The kernel's own statistics. */
void kernel_memory_stat(struct kmem_stat *stat);
/* Moves at least so many frames to the kernel's pool, and so to our quota. */
bool memory_donate(uint64_t pages);

/* ---- archive.c: the boot module ---------------------------------------------------------- */

/* Checks the whole archive; ends the system with a message if it is corrupt. */
void archive_init(const struct kernel_info *info);
/* A regular file: NULL if there is none. */
const void *archive_file(const char *name, uint64_t *bytes);

/* ---- program.c: programs of the manifest --------------------------------------------------- */

struct program {
    const struct manifest_program *row;
    unsigned index;
    cap_sel_t pd;     /* its protection domain; SEL_NONE before it is started */
    cap_sel_t ec;     /* its main thread, then its SC */
    cap_sel_t portal; /* that it published; SEL_NONE */
};

/* Selectors in a new program's space. */
enum {
    PROGRAM_SEL_PD = 1,
    PROGRAM_SEL_EC = 2,
    PROGRAM_SEL_SC = 3,
    PROGRAM_SEL_EVENT = 4,
    PROGRAM_SEL_PORTALS = 5, /* root's, then those that it uses */
};

/* Reads the manifest and starts each program after those before it have published
 * their portals. Ends the system with a message when something is wrong. */
void programs_start(const struct kernel_info *info);
/* index as in the manifest; NULL if there is none. */
struct program *program_get(uint64_t index);
/* The program has published its portal (held in our selector). False: it already has. */
bool program_publish(struct program *program, cap_sel_t portal);
/* Maps (or, with show false, unmaps) a block in a program and in those that share its
 * frames. False when kernel memory is out; then nothing is mapped. */
bool program_show_frames(struct program *program, phys_t phys, unsigned order, bool show);

/* More memory for the program's kernel objects: of the kernel's pool and of its quota,
 * as either may have been short. False: there is none. */
bool program_kernel_memory(struct program *program, uint64_t pages);

/* Evaluates a hypercall that the program pays for; again while kernel memory is out
 * and the program gets more. */
#define PROGRAM_GRANT_PAGES 64u
#define PROGRAM_GRANTS_MAX  256u
#define with_program_memory(program, hypercall)                                                    \
    ({                                                                                             \
        enum status with_status = (hypercall);                                                     \
        for (unsigned with_i = 0; with_i < PROGRAM_GRANTS_MAX && with_status == ST_NO_MEMORY;      \
             with_i++) {                                                                           \
            if (!program_kernel_memory(program, PROGRAM_GRANT_PAGES))                              \
                break;                                                                             \
            with_status = (hypercall);                                                             \
        }                                                                                          \
        with_status;                                                                               \
    })

/* ---- load.c: images ------------------------------------------------------------------------- */

/* Maps the ELF image into the program. Returns its entry point, or 0 with *why set. */
uint64_t image_load(struct program *program, const void *file, uint64_t bytes, const char **why);
/* Allocates 2^order zeroed frames and maps them. Returns our address of them, or NULL. */
void *pages_place(struct program *program, uint64_t address, unsigned order, unsigned rights);

/* ---- service.c: the portal that programs call ----------------------------------------------- */

/* Creates the handlers, one for each CPU, and the portal. */
void service_init(const struct kernel_info *info);
/* The portal with the badge of program index. */
cap_sel_t service_portal_mint(unsigned index);

/* ---- crash.c: programs that should not end, and do ------------------------------------ */

/* Creates the handlers, one for each CPU, and the portal for the roottask's own events. */
void crash_init(const struct kernel_info *info);
/* A portal for the events of program index. */
cap_sel_t crash_portal_create(unsigned index);
