/*
 * Semaphores. Waiters of other CPUs are woken by mail, as all else in an EC
 * belongs to its CPU.
 */
#include "sm.h"
#include "ec.h"
#include "mail.h"
#include "misc.h"
#include "schedule.h"

enum status sm_create(struct account *account, uint64_t count, struct sm **result)
{
    struct sm *sm = object_create(OBJ_SM, account);

    if (!sm)
        return ST_NO_MEMORY;
    sm->count = count;
    list_init(&sm->waiters);
    *result = sm;
    return ST_OK;
}

static struct ec *waiter_take(struct sm *sm)
{
    struct ec *ec = container_of(sm->waiters.next, struct ec, sm_link);

    list_remove(&ec->sm_link);
    ec->sm = NULL;
    return ec;
}

void sm_up(struct sm *sm)
{
    struct ec *ec = NULL;

    spin_lock(&sm->lock);
    if (list_empty(&sm->waiters)) {
        if (sm->count != ~0ull)
            sm->count++;
    } else {
        ec = waiter_take(sm);
        object_get(&ec->object); /* a waiter that ends meanwhile stays until the mail is read */
    }
    spin_unlock(&sm->lock);
    if (ec) {
        mail_send(&ec->object, ec->cpu, MAIL_WAKE);
        object_put(&ec->object);
    }
}

void sm_down(struct sm *sm, struct ec *ec, bool all, uint64_t deadline)
{
    bool taken;

    spin_lock(&sm->lock);
    taken = sm->count > 0;
    if (taken) {
        sm->count = all ? 0 : sm->count - 1;
    } else {
        ec->sm = sm;
        ec->state = EC_BLOCKED;
        list_insert(&sm->waiters, &ec->sm_link);
    }
    spin_unlock(&sm->lock);
    if (taken)
        return;
    if (deadline)
        timer_set(&ec->timer, deadline);
    schedule_block(ec);
}

bool sm_forget(struct ec *ec)
{
    struct sm *sm = __atomic_load_n(&ec->sm, __ATOMIC_RELAXED);
    bool queued;

    if (!sm)
        return false;
    spin_lock(&sm->lock);
    queued = ec->sm != NULL;
    if (queued) {
        list_remove(&ec->sm_link);
        ec->sm = NULL;
    }
    spin_unlock(&sm->lock);
    return queued;
}

void sm_end(struct sm *sm)
{
    irq_forget(sm);
    for (;;) {
        struct ec *ec = NULL;

        spin_lock(&sm->lock);
        if (!list_empty(&sm->waiters)) {
            ec = waiter_take(sm);
            object_get(&ec->object);
        }
        spin_unlock(&sm->lock);
        if (!ec)
            break;
        mail_send(&ec->object, ec->cpu, MAIL_ABORT);
        object_put(&ec->object);
    }
}

void sm_free(struct sm *sm)
{
    assert(list_empty(&sm->waiters));
}
