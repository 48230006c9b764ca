/*
 * Signals that pend: sigqueue(3), "Real-time signals" in signal(7).
 */
#include "proc.h"

#include "timers.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

/* Those that faults cause come first, so that their handlers see the fault. */
#define SIGNALS_OF_FAULTS                                                                         \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGTRAP) |         \
     signal_bit(SIGFPE) | signal_bit(SIGSYS))

static uint64_t total_queued;

static bool is_real_time(unsigned signal) { return signal >= SIGRTMIN; }

/* The limit is one for all processes of a user. */
static uint64_t queued_of_user(uint32_t uid)
{
    uint64_t count = 0;

    for (const struct process *process = process_first(); process; process = process->hh.next)
        if (process->cred.uid.real == uid)
            count += process->sig.queued;
    return count;
}

static bool is_within_limit(const struct process *process)
{
    uint64_t limit = process->limits[RLIMIT_SIGPENDING].rlim_cur;

    return total_queued < limit || queued_of_user(process->cred.uid.real) < limit;
}

static void entry_count(struct process *process)
{
    process->sig.queued++;
    total_queued++;
}

bool signal_entry_reserve(struct process *process)
{
    if (!is_within_limit(process))
        return false;
    entry_count(process);
    return true;
}

void signal_entry_release(struct process *process)
{
    must(process->sig.queued > 0 && total_queued > 0);
    process->sig.queued--;
    total_queued--;
}

static struct queued_signal *entry_new(struct process *process, const siginfo_t *info)
{
    bool exempt = !is_real_time((unsigned)info->si_signo) && info->si_code >= 0;
    struct queued_signal *entry;

    if (!exempt && !is_within_limit(process))
        return NULL;
    entry = malloc(sizeof *entry);
    if (!entry)
        return NULL;
    entry->timer = NULL;
    entry->info = *info;
    entry_count(process);
    return entry;
}

static void entry_free(struct queued_signal *entry, struct process *process)
{
    if (entry->timer) {
        timer_signal_dropped(entry->timer);
        return;
    }
    signal_entry_release(process);
    free(entry);
}

void signal_queue_add_entry(struct signal_queue *queue, struct queued_signal *entry)
{
    entry->next = NULL;
    if (queue->last)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
    queue->set |= signal_bit((unsigned)entry->info.si_signo);
}

int signal_queue_add(struct signal_queue *queue, struct process *process, const siginfo_t *info)
{
    unsigned signal = (unsigned)info->si_signo;
    struct queued_signal *entry;

    if (!is_real_time(signal) && queue->set & signal_bit(signal))
        return 0;
    entry = entry_new(process, info);
    if (entry)
        signal_queue_add_entry(queue, entry);
    else if (is_real_time(signal) && info->si_code != SI_USER)
        return -EAGAIN;
    queue->set |= signal_bit(signal);
    return 0;
}

/* ---- taking out ------------------------------------------------------------------------ */

/* The first entry of the signal, out of the list, or NULL. *more: there are others. */
static struct queued_signal *entry_remove(struct signal_queue *queue, unsigned signal, bool *more)
{
    struct queued_signal **link = &queue->first, *found = NULL, *last = NULL;

    *more = false;
    while (*link) {
        struct queued_signal *entry = *link;

        if (entry->info.si_signo == (int)signal && !found) {
            found = entry;
            *link = entry->next;
            continue;
        }
        *more |= entry->info.si_signo == (int)signal;
        last = entry;
        link = &entry->next;
    }
    queue->last = last;
    return found;
}

static unsigned signal_choose(signal_set_t set)
{
    if (set & SIGNALS_OF_FAULTS)
        set &= SIGNALS_OF_FAULTS;
    return (unsigned)__builtin_ctzll(set) + 1;
}

unsigned signal_queue_take(struct signal_queue *queue, struct process *process, signal_set_t set,
                           siginfo_t *info)
{
    struct queued_signal *entry;
    unsigned signal;
    bool more;

    set &= queue->set;
    if (!set)
        return 0;
    signal = signal_choose(set);
    entry = entry_remove(queue, signal, &more);
    if (!more)
        queue->set &= ~signal_bit(signal);
    if (!entry) { /* nothing was kept: as if kill(2) of nobody had sent it */
        memset(info, 0, sizeof *info);
        info->si_signo = (int)signal;
        return signal;
    }
    if (entry->timer)
        timer_signal_taken(entry->timer);
    *info = entry->info;
    if (!entry->timer)
        entry_free(entry, process);
    return signal;
}

void signal_queue_drop(struct signal_queue *queue, struct process *process, signal_set_t set)
{
    struct queued_signal **link = &queue->first, *last = NULL;

    queue->set &= ~set;
    while (*link) {
        struct queued_signal *entry = *link;

        if (signal_bit((unsigned)entry->info.si_signo) & set) {
            *link = entry->next;
            entry_free(entry, process);
        } else {
            last = entry;
            link = &entry->next;
        }
    }
    queue->last = last;
}

void signal_queue_remove_entry(struct signal_queue *queue, struct queued_signal *entry)
{
    struct queued_signal **link = &queue->first, *last = NULL;
    bool more = false;

    while (*link) {
        if (*link == entry) {
            *link = entry->next;
            continue;
        }
        last = *link;
        more |= last->info.si_signo == entry->info.si_signo;
        link = &last->next;
    }
    queue->last = last;
    if (!more)
        queue->set &= ~signal_bit((unsigned)entry->info.si_signo);
}
