/*
 * The pool of slots. A slot is made once, with all its kernel objects, and is
 * then used by one Linux thread after another; it belongs to one CPU.
 */
#include "router.h"

#include "kernel.h"
#include "dispatch.h"

#include <errno.h>
#include <gen/common_client.h>
#include <stdlib.h>

static struct thread *slots[MAX_SLOTS]; /* by number; under the threads' lock, as all here */
static unsigned slot_count;
static unsigned in_use, in_use_on[MAX_CPUS];
static struct thread *free_slots[MAX_CPUS];
/* A handler whose slot could not be completed: its stack is not given back, so
 * the next attempt takes it. */
static cap_sel_t spare_handler[MAX_CPUS];

static const struct server_ref *server_of(enum owner owner)
{
    switch (owner) {
    case OWNER_VFS: return &server_vfs;
    case OWNER_PROC: return &server_proc;
    default: return &server_mem;
    }
}

/* ---- making a slot -------------------------------------------------------------- */

/* Reserves a number; slots[number] stays NULL until the slot is complete. */
static uint32_t number_reserve(void)
{
    uint32_t number = 0;

    threads_lock();
    if (slot_count + 1 < MAX_SLOTS)
        number = ++slot_count;
    threads_unlock();
    return number;
}

/* Only the last number can be given back; an earlier one is lost, which costs
 * no more than a place in the table. */
static void number_return(uint32_t number)
{
    threads_lock();
    if (number == slot_count)
        slot_count--;
    threads_unlock();
}

static cap_sel_t handler_take(unsigned cpu)
{
    cap_sel_t handler;

    threads_lock();
    handler = spare_handler[cpu] ? spare_handler[cpu] : SEL_NONE;
    spare_handler[cpu] = 0;
    threads_unlock();
    return handler == SEL_NONE ? kernel_handler_create(cpu) : handler;
}

static void handler_keep(unsigned cpu, cap_sel_t handler)
{
    threads_lock();
    spare_handler[cpu] = handler;
    threads_unlock();
}

/* The slot's portal to one server, which learns the slot's semaphore. */
static int server_connect(struct thread *thread, enum owner owner)
{
    const struct server_ref *server = server_of(owner);
    cap_sel_t sel = kernel_sel_alloc(1);
    int error = sel == SEL_NONE ? -ENOMEM : kernel_mint(server->portal, sel, thread->slot);

    if (!error)
        error = (int)common_slot_create(server, thread->slot, thread->sem);
    if (error) {
        kernel_drop(sel, 1);
        return error;
    }
    thread->server[owner] = *server;
    thread->server[owner].portal = sel;
    thread->server[owner].badge = thread->slot;
    return 0;
}

static void server_disconnect(struct thread *thread, enum owner owner)
{
    if (thread->server[owner].portal == SEL_NONE)
        return;
    if (common_slot_destroy(server_of(owner), thread->slot) < 0)
        log_line("slot %u stays known to a server", thread->slot);
    kernel_drop(thread->server[owner].portal, 1);
}

static void slot_unmake(struct thread *thread)
{
    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        server_disconnect(thread, owner);
    kernel_drop(thread->sem, 1);
    kernel_drop(thread->event, 1);
    if (thread->handler != SEL_NONE)
        handler_keep(thread->cpu, thread->handler);
    number_return(thread->slot);
    free(thread);
}

static struct thread *slot_alloc(unsigned cpu)
{
    struct thread *thread = calloc(1, sizeof *thread);

    if (!thread)
        return NULL;
    thread->slot = number_reserve();
    if (!thread->slot) {
        free(thread);
        return NULL;
    }
    thread->cpu = cpu;
    thread->portal.handle = dispatch_message;
    thread->handler = thread->event = thread->sem = thread->ec = thread->sc = SEL_NONE;
    for (enum owner owner = 0; owner < OWNER_COUNT; owner++)
        thread->server[owner].portal = SEL_NONE;
    return thread;
}

