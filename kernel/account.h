/*
 * Accounts: how much kernel memory a protection domain may use, in bytes. A PD's
 * account is filled from its creator's and flows back when the last object
 * charged to it is gone.
 */
#pragma once

#include "lock.h"

struct account {
    _Atomic uint32_t refs;
    struct account  *parent;
    _Atomic uint64_t used, limit;
};

/* Moves bytes of limit from parent to a new account. NULL: not so much left, or no memory. */
struct account *account_create(struct account *parent, uint64_t bytes);
/* Moves more. ST_NO_MEMORY if parent has not so much left. */
enum status account_transfer(struct account *from, struct account *to, uint64_t bytes) PACKED_STATUS;
void account_get(struct account *account);
void account_put(struct account *account);
/* False: the limit would be exceeded; nothing is charged. */
bool account_charge(struct account *account, uint64_t bytes) PACKED_STATUS;
void account_uncharge(struct account *account, uint64_t bytes);

extern struct account root_account;
