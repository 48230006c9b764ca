/*
 * What a program runs in, and how a thread starts.
 */
#include "router.h"

#include "app_space.h"
#include "kernel.h"
#include "stats.h"
#include "trace.h"

#include <abi/hypercall.h>
#include <errno.h>
#include <gen/mem_client.h>
#include <gen/proc_client.h>
#include <gen/vfs_client.h>
#include <stdlib.h>
#include <string.h>

#define RFLAGS_START 0x202u /* interrupts on; bit 1 is always 1 */
#define RELEASED_BYTES 2048u

/* Address spaces are numbered by us; 0 is none. */
static uint32_t space_number(void)
{
    static _Atomic uint32_t last;
    uint32_t number;

    do
        number = atomic_fetch_add(&last, 1) + 1;
    while (number == 0);
    return number;
}

static void files_release(const uint8_t *references, size_t bytes)
{
    uint64_t file;

    for (size_t at = 0; at + sizeof file <= bytes; at += sizeof file) {
        memcpy(&file, references + at, sizeof file);
        if (vfs_file_release(&server_vfs, file) < 0)
            log_line("vfs does not know file %llu", (unsigned long long)file);
    }
}

void space_files_release(uint32_t space)
{
    uint8_t released[RELEASED_BYTES];
    int64_t result;
    size_t bytes;

    do {
        bytes = sizeof released;
        result = mem_released(&server_mem, space, released, &bytes);
        files_release(released, bytes);
    } while (result > 0 && bytes == sizeof released);
}

void space_end(uint32_t space)
{
    uint8_t released[RELEASED_BYTES];
    int64_t result;

    do {
        size_t bytes = sizeof released;

        result = mem_space_destroy(&server_mem, space, released, &bytes);
        files_release(released, bytes);
    } while (result == -EAGAIN);
    if (result < 0)
        log_line("address space %u: error %d at its end", space, (int)-result);
}

/* ---- images ----------------------------------------------------------------------- */

/* The portal to which a call goes straight from the kernel, or 0. When calls are
 * observed, all of them come to us. */
static cap_sel_t direct_portal(unsigned nr)
{
    const struct linux_route *route = &linux_routes[nr];

    if (trace_enabled || stats_enabled || !(route->flags & LINUX_DIRECT))
        return 0;
    return APP_SEL_VFS + (route->owner - LINUX_VFS);
}

static int routes_set(cap_sel_t pd)
{
    unsigned first = 0, end;
    int error = 0;

    while (first < LINUX_CALL_COUNT && !error) {
        cap_sel_t portal = direct_portal(first);

        for (end = first + 1; end < LINUX_CALL_COUNT && direct_portal(end) == portal; end++)
            ;
        if (portal)
            error = kernel_pd_set_route(pd, first, end - first, portal);
        first = end;
    }
    return error;
}

/* The new PD's capabilities: app_space.h. The servers' carry the slot as badge, so
 * that a hybrid program that calls them is known as what it is. */
static int image_equip(cap_sel_t pd, const struct thread *thread)
{
    int error = kernel_delegate(pd, pd, APP_SEL_PD, PD_CREATE_EC | PD_CREATE_PT | PD_CREATE_SM);

    if (!error)
        error = kernel_delegate(thread->event, pd, APP_SEL_EVENT, PT_CALL);
    for (unsigned i = 0; i < OWNER_COUNT && !error; i++)
        error = kernel_delegate(thread->server[i].portal, pd, APP_SEL_VFS + i, PT_CALL);
    if (!error)
        error = kernel_pd_set_pager(pd, APP_SEL_MEM);
    return error ? error : routes_set(pd);
}

_Static_assert(APP_SEL_PROC - APP_SEL_VFS == OWNER_PROC && APP_SEL_MEM - APP_SEL_VFS == OWNER_MEM &&
                   LINUX_PROC - LINUX_VFS == OWNER_PROC && LINUX_MEM - LINUX_VFS == OWNER_MEM,
               "the order of the servers");

/* An empty address space, or (parent_space not 0) a copy of that one. */
static int space_make(struct image *image, uint32_t parent_space)
{
    uint32_t space = space_number();
    int64_t error = parent_space
                        ? mem_space_clone(&server_mem, parent_space, space, image->pd)
                        : mem_space_create(&server_mem, space, image->pd);

    image->space = error ? 0 : space;
    return (int)error;
}

int image_create(struct image *image, struct thread *thread, uint32_t parent_space)
{
    int error;

    *image = (struct image){ .pd = kernel_sel_alloc(1), .ec = kernel_sel_alloc(1) };
    if (image->pd == SEL_NONE || image->ec == SEL_NONE) {
        image_destroy(image, thread);
        return -ENOMEM;
    }
    error = kernel_pd_create(image->pd);
    if (!error)
        error = image_equip(image->pd, thread);
    if (!error)
        error = kernel_ec_create(image->ec, image->pd, thread->cpu, APP_SEL_EVENT, APP_UTCB_VA,
                                  thread->slot);
    if (!error)
        error = space_make(image, parent_space);
    if (error)
        image_destroy(image, thread);
    return error;
}

