/*
 * The heap is the host's own malloc, so that the sanitizer sees it.
 */
#include <lib/native/runtime.h>
#include <lib/server/backend.h>
#include <malloc.h>

/* 0 under the sanitizer, which finds leaks itself. */
size_t heap_bytes_in_use(void) { return mallinfo2().uordblks; }

void backend_trim(void) { frames_trim(); }
