/*
 * Waiting: which slots wait for what, and who else wants to know. Nobody sleeps here; the
 * router does.
 */
#include <errno.h>
#include <lib/native/native.h>
#include <lib/server/backend.h>
#include <lib/server/kit.h>
#include <stdlib.h>

static void queue_remove(struct waiter *waiter)
{
    if (waiter->queue_prev)
        waiter->queue_prev->queue_next = waiter->queue_next;
    else
        waiter->queue->head = waiter->queue_next;
    if (waiter->queue_next)
        waiter->queue_next->queue_prev = waiter->queue_prev;
}

static void queue_add(struct wait_queue *queue, struct waiter *waiter)
{
    waiter->queue = queue;
    waiter->queue_next = queue->head;
    if (queue->head)
        queue->head->queue_prev = waiter;
    queue->head = waiter;
}

void slot_stop_waiting(struct slot *slot)
{
    while (slot->waiters) {
        struct waiter *waiter = slot->waiters;

        slot->waiters = waiter->slot_next;
        queue_remove(waiter);
        free(waiter);
    }
}

static void pend(struct call *call, uint64_t deadline_ns)
{
    struct slot *slot = call->slot;

    if (deadline_ns && (!slot->deadline_ns || deadline_ns < slot->deadline_ns))
        slot->deadline_ns = deadline_ns;
    call->answer = ANSWER_PENDING;
    call->answer_word[0] = slot->deadline_ns;
}

int64_t call_wait(struct call *call, struct wait_queue *queue, uint64_t deadline_ns)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);

    if (!waiter)
        return -ENOMEM;
    waiter->slot = call->slot;
    waiter->slot_next = call->slot->waiters;
    call->slot->waiters = waiter;
    queue_add(queue, waiter);
    pend(call, deadline_ns);
    return 0;
}

int64_t call_sleep(struct call *call, uint64_t deadline_ns)
{
    pend(call, deadline_ns);
    return 0;
}

static void listeners_call(struct wait_queue *queue)
{
    bool woken = false;

    for (struct listener *listener = queue->listeners; listener; listener = listener->next)
        if (!listener->exclusive || !woken)
            woken |= listener->notify(listener) && listener->exclusive;
}

void wake_all(struct wait_queue *queue)
{
    while (queue->head) {
        struct slot *slot = queue->head->slot;

        slot_stop_waiting(slot);
        backend_signal(slot->sem);
    }
    if (queue->listeners)
        listeners_call(queue);
}

void listener_add(struct wait_queue *queue, struct listener *listener)
{
    struct listener *after = listener->exclusive ? queue->last : NULL;

    must(!listener->queue && listener->notify);
    listener->queue = queue;
    listener->prev = after;
    listener->next = after ? after->next : queue->listeners;
    if (after)
        after->next = listener;
    else
        queue->listeners = listener;
    if (listener->next)
        listener->next->prev = listener;
    else
        queue->last = listener;
}

void listener_remove(struct listener *listener)
{
    struct wait_queue *queue = listener->queue;

    if (!queue)
        return;
    if (listener->prev)
        listener->prev->next = listener->next;
    else
        queue->listeners = listener->next;
    if (listener->next)
        listener->next->prev = listener->prev;
    else
        queue->last = listener->prev;
    listener->queue = NULL;
}
