/*
 * What all kernel objects have in common: type, capabilities that name them,
 * references, the account that pays for them.
 *
 * An object ends in two steps. When its last counted capability goes,
 * object_end() takes it out of service (a thread stops, waiters are woken);
 * when its last reference goes too and every CPU has left the kernel once
 * (so that nobody still holds a pointer that a look-up gave), its memory is
 * freed. Look-ups therefore take neither locks nor references.
 */
#pragma once

#include "types.h"

enum object_type {
    OBJ_NONE = 0,
    OBJ_PD,
    OBJ_EC,
    OBJ_SC,
    OBJ_PT,
    OBJ_SM,
    OBJ_TYPES,
};

struct account;
struct cap;

struct object {
    uint8_t  type;
    bool     ended;           /* out of service; set under cap_lock */
    _Atomic uint32_t refs;    /* one for "has capabilities", one per kernel pointer kept */
    uint32_t caps;            /* counted capabilities; under cap_lock */
    _Atomic uint32_t mail;    /* enum mail; in a mailbox while not 0 */
    struct cap *first_cap;    /* derivation list; under cap_lock */
    struct account *account;  /* pays */
    struct object *reclaim_next;
    struct object *mail_next;
};

/* Allocates a zeroed object of the type with one reference, charged to account.
 * NULL: out of memory or quota. */
void *object_create(enum object_type type, struct account *account);
/* One more reference; the caller knows that there is one. */
void object_get(struct object *object);
/* The same for what a look-up gave; false: the object is on its way out. */
bool object_get_if_alive(struct object *object) PACKED_STATUS;
void object_put(struct object *object);

/* Under cap_lock: the last capability is gone. Its end is carried out by
 * object_reap, to be called after the lock is released. */
void object_orphan(struct object *object);
void object_reap(void);

/* Frees what no CPU can still point to; called on the way out of the kernel. */
void reclaim_run(void);
/* Every CPU's part: it holds no pointer now. Called from the IPI handler. */
void reclaim_quiescent(void);

/* Objects that exist, by type (enum object_type). */
extern _Atomic uint64_t object_count[OBJ_TYPES];
