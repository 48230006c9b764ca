/*
 * Scheduling contexts.
 */
#include "sc.h"
#include "ec.h"
#include "mail.h"
#include "schedule.h"

enum { MIN_QUANTUM = 10000 };

enum status sc_create(struct account *account, struct ec *ec, unsigned priority, uint64_t quantum,
                      struct sc **result)
{
    struct sc *sc, *none = NULL;

    if (ec->local || priority >= PRIORITY_COUNT || quantum < MIN_QUANTUM)
        return ST_BAD_PARAM;
    if (!object_get_if_alive(&ec->object))
        return ST_BAD_CAP;
    sc = object_create(OBJ_SC, account);
    if (!sc) {
        object_put(&ec->object);
        return ST_NO_MEMORY;
    }
    sc->ec = ec;
    sc->cpu = ec->cpu;
    sc->priority = (uint8_t)priority;
    sc->quantum = sc->left = quantum;
    sc->state = SC_STOPPED;
    list_init(&sc->link);
    if (!__atomic_compare_exchange_n(&ec->root_sc, &none, sc, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED)) {
        sc->ec = NULL;
        object_put(&ec->object);
        object_put(&sc->object);
        return ST_EXISTS;
    }
    *result = sc;
    return ST_OK;
}

void sc_end(struct sc *sc)
{
    object_get(&sc->object); /* until sc_stop */
    mail_send(&sc->object, sc->cpu, MAIL_END);
}

void sc_free(struct sc *sc)
{
    assert(sc->state == SC_STOPPED);
}

bool sc_is_over(const struct sc *sc)
{
    return sc->doomed && !sc->ec->callee && !sc->ec->local;
}

static void sc_detach(struct sc *sc)
{
    struct ec *ec = sc->ec;

    if (!ec)
        return;
    ec->root_sc = NULL;
    sc->ec = NULL;
    object_put(&ec->object);
}

void sc_stop(struct sc *sc)
{
    struct cpu *cpu = cpu_self();

    sc_unqueue(sc);
    sc->state = SC_STOPPED;
    sc_detach(sc);
    if (cpu->current_sc == sc) {
        cpu->current_sc = NULL;
        cpu->current = NULL;
        cpu->hazards |= HAZARD_SCHEDULE;
    }
    if (sc->doomed) {
        sc->doomed = false;
        object_put(&sc->object);
    }
}

void sc_inherit(struct sc *sc, struct ec *heir)
{
    sc_detach(sc);
    if (!heir || heir->root_sc || !object_get_if_alive(&heir->object)) {
        sc_stop(sc);
        return;
    }
    sc->ec = heir;
    heir->root_sc = sc;
}

void sc_mail(struct sc *sc, uint32_t mail)
{
    if (mail & MAIL_START && sc->ec && sc->state == SC_STOPPED) {
        if (sc->ec->state == EC_DEAD)
            sc_detach(sc); /* it ended before it could begin */
        else
            sc_ready(sc);
    }
    if (mail & MAIL_END) {
        sc->doomed = true;
        if (!sc->ec || sc_is_over(sc))
            sc_stop(sc);
        else if (cpu_self()->current_sc == sc)
            cpu_self()->rewalk = true;
    }
}
