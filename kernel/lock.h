/*
 * Spin locks. The kernel runs with interrupts off, so none is ever taken twice
 * on one CPU. Whoever spins answers TLB shootdowns meanwhile: the holder may be
 * waiting for ours.
 *
 * Order, outermost first: cap_lock, space lock, SM lock, kmem lock; mailbox and
 * reclaim locks are leaves. docs/kernel.md says more.
 */
#pragma once

#include "types.h"

struct spinlock {
    _Atomic uint32_t held;
};

void tlb_service(void);

static inline void spin_lock(struct spinlock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED)) {
            tlb_service();
            __builtin_ia32_pause();
        }
    }
}

static inline void spin_unlock(struct spinlock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}
