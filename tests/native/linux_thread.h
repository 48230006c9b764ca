/*
 * What the router is to a server: slots, and Linux calls made on their behalf.
 */
#pragma once

#include <lib/server/server.h>

struct linux_thread {
    struct server_ref all;    /* the server's portal without a badge: operations */
    struct server_ref server; /* with our slot as badge: Linux calls */
    cap_sel_t         sem;    /* of the slot */
    uint32_t          slot;
    uint64_t          word[6]; /* of the last answer */
};

/* Makes the slot known to the server of that name. False: it can't be had. */
bool linux_thread_open(struct linux_thread *thread, const char *server, uint32_t slot);
/* The slot is gone for the server, and its capabilities with it. */
bool linux_thread_close(struct linux_thread *thread);

/* One attempt of a call. arg: six words. *result: what Linux would return, with ANSWER_DONE.
 * Returns what the server answered (enum answer), or -EIO. */
int linux_thread_try(struct linux_thread *thread, unsigned nr, enum call_reason reason,
                     const uint64_t *arg, int64_t *result);

/* The result of a call that must be done at once; LINUX_NOT_DONE otherwise. */
#define LINUX_NOT_DONE INT64_MIN
int64_t linux_thread_call(struct linux_thread *thread, unsigned nr, const uint64_t *arg);
#define linux_call(thread, nr, ...)                                                               \
    linux_thread_call(thread, nr, (const uint64_t[6]){ __VA_ARGS__ })

static inline uint64_t linux_ptr(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }
