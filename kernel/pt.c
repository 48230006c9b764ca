/*
 * Portals.
 */
#include "pt.h"
#include "ec.h"

enum status pt_create(struct account *account, struct ec *ec, vaddr_t ip, uint64_t id,
                      struct pt **result)
{
    struct pt *pt = object_create(OBJ_PT, account);
    enum status status;

    if (!pt)
        return ST_NO_MEMORY;
    pt->ip = ip;
    pt->id = id;
    status = pt_add_handler(pt, ec);
    if (status != ST_OK) {
        object_put(&pt->object);
        return status;
    }
    *result = pt;
    return ST_OK;
}

enum status pt_add_handler(struct pt *pt, struct ec *ec)
{
    struct ec *none = NULL;

    if (!ec->local)
        return ST_BAD_PARAM;
    if (!object_get_if_alive(&ec->object))
        return ST_BAD_CAP;
    if (__atomic_compare_exchange_n(&pt->handler[ec->cpu], &none, ec, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED))
        return ST_OK;
    object_put(&ec->object);
    return ST_EXISTS;
}

void pt_free(struct pt *pt)
{
    for (unsigned i = 0; i < MAX_CPUS; i++)
        if (pt->handler[i])
            object_put(&pt->handler[i]->object);
}
