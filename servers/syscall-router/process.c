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
#include <string.h>

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

int image_create(struct image *image, struct thread *thread)
{
    int error;

    *image = (struct image){ .pd = kernel_sel_alloc(1), .ec = kernel_sel_alloc(1) };
    if (image->pd == SEL_NONE || image->ec == SEL_NONE) {
        image_destroy(image);
        return -ENOMEM;
    }
    error = kernel_pd_create(image->pd);
    if (!error)
        error = image_equip(image->pd, thread);
    if (!error)
        error = kernel_ec_create(image->ec, image->pd, thread->cpu, APP_SEL_EVENT, APP_UTCB_VA,
                                  thread->slot);
    if (!error) {
        uint32_t space = space_number();

        error = (int)mem_space_create(&server_mem, space, image->pd);
        image->space = error ? 0 : space;
    }
    if (error)
        image_destroy(image);
    return error;
}

void image_destroy(struct image *image)
{
    if (image->space)
        space_end(image->space);
    kernel_drop(image->ec, 1);
    kernel_drop(image->pd, 1);
    *image = (struct image){ .pd = SEL_NONE, .ec = SEL_NONE };
}

/* ---- starting -------------------------------------------------------------------------- */

/* The scheduling context comes last: with it the thread runs. */
static int time_give(struct thread *thread, const struct image *image, cap_sel_t sc)
{
    int error = kernel_sc_create(sc, image->pd, image->ec);

    if (!error && proc_thread_time_source(&server_proc, thread->tid, sc) < 0)
        log_line("proc does not count the time of thread %u", thread->tid);
    return error;
}

int thread_run(struct thread *thread, const struct image *image, uint64_t ip, uint64_t sp)
{
    cap_sel_t sc = kernel_sel_alloc(1), old_ec = thread->ec, old_sc = thread->sc;
    struct image old = { .pd = thread->process->pd, .ec = SEL_NONE,
                         .space = thread->process->space };
    int error = sc == SEL_NONE ? -ENOMEM : 0;

    thread->start_ip = ip;
    thread->start_sp = sp;
    threads_lock();
    thread->process->pd = image->pd;
    thread->process->space = image->space;
    thread->ec = image->ec;
    thread->sc = sc;
    threads_unlock();
    if (!error)
        error = slot_bind(thread, thread->process, thread->tid);
    if (!error)
        error = time_give(thread, image, sc);
    kernel_drop(old_ec, 1);
    kernel_drop(old_sc, 1);
    if (old.pd != image->pd)
        image_destroy(&old);
    return error;
}
