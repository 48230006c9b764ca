/*
 * A foreign thread in a PD of its own, with its code (foreign_code.S), a page of
 * data and portals for its events that are handled in root's PD.
 */
#pragma once

#include "env.h"

#define FOREIGN_UTCB 0x30100000ull
#define FOREIGN_BADGE 0xb4d6e000000000b1ull

enum { /* selectors in the foreign PD */
    F_EVENT = 10,
    F_ROUTE = 11,
    F_PAGER = 12,
    F_SM = 13, /* for native calls */
};

/* One at a time. */
struct foreign {
    cap_sel_t pd, ec; /* its SC is ec + 1 */
    cap_sel_t event_ec;
    uint64_t done;    /* 1: it made system call 60; 2: it waits again */
    uint64_t count;   /* messages */
    struct msg log[32];
};
extern struct foreign foreign;

extern uint64_t foreign_data[512];
extern char __start_foreign_text[], __stop_foreign_text[]; /* made by the linker */
extern char f_registers[], f_registers_after[], f_exit[], f_numbers[], f_touch[], f_touch_read[],
    f_touch_write[], f_ud[], f_de[], f_de_at[], f_gp[], f_port[], f_non_canonical[],
    f_non_canonical_at[], f_int3[], f_int3_after[], f_int80[], f_step[], f_step_after[], f_mf[],
    f_mf_at[], f_spin[], f_spin_segments[], f_own_segments[], f_native[], f_native_wait[],
    f_calls[], f_set_state_target[];

/* Makes the PD with code and data; events go to event (NULL: foreign_event). */
void foreign_new(handler_fn *event);
/* Its thread, on CPU 0 with priority 61 and the stack pointer 0x7000; ip 0: MSG_STARTUP. */
void foreign_start(const void *ip);
void foreign_start_on(const void *ip, unsigned cpu, unsigned priority);
/* Waits until it has made system call 60. */
bool foreign_done(void);

/* Keeps a message in the log; handles system call 60 by keeping the thread. True:
 * that was all there is to do. */
bool foreign_note(struct msg *m);
/* A handler of events that notes them and answers system calls with label + 1. */
void foreign_event(struct msg *m);
/* Sets the instruction pointer of the thread (which waits for a handler). */
void foreign_continue_at(const void *ip);
struct ec_state *foreign_state(void);
