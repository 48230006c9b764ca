/*
 * Programs' memory: regions of pages that are there or not, for HC_COPY.
 */
#include "fakes.h"

#include <lib/host/host.h>
#include <lib/native/runtime.h>
#include <lib/server/backend.h>
#include <stdlib.h>
#include <string.h>

struct region {
    struct region *next;
    unsigned       space; /* object of its capability */
    uint64_t       start, end;
    unsigned       rights;
    bool          *present; /* by page */
    unsigned char *bytes;
};

static struct region *regions;

cap_sel_t host_space_create(void)
{
    cap_sel_t sel = cap_alloc(1);

    must(sel != SEL_NONE);
    (void)host_object(sel);
    return sel;
}

void host_region_add(cap_sel_t space, uint64_t address, uint64_t bytes, unsigned rights,
                     bool present)
{
    struct region *region = malloc(sizeof *region);

    must(region && address % PAGE_BYTES == 0 && bytes % PAGE_BYTES == 0);
    *region = (struct region){ .next = regions,
                               .space = host_object(space),
                               .start = address,
                               .end = address + bytes,
                               .rights = rights,
                               .present = malloc(bytes / PAGE_BYTES),
                               .bytes = calloc(1, bytes) };
    must(region->present && region->bytes);
    memset(region->present, present, bytes / PAGE_BYTES);
    regions = region;
}

static struct region *region_find(cap_sel_t space, uint64_t address)
{
    unsigned object = space < MAX_CAPS ? host_object(space) : 0;

    for (struct region *region = regions; region; region = region->next)
        if (region->space == object && region->start <= address && address < region->end)
            return region;
    return NULL;
}

static bool *page_present(struct region *region, uint64_t address)
{
    return &region->present[(address - region->start) / PAGE_BYTES];
}

bool host_fault_in(cap_sel_t space, uint64_t address, uint64_t bytes, bool write)
{
    uint64_t end = address + bytes;

    if (end < address || end > USER_END)
        return false;
    for (uint64_t page = address & ~(PAGE_BYTES - 1); page < end; page += PAGE_BYTES) {
        struct region *region = region_find(space, page);

        if (!region || !(region->rights & (write ? MEM_W : MEM_R)))
            return false;
        *page_present(region, page) = true;
    }
    return true;
}

void host_page_out(cap_sel_t space, uint64_t address, uint64_t bytes)
{
    for (uint64_t page = address; page < address + bytes; page += PAGE_BYTES)
        *page_present(region_find(space, page), page) = false;
}

void *host_memory(cap_sel_t space, uint64_t address)
{
    struct region *region = region_find(space, address);

    return region ? region->bytes + (address - region->start) : NULL;
}

/* Page by page, as the kernel does it. */
enum status backend_copy(cap_sel_t space, unsigned op, void *local, uint64_t remote, uint64_t bytes,
                         uint64_t *done)
{
    *done = 0;
    while (*done < bytes) {
        uint64_t       at = remote + *done, room = PAGE_BYTES - at % PAGE_BYTES;
        uint64_t       piece = room < bytes - *done ? room : bytes - *done;
        struct region *region = region_find(space, at);
        char          *theirs = host_memory(space, at), *ours = (char *)local + *done, *end;

        if (!region || !*page_present(region, at) ||
            !(region->rights & (op == COPY_TO ? MEM_W : MEM_R)))
            return ST_FAULT;
        end = op == COPY_STRING ? memchr(theirs, 0, piece) : NULL;
        piece = end ? (uint64_t)(end - theirs) + 1 : piece;
        memcpy(op == COPY_TO ? theirs : ours, op == COPY_TO ? ours : theirs, piece);
        *done += piece;
        if (end)
            break;
    }
    return ST_OK;
}

void host_spaces_reset(void)
{
    while (regions) {
        struct region *region = regions;

        regions = region->next;
        free(region->present);
        free(region->bytes);
        free(region);
    }
}
