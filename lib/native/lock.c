/*
 * A count of those who hold or want the lock; who finds it above 0 sleeps on the
 * semaphore, who leaves others behind signals it.
 */
#include <lib/native/runtime.h>
#include <stdatomic.h>

void lock_init(struct lock *lock)
{
    lock->sem = semaphore_create(0);
    lock->count = 0;
    must(lock->sem != SEL_NONE);
}

void lock_acquire(struct lock *lock)
{
    if (atomic_fetch_add_explicit(&lock->count, 1, memory_order_acquire) > 0)
        must(hc_sm_down(lock->sem, 0) == ST_OK);
}

void lock_release(struct lock *lock)
{
    uint32_t before = atomic_fetch_sub_explicit(&lock->count, 1, memory_order_release);

    must(before > 0);
    if (before > 1)
        must(hc_sm_up(lock->sem) == ST_OK);
}
