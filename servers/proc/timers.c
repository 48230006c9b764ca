/*
 * Timers: a heap of the times at which something is to be done. A thread of the
 * router sleeps until the first one and then calls timers_expire.
 */
#include "timers.h"

#include "platform.h"

#include <gen/proc_server.h>
#include <stdlib.h>

#define HEAP_GROWTH 64u
/* CPU time can only be asked for: it is looked at no more often than this. */
#define CPU_CHECK_NS 4000000ull

static struct deadline **heap; /* heap[0] is the first */
static unsigned heap_count, heap_room;
static uint64_t announced_ns = UINT64_MAX; /* until when the router sleeps */

/* ---- the heap -------------------------------------------------------------------- */

static void heap_put(unsigned place, struct deadline *deadline)
{
    heap[place] = deadline;
    deadline->place = place + 1;
}

static void heap_up(unsigned place, struct deadline *deadline)
{
    while (place && heap[(place - 1) / 2]->ns > deadline->ns) {
        heap_put(place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_put(place, deadline);
}

static void heap_down(unsigned place, struct deadline *deadline)
{
    for (;;) {
        unsigned child = 2 * place + 1;

        if (child + 1 < heap_count && heap[child + 1]->ns < heap[child]->ns)
            child++;
        if (child >= heap_count || heap[child]->ns >= deadline->ns)
            break;
        heap_put(place, heap[child]);
        place = child;
    }
    heap_put(place, deadline);
}

static void deadline_disarm(struct deadline *deadline)
{
    unsigned place = deadline->place;
    struct deadline *last;

    if (!place)
        return;
    must(place <= heap_count && heap[place - 1] == deadline);
    deadline->place = 0;
    last = heap[--heap_count];
    if (last == deadline)
        return;
    heap_down(place - 1, last);
    heap_up(last->place - 1, last);
}

static int deadline_arm(struct deadline *deadline, uint64_t ns)
{
    deadline_disarm(deadline);
    if (heap_count == heap_room) {
        struct deadline **larger = realloc(heap, (heap_room + HEAP_GROWTH) * sizeof *heap);

        if (!larger)
            return -ENOMEM;
        heap = larger;
        heap_room += HEAP_GROWTH;
    }
    deadline->ns = ns;
    heap_up(heap_count++, deadline);
    return 0;
}

/* ---- timers -------------------------------------------------------------------------- */

uint64_t timer_now(const struct timer *timer)
{
    switch (timer->clock) {
    case TIMER_PROCESS_CPU: return process_time_ns(timer->process);
    case TIMER_THREAD_CPU: return timer->thread ? thread_time_ns(timer->thread) : 0;
    case TIMER_MONOTONIC: break;
    }
    return platform_now_ns();
}

/* When CPU time can have come so far at the earliest, if one thread runs. */
static uint64_t cpu_check_time(const struct timer *timer)
{
    uint64_t now = timer_now(timer), left = timer->expiry > now ? timer->expiry - now : 0;

    return platform_now_ns() + (left > CPU_CHECK_NS ? left : CPU_CHECK_NS);
}

int timer_arm(struct timer *timer)
{
    must(timer->expiry);
    return deadline_arm(&timer->deadline, timer->clock == TIMER_MONOTONIC ? timer->expiry
                                                                          : cpu_check_time(timer));
}

void timer_disarm(struct timer *timer)
{
    deadline_disarm(&timer->deadline);
}

uint64_t timer_left(const struct timer *timer)
{
    uint64_t now = timer_now(timer);

    if (!timer->expiry)
        return 0;
    if (timer->expiry > now)
        return timer->expiry - now;
    return timer->interval ? timer->interval - (now - timer->expiry) % timer->interval : 0;
}

uint64_t timer_advance(struct timer *timer)
{
    uint64_t now = timer_now(timer), times;

    must(timer->interval);
    times = now > timer->expiry ? (now - timer->expiry) / timer->interval : 0;
    timer->expiry += (times + 1) * timer->interval;
    return times;
}

static void timer_expire(struct timer *timer)
{
    if (timer->clock != TIMER_MONOTONIC && timer_now(timer) < timer->expiry) {
        must(timer_arm(timer) == 0); /* there is room: it has just left */
        return;
    }
    timer->fire(timer);
}

/* ---- the router -------------------------------------------------------------------------- */

void timers_follow(struct call *call)
{
    if (heap_count && heap[0]->ns < announced_ns)
        call->answer_word[0] = FOLLOW_TIMERS;
}

/* What becomes due meanwhile waits for the next time: a short interval must not keep us. */
int64_t proc_op_timers_expire(struct call *call, uint64_t *next_ns)
{
    uint64_t now = platform_now_ns();

    (void)call;
    while (heap_count && heap[0]->ns <= now) {
        struct timer *timer = (struct timer *)heap[0];

        deadline_disarm(&timer->deadline);
        timer_expire(timer);
    }
    *next_ns = heap_count ? heap[0]->ns : 0;
    announced_ns = heap_count ? heap[0]->ns : UINT64_MAX;
    return 0;
}
