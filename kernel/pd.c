/*
 * Protection domains.
 */
#include "pd.h"
#include "ec.h"
#include "kmem.h"
#include "mail.h"

enum status pd_create(struct account *parent, uint64_t quota, bool io_ports, struct pd **result)
{
    struct account *account = account_create(parent, quota);
    struct pd *pd;
    enum status status;

    if (!account)
        return ST_NO_MEMORY;
    pd = object_create(OBJ_PD, account);
    if (!pd) {
        account_put(account);
        return ST_NO_MEMORY;
    }
    pd->account = account;
    pd->io_ports = io_ports;
    list_init(&pd->ecs);
    status = space_init(&pd->space, account);
    if (status == ST_OK)
        status = cap_space_init(&pd->caps, account, &pd->object);
    if (status != ST_OK) {
        object_put(&pd->object);
        return status;
    }
    *result = pd;
    return ST_OK;
}

/* Its threads end with it, then all that its capabilities held. */
void pd_end(struct pd *pd)
{
    for (;;) {
        struct ec *ec = NULL;

        spin_lock(&cap_lock);
        if (!list_empty(&pd->ecs)) {
            ec = container_of(pd->ecs.next, struct ec, pd_link);
            list_remove(&ec->pd_link);
            object_get(&ec->object);
        }
        spin_unlock(&cap_lock);
        if (!ec)
            break;
        mail_send(&ec->object, ec->cpu, MAIL_KILL);
        object_put(&ec->object);
    }
    cap_space_clear(&pd->caps);
    pd->space.dying = true;
}

void pd_free(struct pd *pd)
{
    space_free(&pd->space);
    if (pd->caps.directory)
        cap_space_free(&pd->caps);
    if (pd->route)
        page_free_charged(pd->account, pd->route);
    account_put(pd->account);
}

/* Two CPUs may do so at once. */
static bool route_table_make(struct pd *pd)
{
    uint16_t *none = NULL, *table;

    if (pd->route)
        return true;
    table = page_alloc_charged(pd->account);
    if (table && !__atomic_compare_exchange_n(&pd->route, &none, table, false, __ATOMIC_RELEASE,
                                              __ATOMIC_RELAXED))
        page_free_charged(pd->account, table);
    return pd->route != NULL;
}

enum status pd_set_route(struct pd *pd, uint64_t first, uint64_t count, uint64_t slot)
{
    if (first >= ROUTE_COUNT || count > ROUTE_COUNT - first || slot >= MAX_CAPS)
        return ST_BAD_PARAM;
    if (!route_table_make(pd))
        return ST_NO_MEMORY;
    for (uint64_t i = first; i < first + count; i++)
        pd->route[i] = (uint16_t)slot;
    return ST_OK;
}
