/*
 * The kit on the host, for unit tests: a server is called by the same stubs as
 * under our kernel, and what lies below it is faked and can be looked at.
 *
 *     static void setup(void) { host_reset(); }
 *     struct server_ref vfs = host_server(&vfs_server, SLOT);
 *     cap_sel_t space = host_space_create();
 *     host_region_add(space, 0x10000, 0x1000, MEM_R | MEM_W, true);
 *
 * Frames are real memory at WINDOW_VA + physical address, so that frame_ptr and
 * frame_phys work as they are. A failed must() ends the test (cmocka's
 * expect_assert_failure catches it).
 */
#pragma once

#include <lib/server/server.h>

/* Forgets spaces, signals, published capabilities; sets the clock to 0. */
void host_reset(void);

/* ---- calling a server ---------------------------------------------------------------- */

/* A reference for the stubs; badge: the slot number, 0 for operations. */
struct server_ref host_server(struct server *server, uint64_t badge);

/* A Linux call as the router makes it. */
struct host_answer {
    enum answer answer;
    int64_t     result;  /* ANSWER_DONE */
    uint64_t    word[5]; /* words 1 to 5 */
};
struct host_answer host_call(struct server *server, uint64_t slot, unsigned nr,
                             enum call_reason reason, const uint64_t arg[6]);
/* The same, with faults handled as the router does it: pages of registered regions
 * are brought in, others answer EFAULT; signal masks are taken for set. Ends with
 * ANSWER_DONE or ANSWER_PENDING. */
struct host_answer host_call_whole(struct server *server, uint64_t slot, unsigned nr,
                                   const uint64_t arg[6]);
/* slot_create and slot_bind. Returns the slot's semaphore. */
cap_sel_t host_slot(struct server *server, uint32_t slot, uint32_t tid, uint32_t owner);

/* ---- memory of programs ------------------------------------------------------------------ */

cap_sel_t host_space_create(void);
/* Zeroed memory of a program. rights: MEM_R | MEM_W. present false: each page must be
 * faulted in first. Address and bytes are multiples of the page size. */
void host_region_add(cap_sel_t space, uint64_t address, uint64_t bytes, unsigned rights,
                     bool present);
/* Makes the pages of the range present. false: not all of it is registered, or (write)
 * not writable. */
bool host_fault_in(cap_sel_t space, uint64_t address, uint64_t bytes, bool write);
/* Takes the pages out again; their content stays. */
void host_page_out(cap_sel_t space, uint64_t address, uint64_t bytes);
/* Where the test itself finds a program's memory; NULL if it is not registered. */
void *host_memory(cap_sel_t space, uint64_t address);

/* ---- what the server did ----------------------------------------------------------------- */

/* Signals of a semaphore since the last look. */
unsigned host_signals(cap_sel_t sem);
/* Selectors that are allocated now. */
unsigned host_caps_in_use(void);
/* Of CLOCK_MONOTONIC. */
void host_clock_set(uint64_t ns);
/* frames_alloc answers 0 after so many more frames from the "roottask"; UINT64_MAX: never. */
void host_frames_limit(uint64_t frames);
/* The portal that portal_find answers for this name. */
void host_portal_set(const char *name, cap_sel_t portal);
