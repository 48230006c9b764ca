/*
 * Protection domains: an address space, a capability space, an account.
 */
#pragma once

#include "account.h"
#include "cap.h"
#include "object.h"
#include "space.h"

#include <abi/hypercall.h>

struct pd {
    struct object object;
    struct space  space;
    struct cap_space caps;
    struct account *account;  /* for what its threads create */
    struct list   ecs;        /* its execution contexts; under cap_lock */
    bool          io_ports;
    cap_sel_t     pager;      /* portal for page faults; 0: event portal */
    uint16_t     *route;      /* ROUTE_COUNT portal slots by foreign call number, or NULL */
};

/* quota: the most kernel memory, in bytes, that it may use; also charged to parent. */
enum status pd_create(struct account *parent, uint64_t quota, bool io_ports, struct pd **pd)
    PACKED_STATUS;
void pd_end(struct pd *pd);
void pd_free(struct pd *pd);
enum status pd_set_route(struct pd *pd, uint64_t first, uint64_t count, uint64_t slot)
    PACKED_STATUS;
