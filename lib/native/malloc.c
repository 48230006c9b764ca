/*
 * <stdlib.h> on the heap.
 */
#include <errno.h>
#include <lib/native/runtime.h>
#include <stdlib.h>
#include <string.h>

void *malloc(size_t bytes)
{
    void *ptr = heap_alloc(bytes);

    if (!ptr)
        errno = ENOMEM;
    return ptr;
}

void *calloc(size_t count, size_t bytes)
{
    size_t total;
    void  *ptr;

    if (__builtin_mul_overflow(count, bytes, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    ptr = malloc(total);
    if (ptr)
        memset(ptr, 0, total);
    return ptr;
}

void *realloc(void *old, size_t bytes)
{
    size_t usable = old ? heap_usable_bytes(old) : 0;
    void  *ptr;

    if (old && bytes <= usable && bytes >= usable / 2)
        return old;
    ptr = malloc(bytes);
    if (!ptr)
        return NULL;
    if (old)
        memcpy(ptr, old, usable < bytes ? usable : bytes);
    free(old);
    return ptr;
}

void free(void *ptr) { heap_free(ptr); }
