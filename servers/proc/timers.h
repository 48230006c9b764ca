/*
 * Timers that send signals.
 *
 *   timers.c       times in the future, on any clock; what is due
 *   itimer.c       setitimer(2), alarm(2)
 *   posix_timer.c  timer_create(2) and its relatives
 */
#pragma once

#include "proc.h"

uint64_t timer_now(const struct timer *timer);
/* Waits for timer->expiry. -ENOMEM; never if it was armed when it fired. */
int timer_arm(struct timer *timer);
void timer_disarm(struct timer *timer);
/* How long until it expires next, 0: never. */
uint64_t timer_left(const struct timer *timer);
/* How often it has expired since expiry beyond the first time; expiry becomes the next. */
uint64_t timer_advance(struct timer *timer);
/* Makes the answer of a Linux call say that the next deadline is earlier than it was. */
void timers_follow(struct call *call);

/* ---- itimer.c ------------------------------------------------------------------ */

void itimers_init(struct process *process);
void itimers_free(struct process *process);

/* ---- posix_timer.c --------------------------------------------------------------- */

/* Its signal was taken: what is to be told is brought up to date, and it goes on. */
void timer_signal_taken(struct posix_timer *timer);
/* The same when nobody gets to see the signal. */
void timer_signal_dropped(struct posix_timer *timer);
void posix_timers_free(struct process *process);
void posix_timers_thread_gone(struct thread *thread);
