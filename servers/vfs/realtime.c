/*
 * The wall clock: the monotonic clock and what the roottask read from the RTC at boot.
 */
#include <servers/vfs/realtime.h>

#include <lib/native/native.h>

static int64_t offset;

void realtime_set_offset(int64_t offset_ns) { offset = offset_ns; }

int64_t realtime_offset_ns(void) { return offset; }

int64_t realtime_ns(void) { return (int64_t)clock_ns() + offset; }
