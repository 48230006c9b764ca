/*
 * Life and death of kernel objects.
 */
#include "object.h"
#include "account.h"
#include "cap.h"
#include "kmem.h"
#include "misc.h"
#include "pt.h"
#include "sc.h"
#include "sm.h"
#include "smp.h"
#include "x86.h"

_Atomic uint64_t object_count[OBJ_TYPES];

static struct slab slabs[OBJ_TYPES] = {
    [OBJ_PD] = { .object_bytes = (sizeof(struct pd) + 15) & ~15u },
    [OBJ_EC] = { .object_bytes = (sizeof(struct ec) + 15) & ~15u },
    [OBJ_SC] = { .object_bytes = (sizeof(struct sc) + 15) & ~15u },
    [OBJ_PT] = { .object_bytes = (sizeof(struct pt) + 15) & ~15u },
    [OBJ_SM] = { .object_bytes = (sizeof(struct sm) + 15) & ~15u },
};

void *object_create(enum object_type type, struct account *account)
{
    struct object *object;

    if (!account_charge(account, slabs[type].object_bytes))
        return NULL;
    object = slab_alloc(&slabs[type]);
    if (!object) {
        account_uncharge(account, slabs[type].object_bytes);
        return NULL;
    }
    object->type = type;
    object->refs = 1;
    object->account = account;
    account_get(account);
    __atomic_fetch_add(&object_count[type], 1, __ATOMIC_RELAXED);
    return object;
}

void object_get(struct object *object)
{
    uint32_t refs = __atomic_fetch_add(&object->refs, 1, __ATOMIC_RELAXED);

    assert(refs > 0);
}

bool object_get_if_alive(struct object *object)
{
    uint32_t refs = __atomic_load_n(&object->refs, __ATOMIC_RELAXED);

    do {
        if (refs == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&object->refs, &refs, refs + 1, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

/* ---- end of service ---------------------------------------------------------- */

static struct object *orphans; /* under cap_lock */

void object_orphan(struct object *object)
{
    if (object->ended)
        return;
    object->ended = true;
    object->reclaim_next = orphans;
    orphans = object;
}

static struct object *orphan_take(void)
{
    struct object *object;

    spin_lock(&cap_lock);
    object = orphans;
    if (object)
        orphans = object->reclaim_next;
    spin_unlock(&cap_lock);
    return object;
}

static void object_end(struct object *object)
{
    switch ((enum object_type)object->type) {
    case OBJ_PD: pd_end((struct pd *)object); break;
    case OBJ_EC: ec_end((struct ec *)object); break;
    case OBJ_SC: sc_end((struct sc *)object); break;
    case OBJ_SM: sm_end((struct sm *)object); break;
    case OBJ_PT: break;
    default: panic("object of type %d", object->type);
    }
    object_put(object);
}

void object_reap(void)
{
    struct object *object;

    if (likely(!__atomic_load_n(&orphans, __ATOMIC_RELAXED)))
        return; /* whoever makes an orphan comes here after it */
    while ((object = orphan_take()) != NULL)
        object_end(object);
}

/* ---- reclaim -------------------------------------------------------------------- */

/* Two generations: objects in "collecting" wait for the next round, those in
 * "waiting" for all CPUs to have been out of the kernel since it began. */
static struct {
    struct spinlock lock;
    struct object *collecting, *waiting;
    _Atomic uint32_t missing; /* CPUs that have not yet answered */
} reclaim;

void object_put(struct object *object)
{
    uint32_t refs = __atomic_fetch_sub(&object->refs, 1, __ATOMIC_ACQ_REL);

    assert(refs > 0);
    if (refs > 1)
        return;
    spin_lock(&reclaim.lock);
    object->reclaim_next = reclaim.collecting;
    reclaim.collecting = object;
    spin_unlock(&reclaim.lock);
    cpu_self()->hazards |= HAZARD_RECLAIM;
}

static void object_free(struct object *object)
{
    enum object_type type = object->type;
    struct account *account = object->account;

    switch (type) {
    case OBJ_PD: pd_free((struct pd *)object); break;
    case OBJ_EC: ec_free((struct ec *)object); break;
    case OBJ_SC: sc_free((struct sc *)object); break;
    case OBJ_PT: pt_free((struct pt *)object); break;
    case OBJ_SM: sm_free((struct sm *)object); break;
    default: panic("object of type %d", type);
    }
    slab_free(&slabs[type], object);
    account_uncharge(account, slabs[type].object_bytes);
    account_put(account);
    __atomic_fetch_sub(&object_count[type], 1, __ATOMIC_RELAXED);
}

/* Begins a round if none is under way. Returns what the last one set free. */
static struct object *reclaim_turn(bool *begun)
{
    struct object *ready = NULL;

    spin_lock(&reclaim.lock);
    *begun = false;
    if (__atomic_load_n(&reclaim.missing, __ATOMIC_ACQUIRE) == 0) {
        ready = reclaim.waiting;
        reclaim.waiting = reclaim.collecting;
        reclaim.collecting = NULL;
        if (reclaim.waiting) {
            __atomic_store_n(&reclaim.missing, cpu_count, __ATOMIC_RELEASE);
            *begun = true;
        }
    }
    spin_unlock(&reclaim.lock);
    return ready;
}

static void reclaim_ask(void)
{
    for (uint32_t i = 0; i < cpu_count; i++) {
        __atomic_store_n(&cpus[i]->reclaim_wanted, 1, __ATOMIC_RELEASE);
        if (cpus[i] != cpu_self())
            ipi_send(i);
    }
}

void reclaim_run(void)
{
    bool begun;

    do {
        struct object *object = reclaim_turn(&begun), *next;

        for (; object; object = next) {
            next = object->reclaim_next;
            object_free(object);
        }
        if (begun)
            reclaim_ask();
        reclaim_quiescent();
    } while (begun);
}

void reclaim_quiescent(void)
{
    struct cpu *cpu = cpu_self();

    if (!__atomic_exchange_n(&cpu->reclaim_wanted, 0, __ATOMIC_ACQ_REL))
        return;
    if (cpu->loaded_space && cpu->loaded_space->dying) {
        cpu->loaded_space = NULL;
        cpu->loaded = NULL;
        write_cr3(kernel_cr3);
    }
    if (__atomic_fetch_sub(&reclaim.missing, 1, __ATOMIC_ACQ_REL) == 1)
        cpu->hazards |= HAZARD_RECLAIM;
}
