#include <servers/vfs/epoll.h>

#include <asm/poll.h>
#include <lib/native/native.h>
#include <servers/vfs/deadline.h>
#include <servers/vfs/heap.h>
#include <servers/vfs/poll.h>
#include <stdlib.h>
#include <utlist.h>

#define NESTS_MAX    4u /* instances in one another, besides the first */
#define ALWAYS       ((uint32_t)(EPOLLERR | EPOLLHUP))
#define PRIVATE_BITS ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE))
/* What may go together with EPOLLEXCLUSIVE. */
#define EXCLUSIVE_BITS                                                                             \
    ((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE))

struct item_listener {
    struct listener    listener; /* first */
    struct epoll_item *item;
};

struct item_key {
    struct file *file;
    uint64_t     fd;
};

struct epoll_item {
    struct heap_node     due;         /* first; in epoll->due: the file's deadline */
    UT_hash_handle       hh;          /* in epoll->items */
    struct item_key      key;
    struct epoll        *epoll;
    uint32_t             events;      /* wanted, and PRIVATE_BITS */
    uint64_t             data;        /* the program's */
    bool                 is_listed;   /* in epoll->ready */
    struct epoll_item   *ready_prev, *ready_next;
    struct epoll_item   *watch_prev, *watch_next; /* in file->watches */
    struct item_listener listeners[2];
};

struct epoll {
    struct file       *file;
    struct epoll_item *items;
    struct epoll_item *ready;         /* those that may be ready, the next to report first */
    struct heap_node  *due;           /* those that become ready as time passes */
    struct wait_queue  waiters;
    uint64_t           woken_in;      /* the last wake-up that came by here */
    uint64_t           checked_in;    /* the last check of nesting that came by here ... */
    unsigned           depth;         /* ... and found this many levels below */
};

/* What epoll_collect found; requests are serialised. */
static struct epoll_item *collected[EPOLL_EVENTS_AT_ONCE];
static size_t             collected_count;

struct epoll *epoll_create_set(void) { return calloc(1, sizeof(struct epoll)); }

void epoll_use(struct epoll *epoll, struct file *file) { epoll->file = file; }

/* ---- the list of items that may be ready -------------------------------------------------- */

static void ready_add(struct epoll_item *item)
{
    if (item->is_listed)
        return;
    item->is_listed = true;
    DL_APPEND2(item->epoll->ready, item, ready_prev, ready_next);
}

static void ready_remove(struct epoll_item *item)
{
    if (!item->is_listed)
        return;
    item->is_listed = false;
    DL_DELETE2(item->epoll->ready, item, ready_prev, ready_next);
}

static uint32_t item_readiness(struct epoll_item *item)
{
    return file_readiness(item->key.file) & item->events & ~PRIVATE_BITS;
}

/* Everybody who waits for the instance, directly or through others, once per wake-up. */
static void epoll_wake(struct epoll *epoll)
{
    static unsigned nesting;
    static uint64_t wakeup;

    if (!nesting)
        wakeup++;
    if (epoll->woken_in == wakeup)
        return;
    epoll->woken_in = wakeup;
    nesting++;
    wake_all(&epoll->waiters);
    nesting--;
}

static bool item_notify(struct listener *listener)
{
    struct epoll_item *item = ((struct item_listener *)listener)->item;
    bool               somebody_waits = item->epoll->waiters.head;

    if (!(item->events & ~PRIVATE_BITS)) /* EPOLLONESHOT: it has been reported */
        return false;
    ready_add(item);
    epoll_wake(item->epoll);
    return somebody_waits;
}

/* ---- time --------------------------------------------------------------------------------- */

static uint64_t first_due(const struct epoll *epoll) { return epoll->due ? epoll->due->key : 0; }

/* Returns whether the instance's own deadline has changed. */
static bool item_set_due(struct epoll_item *item)
{
    struct epoll *epoll = item->epoll;
    uint64_t      before = first_due(epoll);
    uint64_t    (*deadline)(struct file *) = item->key.file->ops->deadline;
    uint64_t      due = deadline ? deadline(item->key.file) : 0;

    if (due == item->due.key)
        return false;
    heap_remove(&epoll->due, &item->due);
    if (due)
        heap_insert(&epoll->due, &item->due, due);
    return first_due(epoll) != before;
}

