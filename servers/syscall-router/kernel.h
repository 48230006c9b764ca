/*
 * What the router needs of the kernel and the runtime. kernel.c is the real
 * one; unit tests bring their own.
 *
 * Functions that return int answer 0 or a negative errno. When kernel memory is
 * short, whatever creates an object gets more from the roottask and tries again.
 */
#pragma once

#include <abi/hypercall.h>
#include <abi/message.h>
#include <abi/status.h>
#include <abi/types.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))

struct portal;

/* ---- capabilities ---------------------------------------------------------------- */

/* count selectors in a row, or SEL_NONE. */
cap_sel_t kernel_sel_alloc(unsigned count);
/* Deletes what the selectors hold, wherever it was delegated, and frees them.
 * SEL_NONE is allowed. */
void kernel_drop(cap_sel_t first, unsigned count);
/* A portal capability with a badge. */
MUST_USE int kernel_mint(cap_sel_t from, cap_sel_t to, uint64_t badge);
MUST_USE int kernel_delegate(cap_sel_t sel, cap_sel_t to_pd, cap_sel_t to, unsigned rights);
/* Takes what was delegated out of the PD's space again. */
void kernel_undelegate(cap_sel_t pd, cap_sel_t first, unsigned count);

/* ---- objects ----------------------------------------------------------------------- */

/* A handler EC with its stack on that CPU, or SEL_NONE. */
cap_sel_t kernel_handler_create(unsigned cpu);
/* A portal answered by that EC, or SEL_NONE. */
cap_sel_t kernel_portal_create(struct portal *portal, cap_sel_t handler);
/* A semaphore that counts 0, or SEL_NONE. */
cap_sel_t kernel_sem_create(void);
/* A PD with its share of kernel memory. */
MUST_USE int kernel_pd_create(cap_sel_t sel);
/* Raises the limit of its kernel memory if it is nearly reached. False: there is enough
 * of it, or no more to be had. */
bool kernel_pd_feed(cap_sel_t pd);
MUST_USE int kernel_pd_set_pager(cap_sel_t pd, cap_sel_t pager);
/* Calls from first on go to the portal at this selector of the PD. */
MUST_USE int kernel_pd_set_route(cap_sel_t pd, unsigned first, unsigned count, cap_sel_t portal);
/* A foreign EC; it starts when it gets a scheduling context. */
MUST_USE int kernel_ec_create(cap_sel_t sel, cap_sel_t pd, unsigned cpu, cap_sel_t event,
                               vaddr_t utcb, uint64_t badge);
MUST_USE int kernel_sc_create(cap_sel_t sel, cap_sel_t pd, cap_sel_t ec);

/* ---- threads ------------------------------------------------------------------------- */

MUST_USE int kernel_ec_get_state(cap_sel_t ec, struct ec_state *state);
MUST_USE int kernel_ec_set_state(cap_sel_t ec, const struct ec_state *state);
/* The area that XSAVE makes; bytes: room, then used (0: the thread has not computed with it). */
MUST_USE int kernel_ec_get_fpu(cap_sel_t ec, void *area, size_t *bytes);
/* What an area for all registers has: bytes, and the components (XCR0). */
size_t kernel_fpu_bytes(void);
uint64_t kernel_fpu_features(void);
MUST_USE int kernel_ec_set_fpu(cap_sel_t ec, const void *area, size_t bytes);
void kernel_ec_recall(cap_sel_t ec);
void kernel_sem_up(cap_sel_t sem);
/* Takes all signals, waits for one if there is none. deadline in nanoseconds of
 * CLOCK_MONOTONIC, 0: none. Returns false when it has passed. */
MUST_USE bool kernel_sem_wait(cap_sel_t sem, uint64_t deadline_ns);
void kernel_yield(void);
uint64_t kernel_ticks(void);
unsigned kernel_cpu_count(void);

/* ---- memory of programs ------------------------------------------------------------------ */

/* op: COPY_FROM, COPY_TO, COPY_STRING (up to and including the first zero byte).
 * Returns the bytes copied before a page was missing, or -EIO. */
int64_t kernel_copy(cap_sel_t pd, unsigned op, void *local, uint64_t remote, size_t bytes);

/* ---- the table of threads ------------------------------------------------------------------ */

/* Once, before anything else here. */
void kernel_init(void);
/* One lock; not held across calls to servers. */
void threads_lock(void);
void threads_unlock(void);
