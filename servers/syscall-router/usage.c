/*
 * Adding up what is in use.
 */
#include "usage.h"

#include "router.h"

#include <gen/common_client.h>
#include <gen/root_client.h>
#include <string.h>

#define KERNEL_CACHE_PAGES 4u

enum { ROUTER = 3 };

static bool root_take(struct usage *usage)
{
    uint64_t total, available;
    uint8_t objects[sizeof usage->objects];
    size_t bytes = sizeof objects;

    if (root_usage(&server_root, &usage->frames_free, &total, &available, objects, &bytes) < 0)
        return false;
    usage->kernel_used = total - available;
    memcpy(usage->objects, objects, bytes);
    return true;
}

bool usage_take(struct usage *usage)
{
    const struct server_ref *servers[] = { &server_vfs, &server_proc, &server_mem };

    memset(usage, 0, sizeof *usage);
    for (int i = 0; i < ROUTER; i++)
        if (common_usage(servers[i], &usage->server_frames[i], &usage->server_heap[i],
                         &usage->server_objects[i]) < 0)
            return false;
    usage->server_heap[ROUTER] = heap_bytes_in_use();
    usage->server_frames[ROUTER] = frames_in_use();
    usage->server_objects[ROUTER] = slots_made();
    return root_take(usage);
}

/* The kernel keeps pages of small objects for later ones. How many it has needed
 * at the same time depends on when it came to freeing earlier ones. */
bool usage_equal(const struct usage *before, const struct usage *after)
{
    struct usage expected = *before;

    if (after->kernel_used > before->kernel_used + KERNEL_CACHE_PAGES)
        return false;
    expected.kernel_used = after->kernel_used;
    return memcmp(&expected, after, sizeof expected) == 0;
}

static void server_print(const struct usage *usage, const char *when, const char *name, int i)
{
    log_line("@usage when=%s server=%s frames=%llu heap=%llu objects=%llu", when, name,
             (unsigned long long)usage->server_frames[i],
             (unsigned long long)usage->server_heap[i],
             (unsigned long long)usage->server_objects[i]);
}

void usage_print(const struct usage *usage, const char *when)
{
    static const char *const names[] = { "vfs", "proc", "mem", "router" };
    const uint64_t *objects = usage->objects;

    log_line("@usage when=%s frames=%llu kernel_pages=%llu objects=%llu,%llu,%llu,%llu,%llu", when,
             (unsigned long long)usage->frames_free, (unsigned long long)usage->kernel_used,
             (unsigned long long)objects[0], (unsigned long long)objects[1],
             (unsigned long long)objects[2], (unsigned long long)objects[3],
             (unsigned long long)objects[4]);
    for (int i = 0; i <= ROUTER; i++)
        server_print(usage, when, names[i], i);
}
