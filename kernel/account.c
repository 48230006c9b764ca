/*
 * Accounts of kernel memory.
 */
#include "account.h"
#include "kmem.h"

static struct slab account_slab = { .object_bytes = sizeof(struct account) };

struct account root_account = { .refs = 1, .limit = ~0ull >> 1 };

bool account_charge(struct account *account, uint64_t bytes)
{
    uint64_t used = __atomic_add_fetch(&account->used, bytes, __ATOMIC_RELAXED);

    if (used <= __atomic_load_n(&account->limit, __ATOMIC_RELAXED))
        return true;
    account_uncharge(account, bytes);
    return false;
}

void account_uncharge(struct account *account, uint64_t bytes)
{
    uint64_t used = __atomic_fetch_sub(&account->used, bytes, __ATOMIC_RELAXED);

    assert(used >= bytes);
}

/* Limit that is given to a child counts as used by the parent. */
struct account *account_create(struct account *parent, uint64_t bytes)
{
    struct account *account;

    if (!account_charge(parent, bytes))
        return NULL;
    account = slab_alloc(&account_slab);
    if (!account) {
        account_uncharge(parent, bytes);
        return NULL;
    }
    account->refs = 1;
    account->parent = parent;
    account->limit = bytes;
    account_get(parent);
    return account;
}

enum status account_transfer(struct account *from, struct account *to, uint64_t bytes)
{
    if (to->parent != from)
        return ST_BAD_PARAM;
    if (!account_charge(from, bytes))
        return ST_NO_MEMORY;
    __atomic_fetch_add(&to->limit, bytes, __ATOMIC_RELAXED);
    return ST_OK;
}

void account_get(struct account *account)
{
    __atomic_fetch_add(&account->refs, 1, __ATOMIC_RELAXED);
}

void account_put(struct account *account)
{
    while (__atomic_fetch_sub(&account->refs, 1, __ATOMIC_ACQ_REL) == 1) {
        struct account *parent = account->parent;

        assert(parent && account->used == 0);
        account_uncharge(parent, account->limit);
        slab_free(&account_slab, account);
        account = parent;
    }
}
