/*
 * The deadline of a call that may be asked several times: kept in the slot from the first
 * attempt on, so that a retry does not begin to wait anew. Uses slot->aux[0] and [1].
 */
#pragma once

#include <lib/server/server.h>

/* At the first attempt only: the call may wait so long, or for ever. */
void deadline_begin_ns(struct call *call, int64_t timeout_ns);
void deadline_begin_never(struct call *call);
/* Negative: for ever. */
void deadline_begin_ms(struct call *call, int timeout_ms);
/* A struct timespec of the caller, 0: for ever. Returns 0 (call->answer may be that memory must
 * be faulted in) or -EINVAL. */
int64_t deadline_begin_timespec(struct call *call, uint64_t address);
/* Tells the caller what is left of a struct timespec. That can't fail: Linux does not mind
 * either if it can't be told. */
void deadline_tell_timespec(struct call *call, uint64_t address);
/* Whether the time is over. */
bool deadline_passed(const struct call *call);
/* ns of CLOCK_MONOTONIC, for call_wait; 0: none. */
uint64_t deadline_of(const struct call *call);
/* What is left, in ns; 0 if there is no deadline. */
int64_t deadline_left_ns(const struct call *call);
/* Whether the call has one. */
bool deadline_is_set(const struct call *call);
