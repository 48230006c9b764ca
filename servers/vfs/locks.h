/*
 * Advisory locks: fcntl(2) F_SETLK (owner: the process), F_OFD_SETLK (owner: the open file)
 * in inode->range_locks; flock(2) (owner: the open file) in inode->whole_locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct inode;

struct range_lock {
    struct range_lock *next;
    const void        *owner;
    int32_t            pid;         /* for F_GETLK; -1: of an open file */
    bool               exclusive;
    uint64_t           first, last; /* bytes, inclusive; last UINT64_MAX: to any end */
};

#define LOCK_TO_END UINT64_MAX

/* A lock of somebody else that is in the way of wanted, or NULL. */
const struct range_lock *locks_conflict(const struct range_lock *list,
                                        const struct range_lock *wanted);
/* The owner's range gets wanted's type; what it had there before is replaced. Wakes waiters.
 * The caller has checked for conflicts. Returns 0 or -ENOMEM (nothing changed). */
int locks_set(struct inode *inode, struct range_lock **list, const struct range_lock *wanted)
    __attribute__((warn_unused_result));
/* Takes range's bytes from its owner's locks. Wakes waiters. Returns 0 or -ENOMEM. */
int locks_clear(struct inode *inode, struct range_lock **list, const struct range_lock *range)
    __attribute__((warn_unused_result));
/* Everything that owner holds is released. */
void locks_drop_owner(struct inode *inode, struct range_lock **list, const void *owner);