/* Waiting threads must wake at another time; so must those that wait for what this instance is
 * part of. A deadline is only passed on where it is the earliest, so that this ends. */
static void item_deadline_changed(struct epoll_item *item)
{
    if (!item_set_due(item))
        return;
    wake_all(&item->epoll->waiters);
    epoll_deadline_changed(item->epoll->file);
}

void epoll_deadline_changed(struct file *file)
{
    for (struct epoll_item *item = file->watches; item; item = item->watch_next)
        item_deadline_changed(item);
}

/* An item has left the heap: its file may have a deadline in the future. (If it is an instance
 * with something that is due, the rest follows when that is looked at.) */
static void due_later(struct epoll_item *item, uint64_t now)
{
    uint64_t due = item->key.file->ops->deadline(item->key.file);

    if (due > now)
        heap_insert(&item->epoll->due, &item->due, due);
}

/* What was due gets on the list. */
static void expire(struct epoll *epoll)
{
    uint64_t now;

    if (!epoll->due)
        return;
    now = clock_ns();
    if (epoll->due->key > now)
        return;
    while (epoll->due && epoll->due->key <= now) {
        struct epoll_item *item = (struct epoll_item *)epoll->due;

        heap_remove(&epoll->due, &item->due);
        ready_add(item);
        due_later(item, now);
    }
    epoll_deadline_changed(epoll->file);
}

static uint64_t epoll_deadline(struct file *file) { return first_due(file->data); }

int64_t epoll_wait_ready(struct call *call, struct epoll *epoll)
{
    int64_t error = call_wait(call, &epoll->waiters, deadline_of(call));

    return error ? error : call_sleep(call, first_due(epoll));
}

/* ---- items -------------------------------------------------------------------------------- */

static struct epoll_item *item_find(struct epoll *epoll, struct file *file, int fd)
{
    const struct item_key key = { file, (unsigned)fd };
    struct epoll_item    *item;

    HASH_FIND(hh, epoll->items, &key, sizeof key, item);
    return item;
}

static void item_listen(struct epoll_item *item)
{
    struct wait_queue *queues[2];

    file_queues(item->key.file, item->events, queues);
    for (unsigned i = 0; i < 2; i++) {
        struct listener *listener = &item->listeners[i].listener;

        listener_remove(listener);
        listener->exclusive = item->events & EPOLLEXCLUSIVE;
        if (queues[i])
            listener_add(queues[i], listener);
    }
}

/* The item is new or was changed: it may be ready already. */
static void item_begin(struct epoll_item *item, const struct epoll_event *event)
{
    item->events = event->events | ALWAYS;
    item->data = event->data;
    item_listen(item);
    item_deadline_changed(item);
    if (!item_readiness(item))
        return;
    ready_add(item);
    epoll_wake(item->epoll);
}

static struct epoll_item *item_create(struct epoll *epoll, struct file *file, int fd)
{
    struct epoll_item *item = calloc(1, sizeof *item);

    if (!item)
        return NULL;
    item->key = (struct item_key){ file, (unsigned)fd };
    item->epoll = epoll;
    HASH_ADD(hh, epoll->items, key, sizeof item->key, item);
    if (!item->hh.tbl) {
        free(item);
        return NULL;
    }
    for (unsigned i = 0; i < 2; i++) {
        item->listeners[i].listener.notify = item_notify;
        item->listeners[i].item = item;
    }
    DL_APPEND2(file->watches, item, watch_prev, watch_next);
    return item;
}

static void item_destroy(struct epoll_item *item)
{
    for (unsigned i = 0; i < 2; i++)
        listener_remove(&item->listeners[i].listener);
    ready_remove(item);
    heap_remove(&item->epoll->due, &item->due);
    DL_DELETE2(item->key.file->watches, item, watch_prev, watch_next);
    HASH_DEL(item->epoll->items, item);
    free(item);
}

void epoll_forget(struct file *file)
{
    while (file->watches)
        item_destroy(file->watches);
}

void epoll_destroy(struct epoll *epoll)
{
    while (epoll->items)
        item_destroy(epoll->items);
    wake_all(&epoll->waiters);
    free(epoll);
}

/* ---- instances in one another ------------------------------------------------------------- */

static struct epoll *epoll_of(const struct file *file)
{
    return file->ops == &epoll_ops ? file->data : NULL;
}

