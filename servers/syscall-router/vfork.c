/*
 * vfork(2): the parent waits while its child runs in the parent's memory.
 */
#include "router.h"

#include "kernel.h"

void vfork_link(struct thread *parent, struct process *child)
{
    threads_lock();
    parent->vfork_child = child;
    child->vfork_parent = parent;
    threads_unlock();
}

void vfork_release(struct process *child)
{
    struct thread *parent;

    threads_lock();
    parent = child->vfork_parent;
    child->vfork_parent = NULL;
    if (parent) {
        parent->vfork_child = NULL;
        kernel_sem_up(parent->sem);
    }
    threads_unlock();
}

static bool still_waits(struct thread *parent)
{
    bool result;

    threads_lock();
    result = parent->vfork_child != NULL;
    threads_unlock();
    return result;
}

/* Signals that do not kill wait until the child has gone on, as in Linux. */
void vfork_wait(struct thread *parent)
{
    while (still_waits(parent) && !thread_interrupted_fatally(parent))
        if (!kernel_sem_wait(parent->sem, 0))
            break;
    threads_lock();
    if (parent->vfork_child)
        parent->vfork_child->vfork_parent = NULL;
    parent->vfork_child = NULL;
    threads_unlock();
}