static int slot_fill(struct thread *thread)
{
    int error = 0;

    thread->handler = handler_take(thread->cpu);
    if (thread->handler == SEL_NONE)
        return -ENOMEM;
    thread->event = kernel_portal_create(&thread->portal, thread->handler);
    thread->sem = kernel_sem_create();
    if (thread->event == SEL_NONE || thread->sem == SEL_NONE)
        return -ENOMEM;
    for (enum owner owner = 0; owner < OWNER_COUNT && !error; owner++)
        error = server_connect(thread, owner);
    return error;
}

static struct thread *slot_make(unsigned cpu)
{
    struct thread *thread = slot_alloc(cpu);

    if (!thread)
        return NULL;
    if (slot_fill(thread)) {
        slot_unmake(thread);
        return NULL;
    }
    threads_lock();
    slots[thread->slot] = thread;
    in_use++;
    in_use_on[cpu]++;
    threads_unlock();
    return thread;
}

/* ---- taking and giving back ---------------------------------------------------------- */

struct thread *slot_take(unsigned cpu)
{
    struct thread *thread;

    must(cpu < MAX_CPUS);
    threads_lock();
    thread = free_slots[cpu];
    if (thread) {
        free_slots[cpu] = thread->free_next;
        in_use++;
        in_use_on[cpu]++;
    }
    threads_unlock();
    return thread ? thread : slot_make(cpu);
}

void slot_release(struct thread *thread)
{
    threads_lock();
    must(in_use > 0 && !thread->process && thread->ec == SEL_NONE);
    atomic_store(&thread->death, 0);
    thread->taken.is_there = thread->registers_set = false;
    thread->free_next = free_slots[thread->cpu];
    free_slots[thread->cpu] = thread;
    in_use--;
    in_use_on[thread->cpu]--;
    threads_unlock();
}

int slot_bind(struct thread *thread, const struct process *process, uint32_t tid)
{
    uint32_t pid = process ? process->pid : 0, space = process ? process->space : 0;
    int64_t results[OWNER_COUNT];

    results[0] = common_slot_bind(&server_vfs, thread->slot, tid, pid);
    results[1] = common_slot_bind(&server_proc, thread->slot, tid, pid);
    results[2] = common_slot_bind(&server_mem, thread->slot, tid, space);
    for (int i = 0; i < OWNER_COUNT; i++)
        if (results[i] < 0)
            return (int)results[i];
    atomic_store(&thread->signalled, process != NULL); /* one may have come before */
    return 0;
}

unsigned slot_cpu(unsigned preferred)
{
    unsigned best = preferred;

    threads_lock();
    for (unsigned cpu = 0; cpu < kernel_cpu_count() && cpu < MAX_CPUS; cpu++)
        if (in_use_on[cpu] < in_use_on[best])
            best = cpu;
    threads_unlock();
    return best;
}

unsigned slots_in_use(void)
{
    unsigned count;

    threads_lock();
    count = in_use;
    threads_unlock();
    return count;
}

unsigned slots_made(void) { return slot_count; }

/* ---- signals ----------------------------------------------------------------------------- */

void slot_signal(uint32_t number)
{
    struct thread *thread;

    threads_lock();
    thread = number <= slot_count && number < MAX_SLOTS ? slots[number] : NULL;
    if (thread && thread->process) {
        atomic_store(&thread->signalled, true);
        kernel_sem_up(thread->sem);
        if (thread->ec != SEL_NONE)
            kernel_ec_recall(thread->ec);
    }
    threads_unlock();
}

/* ---- finding threads --------------------------------------------------------------------- */

/* pid 0: all. */
static void kill_where(uint32_t pid, uint32_t status)
{
    threads_lock();
    for (unsigned i = 1; i <= slot_count && i < MAX_SLOTS; i++)
        if (slots[i] && slots[i]->process && (!pid || slots[i]->process->pid == pid))
            thread_kill(slots[i], status);
    threads_unlock();
}

void process_kill(uint32_t pid, uint32_t status) { kill_where(pid, status); }
void everybody_kill(uint32_t status) { kill_where(0, status); }
