#include <servers/vfs/locks.h>

#include <lib/native/native.h>
#include <servers/vfs/inode.h>
#include <stdlib.h>

static bool overlaps(const struct range_lock *a, const struct range_lock *b)
{
    return a->first <= b->last && b->first <= a->last;
}

const struct range_lock *locks_conflict(const struct range_lock *list,
                                        const struct range_lock *wanted)
{
    for (; list; list = list->next)
        if (list->owner != wanted->owner && (list->exclusive || wanted->exclusive) &&
            overlaps(list, wanted))
            return list;
    return NULL;
}

/* Cuts range out of the locks of its owner. spare is used (and *spare set to NULL) when one
 * lock falls into two pieces. */
static void locks_carve(struct range_lock **list, const struct range_lock *range,
                        struct range_lock **spare)
{
    for (struct range_lock **link = list; *link;) {
        struct range_lock *lock = *link;

        if (lock->owner != range->owner || !overlaps(lock, range)) {
            link = &lock->next;
            continue;
        }
        if (lock->first < range->first && lock->last > range->last) {
            struct range_lock *tail = *spare;

            *spare = NULL;
            *tail = *lock;
            tail->first = range->last + 1;
            lock->last = range->first - 1;
            lock->next = tail;
            return; /* the owner's locks don't overlap: nothing else can */
        }
        if (lock->first < range->first) {
            lock->last = range->first - 1;
            link = &lock->next;
        } else if (lock->last > range->last) {
            lock->first = range->last + 1;
            link = &lock->next;
        } else {
            *link = lock->next;
            free(lock);
        }
    }
}

int locks_clear(struct inode *inode, struct range_lock **list, const struct range_lock *range)
{
    struct range_lock *spare;

    if (!*list)
        return 0;
    spare = malloc(sizeof *spare);
    if (!spare)
        return -ENOMEM;
    locks_carve(list, range, &spare);
    free(spare);
    wake_all(&inode->lock_waiters);
    return 0;
}

/* Two pieces of one owner and type that touch become one, so that lists stay short. */
static bool lock_absorb(struct range_lock *into, const struct range_lock *lock)
{
    if (lock->owner != into->owner || lock->exclusive != into->exclusive)
        return false;
    if (into->last != LOCK_TO_END && lock->first == into->last + 1)
        into->last = lock->last;
    else if (lock->last != LOCK_TO_END && lock->last + 1 == into->first)
        into->first = lock->first;
    else
        return false;
    return true;
}

int locks_set(struct inode *inode, struct range_lock **list, const struct range_lock *wanted)
{
    struct range_lock *fresh = malloc(sizeof *fresh);
    struct range_lock *spare = malloc(sizeof *spare);

    if (!fresh || !spare) {
        free(fresh);
        free(spare);
        return -ENOMEM;
    }
    *fresh = *wanted;
    locks_carve(list, wanted, &spare);
    free(spare);
    for (struct range_lock **link = list; *link;) {
        struct range_lock *lock = *link;

        if (lock_absorb(fresh, lock)) {
            *link = lock->next;
            free(lock);
        } else {
            link = &lock->next;
        }
    }
    fresh->next = *list;
    *list = fresh;
    wake_all(&inode->lock_waiters);
    return 0;
}

void locks_drop_owner(struct inode *inode, struct range_lock **list, const void *owner)
{
    bool dropped = false;

    for (struct range_lock **link = list; *link;) {
        struct range_lock *lock = *link;

        if (lock->owner != owner) {
            link = &lock->next;
            continue;
        }
        *link = lock->next;
        free(lock);
        dropped = true;
    }
    if (dropped)
        wake_all(&inode->lock_waiters);
}
