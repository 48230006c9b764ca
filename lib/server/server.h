/*
 * The server kit: what every server has in common.
 *
 * A server is a table of functions that each run to completion. There are two
 * kinds of requests:
 *
 *   Linux calls        label: call number (bits 0-11) and enum call_reason
 *                      (bits 12-14); words: the six arguments; badge: the slot
 *                      of the calling thread. Handler: sys_<name>(call).
 *   own operations     label: 0x8000 | operation, as proto/<server>.def defines
 *                      them. Handler: <server>_op_<name>(call, ...).
 *
 * A *slot* is one element of the router's pool of handler threads; while a
 * Linux thread lives, it has one slot, and servers know it by that number.
 *
 * A Linux call is answered with one of enum answer. After anything but
 * ANSWER_DONE the router does what is asked and sends the same call again, with
 * the reason. call->done carries progress from one attempt to the next, so a
 * partial result is never lost and a cancelled call always has an answer.
 */
#pragma once

#include <abi/hypercall.h>
#include <lib/server/ipc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LABEL_OPERATION    0x8000u
#define LABEL_NR_MASK      0x0fffu
#define LABEL_REASON_SHIFT 12

enum call_reason {
    CALL_FIRST       = 0,
    CALL_RETRY       = 1, /* woken, faulted in, or page supplied */
    CALL_INTERRUPTED = 2, /* a signal: give up the wait and say what was done */
    CALL_TIMED_OUT   = 3, /* the deadline that the server named has passed */
    CALL_FAULTED     = 4, /* the memory asked for can't be had: EFAULT */
    CALL_MASKED      = 5, /* the signal mask asked for is set */
};

enum answer {
    ANSWER_DONE      = 0, /* word 0: result or -errno */
    ANSWER_PENDING   = 1, /* wait for the slot's semaphore; word 1: deadline, ns of
                             CLOCK_MONOTONIC, 0 for none */
    ANSWER_FAULT_IN  = 2, /* words 1-3: address, bytes, for writing; then retry */
    ANSWER_NEED_PAGE = 3, /* mem only; words 1-3: file id, page index, pages wanted */
    ANSWER_MASK      = 4, /* word 1: a signal mask for the time of the call, as sigset_t */
};

/* With ANSWER_DONE, word 1 (call->answer_word[0], 0 unless the handler sets it): what
 * the router must do before the thread goes on. */
enum follow_up {
    FOLLOW_NONE        = 0,
    FOLLOW_FILES       = 1, /* mem: mappings of files ended; vfs gets the references back */
    FOLLOW_CREDENTIALS = 2, /* proc: the ids of the process changed; vfs must know */
    FOLLOW_SIGNALS     = 3, /* proc: word 2: slot of a thread that must look for signals; word 3:
                               there are more. As word 2 of a pending answer: the caller must */
    FOLLOW_SIGNAL      = 4, /* vfs: word 2: the signal that the call brings the thread */
    FOLLOW_TIMERS      = 5, /* proc: the next timer expires earlier than it was said */
};

#define MAX_SLOTS 1024u

struct call;
struct server;

typedef int64_t sys_fn(struct call *call);

/* State of a slot that outlives a single attempt. The kit owns it. */
struct slot {
    uint32_t  number;
    cap_sel_t sem;      /* SM of the slot's handler in the router */
    uint32_t  owner;    /* process (or address space) id the thread belongs to; 0: unbound */
    uint32_t  tid;
    uint64_t  done;     /* progress of the current call */
    uint64_t  aux[4];   /* free for the handler of the current call; 0 at CALL_FIRST */
    struct waiter *waiters; /* queues it waits on */
    uint64_t  deadline_ns;  /* the earliest named in this attempt; 0: none */
    unsigned  declined_nr;  /* a direct call that was declined, + 1: its next attempt, which
                               the router makes as CALL_FIRST, goes on where it stopped */
    bool      answered;     /* ... or is done, but the router has something to do for it: */
    uint64_t  answer[6];    /* the words of the answer */
    void     *data;     /* the server's own, e.g. the process; set by its on_bind */
};

struct call {
    struct server *server;
    struct slot   *slot;     /* NULL for operations that no thread makes */
    uint64_t       badge;
    unsigned       nr;
    enum call_reason reason;
    uint64_t       arg[6];
    cap_sel_t      space;    /* PD capability of the caller's memory (slot's process) */
    /* the answer */
    enum answer    answer;
    uint64_t       answer_word[5]; /* words 1-5 of the reply */
};

/* ---- waiting --------------------------------------------------------------------- */

struct waiter {
    struct waiter     *queue_next, *queue_prev; /* in the queue */
    struct waiter     *slot_next;               /* of the same slot */
    struct wait_queue *queue;
    struct slot       *slot;
};

