/*
 * The frames that mem allocated itself, with a reference count each: how many
 * places (private pages of spaces, shared objects) hold them. A frame with more
 * than one reference is copied before it is written.
 */
#pragma once

#include <abi/types.h>

/* Allocates the zero frame. Returns 0 or -ENOMEM. */
int  frames_init(void) __attribute__((warn_unused_result));
void frames_exit(void);
/* Makes counters for these frames at once, so that they need not come and go. -ENOMEM. */
int  frames_reserve(phys_t base, uint64_t bytes) __attribute__((warn_unused_result));

/* A zeroed frame with one reference, or 0 when memory is out. */
phys_t frame_new(void);
/* The same with a copy of another frame's content. */
phys_t frame_copy(phys_t from);
void   frame_get(phys_t phys);
/* The last reference frees the frame; nothing may map it then. */
void   frame_put(phys_t phys);
/* Whether someone else holds it as well. */
bool   frame_is_shared(phys_t phys);

/* One frame of zeroes for all pages that were only read so far. */
phys_t frame_zero(void);
