/*
 * Linked with --wrap, so that calls of these functions come here.
 */
#include "inject.h"

#include <abi/types.h>
#include <lib/native/native.h>
#include <stdlib.h>
#include <string.h>

static uint64_t left;
static bool     armed, paused, failed;

void  *__real_malloc(size_t bytes);
void  *__real_calloc(size_t count, size_t bytes);
phys_t __real_frames_alloc(unsigned order);
phys_t __real_frames_alloc_dirty(unsigned order);
void  *__wrap_malloc(size_t bytes);
void  *__wrap_calloc(size_t count, size_t bytes);
phys_t __wrap_frames_alloc(unsigned order);
phys_t __wrap_frames_alloc_dirty(unsigned order);

void inject_at(uint64_t number)
{
    left = number;
    armed = true;
    failed = false;
}

bool inject_off(void)
{
    armed = false;
    return failed;
}

bool inject_fails(void)
{
    if (!armed || paused)
        return false;
    if (left-- > 0)
        return false;
    armed = false;
    failed = true;
    return true;
}

bool inject_pause(void)
{
    bool before = paused;

    paused = true;
    return before;
}

void inject_resume(bool paused_before) { paused = paused_before; }

void *__wrap_malloc(size_t bytes) { return inject_fails() ? NULL : __real_malloc(bytes); }

void *__wrap_calloc(size_t count, size_t bytes)
{
    return inject_fails() ? NULL : __real_calloc(count, bytes);
}

phys_t __wrap_frames_alloc(unsigned order)
{
    return inject_fails() ? 0 : __real_frames_alloc(order);
}

/* What was in it before must not matter. */
phys_t __wrap_frames_alloc_dirty(unsigned order)
{
    phys_t phys = inject_fails() ? 0 : __real_frames_alloc_dirty(order);

    if (phys)
        memset(frame_ptr(phys), 0xd1, PAGE_BYTES << order);
    return phys;
}