/* Stays in a queue until it is taken out; is called at each wake-up. */
struct listener {
    struct listener   *next, *prev;
    struct wait_queue *queue;     /* NULL: in none */
    bool               exclusive; /* not called after an exclusive one that woke somebody */
    /* Must not change queues. Returns whether it woke somebody. */
    bool (*notify)(struct listener *listener);
};

struct wait_queue {
    struct waiter   *head;
    struct listener *listeners;   /* exclusive ones last */
    struct listener *last;
};

/* Answers ANSWER_PENDING after enqueueing the caller's slot; may be called for
 * several queues. deadline_ns 0: none; the earliest counts. Returns 0, for
 * "return call_wait(...)"; -ENOMEM if no waiter can be had. The kit takes the
 * slot off all queues before the next attempt. */
int64_t call_wait(struct call *call, struct wait_queue *queue, uint64_t deadline_ns);
/* Pending until the deadline only. */
int64_t call_sleep(struct call *call, uint64_t deadline_ns);
/* Signals the semaphore of every waiting slot (they retry), takes the slots out, then calls
 * the listeners. A queue must be empty before its memory is freed. */
void wake_all(struct wait_queue *queue);

/* notify and exclusive are set; the listener is in no queue. */
void listener_add(struct wait_queue *queue, struct listener *listener);
/* Does nothing if it is in no queue. */
void listener_remove(struct listener *listener);

/* For CALL_INTERRUPTED and CALL_FAULTED before a handler runs: the default
 * answer is done > 0 ? done : -CALL_RESTARTS (-EFAULT). A handler that needs to say
 * something else sets SERVER_SELF_CANCEL for its call in the server's table; a call
 * that answers -EINTR in any case has SERVER_NO_RESTART. */

/* No errno: the call was interrupted before it did anything. The thread gets EINTR or,
 * when the handler of the signal has SA_RESTART, makes the call again (signal(7)). */
#define CALL_RESTARTS 512

/* ---- memory of the caller ----------------------------------------------------------- */

/* Copies between us and the calling thread's memory. Returns 0, or 1 when the
 * call can't go on: call->answer is then ANSWER_FAULT_IN and the handler must
 * return at once, having changed nothing that a retry would do twice:
 *     if (copy_in(call, &ts, call->arg[0], sizeof ts))
 *         return 0;
 * An address range that is not in user space yields the same, and the router
 * turns it into EFAULT. */
int copy_in(struct call *call, void *to, uint64_t from, size_t bytes);
int copy_out(struct call *call, uint64_t to, const void *from, size_t bytes);
/* Copies a string of less than max bytes including its end. Returns 0, 1 as
 * above, or -ENAMETOOLONG. */
int copy_in_string(struct call *call, char *to, uint64_t from, size_t max);
/* As far as it gets without faulting: bytes copied; for bulk data. Follow with
 * call_fault_in(call, address, bytes, write) when it was short. */
size_t copy_in_some(struct call *call, void *to, uint64_t from, size_t bytes);
size_t copy_out_some(struct call *call, uint64_t to, const void *from, size_t bytes);
int64_t call_fault_in(struct call *call, uint64_t address, uint64_t bytes, bool write);

/* ---- the server ------------------------------------------------------------------------ */

struct linux_call {
    sys_fn     *handle;     /* NULL: -ENOSYS */
    const char *name;
    unsigned    flags;
};
enum {
    SERVER_SELF_CANCEL = 1 << 0,
    SERVER_NO_RESTART  = 1 << 1,
};

struct server {
    const char *name;
    const struct linux_call *linux_calls; /* by number; generated from syscalls.tbl */
    unsigned    linux_call_count;
    /* Generated from proto/<name>.def: decodes an operation and calls its handler. */
    void (*dispatch)(struct call *call, struct ipc_message *message);
    /* A page fault delivered straight to the server (mem); NULL: none. Returns
     * true when mapped (the reply words are set in call->answer_word: source
     * address, destination, pages, rights), false to decline. */
    bool (*fault)(struct call *call, uint64_t address, uint64_t error_code);
    /* Called when the router binds or unbinds (owner 0) a slot. Sets slot->data
     * and returns 0, or -errno. The kit calls space_of for call->space. */
    int (*on_bind)(struct slot *slot);
    cap_sel_t (*space_of)(struct slot *slot); /* PD capability for copies; may be NULL */
    uint64_t (*object_count)(void); /* for the common operation usage; may be NULL */
    struct slot *slots[MAX_SLOTS]; /* NULL: the router has no such slot */
};

/* Handles one message: the transport-independent entry, also for tests and
 * fuzzing. kind: enum message_kind. Returns the flags for HC_REPLY. */
unsigned server_handle(struct server *server, unsigned kind, uint64_t badge,
                       struct ipc_message *message);

/* Makes one handler EC per CPU and one portal for all of them, publishes it
 * under server->name, and sleeps for ever. Requests are serialised by one lock. */
_Noreturn void server_run(struct server *server);