/* How many levels of instances are below; more than NESTS_MAX if wanted is one of them. Each is
 * visited once in a check. */
static unsigned depth_below(struct epoll *epoll, const struct epoll *wanted, uint64_t check)
{
    unsigned deepest = 0;

    if (epoll == wanted)
        return NESTS_MAX + 1;
    if (epoll->checked_in == check)
        return epoll->depth;
    for (struct epoll_item *item = epoll->items; item; item = item->hh.next) {
        struct epoll *below = epoll_of(item->key.file);
        unsigned      depth = below ? 1 + depth_below(below, wanted, check) : 0;

        if (depth > deepest)
            deepest = depth;
    }
    epoll->checked_in = check;
    epoll->depth = deepest;
    return deepest;
}

static unsigned depth_above(struct epoll *epoll, uint64_t check)
{
    unsigned deepest = 0;

    if (epoll->checked_in == check)
        return epoll->depth;
    for (struct epoll_item *item = epoll->file->watches; item; item = item->watch_next) {
        unsigned depth = 1 + depth_above(item->epoll, check);

        if (depth > deepest)
            deepest = depth;
    }
    epoll->checked_in = check;
    epoll->depth = deepest;
    return deepest;
}

static bool nesting_allowed(struct epoll *epoll, struct epoll *added)
{
    static uint64_t check;
    unsigned        below = depth_below(added, epoll, ++check);

    return below <= NESTS_MAX && below + 1 + depth_above(epoll, ++check) <= NESTS_MAX;
}

/* ---- changes ------------------------------------------------------------------------------ */

int epoll_add(struct epoll *epoll, struct file *file, int fd, const struct epoll_event *event)
{
    struct epoll      *added = epoll_of(file);
    struct epoll_item *item;

    if ((event->events & EPOLLEXCLUSIVE) && (added || event->events & ~EXCLUSIVE_BITS))
        return -EINVAL;
    if (added && !nesting_allowed(epoll, added))
        return -ELOOP;
    if (item_find(epoll, file, fd))
        return -EEXIST;
    item = item_create(epoll, file, fd);
    if (!item)
        return -ENOMEM;
    item_begin(item, event);
    return 0;
}

int epoll_modify(struct epoll *epoll, struct file *file, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = item_find(epoll, file, fd);

    if (event->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    if (!item)
        return -ENOENT;
    if (item->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    item_begin(item, event);
    return 0;
}

int epoll_remove(struct epoll *epoll, struct file *file, int fd)
{
    struct epoll_item *item = item_find(epoll, file, fd);

    if (!item)
        return -ENOENT;
    item_destroy(item);
    return 0;
}

/* ---- reports ------------------------------------------------------------------------------ */

size_t epoll_collect(struct epoll *epoll, struct epoll_event *events, size_t max)
{
    struct epoll_item *item, *next;

    collected_count = 0;
    expire(epoll);
    for (item = epoll->ready; item && collected_count < max; item = next) {
        uint32_t ready = item_readiness(item);

        next = item->ready_next;
        if (!ready) {
            ready_remove(item);
            continue;
        }
        events[collected_count] = (struct epoll_event){ .events = ready, .data = item->data };
        collected[collected_count++] = item;
    }
    return collected_count;
}

void epoll_reported(struct epoll *epoll)
{
    for (size_t i = 0; i < collected_count; i++) {
        struct epoll_item *item = collected[i];

        must(item->epoll == epoll);
        ready_remove(item);
        if (item->events & EPOLLONESHOT)
            item->events &= PRIVATE_BITS;
        else if (!(item->events & EPOLLET))
            ready_add(item);
    }
    collected_count = 0;
}

static unsigned epoll_poll(struct file *file, struct wait_queue *queues[2])
{
    struct epoll *epoll = file->data;

    queues[0] = &epoll->waiters;
    expire(epoll);
    while (epoll->ready) {
        if (item_readiness(epoll->ready))
            return POLLIN | POLLRDNORM;
        ready_remove(epoll->ready);
    }
    return 0;
}

static void epoll_release(struct file *file) { epoll_destroy(file->data); }

const struct file_ops epoll_ops = {
    .poll = epoll_poll,
    .deadline = epoll_deadline,
    .release = epoll_release,
    .anonymous = "[eventpoll]",
};
