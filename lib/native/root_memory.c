/*
 * Memory from the roottask: chunks of frames for us, pages for the kernel.
 */
#include <gen/root_client.h>
#include <lib/native/runtime.h>

#define KERNEL_PAGES 64 /* asked for at once */

static struct server_ref root(void)
{
    return (struct server_ref){ .portal = portal_find("root") };
}

phys_t chunk_fetch(unsigned order)
{
    struct server_ref to = root();
    uint64_t          phys;

    return root_memory_alloc(&to, order, &phys) < 0 ? 0 : phys;
}

void chunk_return(phys_t phys, unsigned order)
{
    struct server_ref to = root();

    if (root_memory_free(&to, phys, order) < 0)
        panic("the roottask does not take frames at %#llx back", (unsigned long long)phys);
}

bool kernel_memory_more(void)
{
    struct server_ref to = root();

    return root_kernel_memory(&to, KERNEL_PAGES) >= 0;
}
