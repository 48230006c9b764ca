/*
 * Accounts of kernel memory.
 */
#include "account.h"
#include "kmem.h"

static struct slab account_slab = { .object_bytes = sizeof(struct account) };

struct account root_account = { .refs = 1, .limit = ~0ull >> 1 };

static void uncharge_up_to(struct account *account, const struct account *end, uint64_t bytes)
{
    for (; account != end; account = account->parent) {
        uint64_t used = __atomic_fetch_sub(&account->used, bytes, __ATOMIC_RELAXED);

        assert(used >= bytes);
    }
}

bool account_charge(struct account *account, uint64_t bytes)
{
    for (struct account *at = account; at; at = at->parent) {
        uint64_t used = __atomic_add_fetch(&at->used, bytes, __ATOMIC_RELAXED);

        if (used > __atomic_load_n(&at->limit, __ATOMIC_RELAXED)) {
            uncharge_up_to(account, at->parent, bytes);
            return false;
        }
    }
    return true;
}

void account_uncharge(struct account *account, uint64_t bytes)
{
    uncharge_up_to(account, NULL, bytes);
}

struct account *account_create(struct account *parent, uint64_t bytes)
{
    struct account *account = slab_alloc(&account_slab);

    if (!account)
        return NULL;
    account->refs = 1;
    account->parent = parent;
    account->limit = bytes;
    account_get(parent);
    return account;
}

void account_raise(struct account *account, uint64_t bytes)
{
    __atomic_fetch_add(&account->limit, bytes, __ATOMIC_RELAXED);
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
        slab_free(&account_slab, account);
        account = parent;
    }
}
