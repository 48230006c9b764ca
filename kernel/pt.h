/*
 * Portals: an entry point, and for each CPU the EC that answers calls made there.
 */
#pragma once

#include "object.h"

struct ec;

struct pt {
    struct object object;
    vaddr_t    ip;
    uint64_t   id;
    struct ec *handler[MAX_CPUS];
};

enum status pt_create(struct account *account, struct ec *ec, vaddr_t ip, uint64_t id,
                      struct pt **pt) PACKED_STATUS;
enum status pt_add_handler(struct pt *pt, struct ec *ec) PACKED_STATUS;
void pt_free(struct pt *pt);
