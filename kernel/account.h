/*
 * Accounts: how much kernel memory a protection domain may use, in bytes. A
 * domain's account is below that of the domain it was created under; what is
 * charged to it is charged to all above it as well, so a limit holds for a
 * domain with all its descendants, and limits need not add up.
 */
#pragma once

#include "lock.h"

struct account {
    _Atomic uint32_t refs;
    struct account  *parent;
    _Atomic uint64_t used, limit;
};

/* NULL: no memory. */
struct account *account_create(struct account *parent, uint64_t limit_bytes);
void account_raise(struct account *account, uint64_t bytes);
void account_get(struct account *account);
void account_put(struct account *account);
/* False: a limit, here or above, would be exceeded; nothing is charged. */
bool account_charge(struct account *account, uint64_t bytes) PACKED_STATUS;
void account_uncharge(struct account *account, uint64_t bytes);

extern struct account root_account;
