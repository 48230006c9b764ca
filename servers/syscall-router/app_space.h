/*
 * What a Linux program finds in its capability space, and where its UTCB is.
 * Only hybrid programs look at it.
 */
#pragma once

#include <abi/types.h>
#include <lib/server/server.h>

enum app_selector {
    APP_SEL_PD    = 1,  /* its own PD: may create ECs, portals and semaphores in it */
    APP_SEL_EVENT = 8,  /* event portal of its main thread: the router */
    APP_SEL_VFS   = 9,  /* portals of the servers, for calls that go straight to them; */
    APP_SEL_PROC  = 10, /* their badge is the main thread's slot */
    APP_SEL_MEM   = 11, /* also the pager */
    APP_SEL_EVENTS = 16, /* plus slot: event portals of all threads but the main one */
    APP_SEL_FREE  = APP_SEL_EVENTS + MAX_SLOTS, /* for the program's own use */
};

/* UTCB of the main thread; other threads' follow at their slot's number of pages. */
#define APP_UTCB_VA 0x00007fffff000000ull
