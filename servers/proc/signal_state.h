/*
 * What is remembered about signals, for a process and for a thread.
 *
 *   signal.c        dispositions, masks          signal_queue.c  what pends
 *   signal_send.c   sending: who must look       kill.c          kill(2) and its relatives
 *   signal_take.c   what a thread does about it  signal_wait.c   waiting for signals
 *   stop.c          stop and continue, SIGCHLD   timers.c ...    timers that send signals
 */
#pragma once

#include <lib/server/server.h>
#include <personality/linux/linux_signal.h>

struct process;
struct thread;
struct posix_timer;

/* A time at which something is to be done. All zero: not armed. */
struct deadline {
    uint64_t ns;      /* of CLOCK_MONOTONIC */
    unsigned place;   /* in the heap, + 1; 0: not armed */
};

enum timer_clock { TIMER_MONOTONIC, TIMER_PROCESS_CPU, TIMER_THREAD_CPU };

struct timer {
    struct deadline deadline; /* must be the first member */
    enum timer_clock clock;
    struct process *process;
    struct thread *thread;    /* whose CPU time it counts; else NULL */
    uint64_t expiry;          /* on its clock; 0: not set */
    uint64_t interval;
    void (*fire)(struct timer *timer); /* the time has come; may arm it again */
};

/* A signal with what is to be told about it. */
struct queued_signal {
    struct queued_signal *next;
    struct posix_timer *timer; /* whose it is; NULL: freed when taken */
    siginfo_t info;
};

/* set: the signals that pend; a standard one, or one that came when memory or the limit
 * was exhausted, may have no entry in the list. */
struct signal_queue {
    signal_set_t set;
    struct queued_signal *first, *last;
};

/* The timers of setitimer(2). */
#define ITIMER_COUNT 3
struct itimers {
    struct timer timer[ITIMER_COUNT];
};

struct process_signals {
    struct linux_sigaction actions[SIGNAL_COUNT];
    struct signal_queue pending;  /* for any of its threads */
    uint32_t queued;              /* entries here and at its threads: RLIMIT_SIGPENDING */
    uint32_t exit_signal;         /* what the parent gets at the end: SIGCHLD, or as clone(2) says */
    uint32_t stop_signal;         /* by which it is stopped; 0: it runs */
    bool     stop_complete;       /* all threads are, and the parent has been told */
    uint32_t stop_unwaited;       /* signal of a stop that wait(2) has not reported yet, or 0 */
    bool     continue_unwaited;   /* the same for a continuation */
    struct itimers itimers;
    struct posix_timer *posix_timers;
    int      timer_id_next;
};

struct thread_signals {
    signal_set_t mask;
    signal_set_t saved_mask;  /* comes back after the call, or with the frame of a handler */
    bool         mask_saved;
    signal_set_t wait_set;    /* of rt_sigtimedwait(2), while it waits */
    struct wait_queue waiting; /* in that call */
    struct signal_queue pending;
    linux_stack_t stack;      /* the alternate one */
    bool         stopped;     /* its handler in the router waits for the continuation */
    bool         must_look;   /* it is in the list of signal_send.c, by look_next */
    struct thread *look_next;
};