/* ---- images that several processes share -------------------------------------------- */

/* Who uses a PD and its address space besides the process that it was made for. */
struct share {
    unsigned users;      /* under the threads' lock, as the next */
    uint32_t main_slot;  /* whose portals are at APP_SEL_EVENT and following; 0: nobody's */
};

static struct share *share_join(const struct thread *owner)
{
    struct share *made = calloc(1, sizeof *made), *share;
    struct process *process = owner->process;

    if (!made)
        return NULL;
    *made = (struct share){ .users = 1, .main_slot = owner->slot };
    threads_lock();
    if (!process->share) {
        process->share = made;
        made = NULL;
    }
    share = process->share;
    share->users++;
    threads_unlock();
    free(made);
    return share;
}

/* Returns whether that was the last user. */
static bool share_leave(struct image *image, const struct thread *thread)
{
    struct share *share = image->share;
    bool is_main, is_last;

    if (!share)
        return true;
    threads_lock();
    is_main = share->main_slot == thread->slot;
    is_last = --share->users == 0;
    if (is_main)
        share->main_slot = 0;
    threads_unlock();
    if (is_last)
        free(share);
    else if (is_main)
        kernel_undelegate(image->pd, APP_SEL_EVENT, APP_SEL_MEM - APP_SEL_EVENT + 1);
    else
        kernel_undelegate(image->pd, APP_SEL_EVENTS + thread->slot, 1);
    return is_last;
}

int image_share(struct image *image, struct thread *thread, const struct thread *owner)
{
    cap_sel_t event = APP_SEL_EVENTS + thread->slot;
    int error;

    *image = (struct image){ .pd = SEL_NONE, .ec = kernel_sel_alloc(1) };
    if (image->ec != SEL_NONE)
        image->share = share_join(owner);
    if (!image->share) {
        image_destroy(image, thread);
        return -ENOMEM;
    }
    image->pd = owner->process->pd;
    image->space = owner->process->space;
    error = kernel_delegate(thread->event, image->pd, event, PT_CALL);
    if (!error)
        error = kernel_ec_create(image->ec, image->pd, thread->cpu, event,
                                 APP_UTCB_VA + thread->slot * PAGE_BYTES, thread->slot);
    if (error)
        image_destroy(image, thread);
    return error;
}

void image_destroy(struct image *image, const struct thread *thread)
{
    kernel_drop(image->ec, 1);
    if (share_leave(image, thread)) {
        if (image->space)
            space_end(image->space);
        kernel_drop(image->pd, 1);
    }
    *image = (struct image){ .pd = SEL_NONE, .ec = SEL_NONE };
}

struct image image_of(const struct process *process)
{
    return (struct image){ .pd = process->pd, .ec = SEL_NONE, .space = process->space,
                           .share = process->share };
}

void image_install(struct thread *thread, const struct image *image, cap_sel_t sc)
{
    struct process *process = thread->process;

    threads_lock();
    process->pd = image->pd;
    process->space = image->space;
    process->share = image->share;
    thread->ec = image->ec;
    thread->sc = sc;
    threads_unlock();
}

/* ---- starting -------------------------------------------------------------------------- */

int thread_run(struct thread *thread, const struct image *image, uint64_t ip, uint64_t sp)
{
    cap_sel_t sc = kernel_sel_alloc(1), old_ec = thread->ec, old_sc = thread->sc;
    struct image old = image_of(thread->process);
    int error = sc == SEL_NONE ? -ENOMEM : 0;

    thread->start_ip = ip;
    thread->start_sp = sp;
    image_install(thread, image, sc);
    if (!error)
        error = slot_bind(thread, thread->process, thread->tid);
    if (!error)
        error = kernel_sc_create(sc, image->pd, image->ec); /* with it the thread runs */
    kernel_drop(old_ec, 1);
    kernel_drop(old_sc, 1);
    image_destroy(&old, thread);
    return error;
}

void thread_begin(struct thread *thread)
{
    const struct ec_state state = {
        .rip = thread->start_ip, .rsp = thread->start_sp, .rflags = RFLAGS_START,
    };

    if (proc_thread_time_source(&server_proc, thread->tid, thread->sc) < 0)
        log_line("proc does not count the time of thread %u", thread->tid);
    if (thread->forked)
        fork_begin(thread);
    else if (kernel_ec_set_state(thread->ec, &state))
        panic("thread %u can not be started", thread->tid);
}
