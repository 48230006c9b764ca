/*
 * What the whole system has in use: for the leak test "loop=N".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { USAGE_OBJECT_TYPES = 5 }; /* PD, EC, SC, PT, SM */

struct usage {
    uint64_t frames_free;          /* of the roottask */
    uint64_t kernel_used;          /* pages of the kernel's pool */
    uint64_t objects[USAGE_OBJECT_TYPES];
    uint64_t server_frames[4], server_heap[4], server_objects[4]; /* vfs, proc, mem, router */
};

/* Asks everybody. False: somebody did not answer. */
bool usage_take(struct usage *usage);
/* Nothing but caches of the kernel has grown. */
bool usage_equal(const struct usage *before, const struct usage *after);
/* Writes the "@usage" line. when: "before" or "after". */
void usage_print(const struct usage *usage, const char *when);
