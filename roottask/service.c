/*
 * What programs ask of the roottask: the operations of proto/root.def.
 */
#include "gen/root_server.h"
#include "root.h"
#include <abi/info.h>
#include <errno.h>
#include <lib/server/codec.h>
#include <lib/server/server.h>
#include <string.h>

#define IRQ_MAX 256u

static struct {
    struct lock lock; /* requests are handled one at a time */
    struct portal portal;
    cap_sel_t sel;
    cap_sel_t irq_sem[IRQ_MAX]; /* 0: not bound */
} service;

/* ---- the log ----------------------------------------------------------------------------- */

/* The runtime of programs puts their names before the text. */
int64_t root_op_log(struct call *call, const void *text, size_t text_bytes)
{
    (void)call;
    log_write("", text, text_bytes);
    return 0;
}

/* Each line of the text becomes a line of the log. */
int64_t root_op_trace(struct call *call, const void *text, size_t text_bytes)
{
    const char *at = text, *end = at + text_bytes;

    (void)call;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        log_write("@trace ", at, (size_t)(stop - at));
        at = stop + 1;
    }
    return 0;
}

/* ---- memory ------------------------------------------------------------------------------- */

int64_t root_op_memory_alloc(struct call *call, uint32_t order, uint64_t *phys)
{
    struct program *program = program_get(call->badge - 1);
    uint8_t owner = (uint8_t)(OWNER_PROGRAM + program->index);

    *phys = memory_take(order, owner);
    if (!*phys)
        return -ENOMEM;
    if (program_show_frames(program, *phys, order, true))
        return 0;
    memory_give_back(*phys, order, owner);
    *phys = 0;
    return -ENOMEM;
}

int64_t root_op_memory_free(struct call *call, uint64_t phys, uint32_t order)
{
    struct program *program = program_get(call->badge - 1);
    uint8_t owner = (uint8_t)(OWNER_PROGRAM + program->index);

    if (!memory_is_owned(phys, order, owner))
        return -EINVAL;
    program_show_frames(program, phys, order, false);
    memory_give_back(phys, order, owner);
    return 0;
}

int64_t root_op_kernel_memory(struct call *call, uint64_t pages)
{
    return program_kernel_memory(program_get(call->badge - 1), pages) ? 0 : -ENOMEM;
}

/* ---- programs -------------------------------------------------------------------------------- */

int64_t root_op_publish(struct call *call, cap_sel_t portal)
{
    if (portal == SEL_NONE)
        return -EINVAL;
    return program_publish(program_get(call->badge - 1), portal) ? 0 : -EEXIST;
}

int64_t root_op_boot_file(struct call *call, const char *name, uint64_t *phys, uint64_t *length)
{
    const void *content = archive_file(name, length);

    (void)call;
    *phys = content ? frame_phys(content) : 0;
    return content ? 0 : -ENOENT;
}

/* ---- the system -------------------------------------------------------------------------------
 */

int64_t root_op_shutdown(struct call *call, uint32_t status)
{
    (void)call;
    system_exit(status);
}

int64_t root_op_usage(struct call *call, uint64_t *frames_free, uint64_t *kernel_total,
                      uint64_t *kernel_free, void *objects, size_t *objects_bytes)
{
    struct kmem_stat stat;

    (void)call;
    if (*objects_bytes < sizeof stat.objects)
        return -EINVAL;
    kernel_memory_stat(&stat);
    *frames_free = memory_free_frames();
    *kernel_total = stat.pages_total;
    *kernel_free = stat.pages_free;
    memcpy(objects, stat.objects, sizeof stat.objects);
    *objects_bytes = sizeof stat.objects;
    log_line("@usage frames=%llu kernel_pages=%llu objects=%llu,%llu,%llu,%llu,%llu",
             (unsigned long long)*frames_free,
             (unsigned long long)(stat.pages_total - stat.pages_free),
             (unsigned long long)stat.objects[0], (unsigned long long)stat.objects[1],
             (unsigned long long)stat.objects[2], (unsigned long long)stat.objects[3],
             (unsigned long long)stat.objects[4]);
    return 0;
}

/* ---- interrupts ---------------------------------------------------------------------------------
 */

static bool irq_allowed(const struct call *call)
{
    return program_get(call->badge - 1)->row->flags & PROGRAM_INTERRUPTS;
}

int64_t root_op_irq_bind(struct call *call, uint32_t gsi, uint32_t mode, cap_sel_t *sem)
{
    cap_sel_t sel;

    *sem = SEL_NONE;
    if (!irq_allowed(call))
        return -EPERM;
    if (gsi >= IRQ_MAX || mode & ~(uint32_t)(IRQ_LEVEL | IRQ_ACTIVE_LOW))
        return -EINVAL;
    if (!service.irq_sem[gsi]) {
        sel = semaphore_create(0);
        if (sel == SEL_NONE)
            return -ENOMEM;
        if (hc_irq(IRQ_OP_BIND, sel, gsi, mode) != ST_OK) {
            hc_revoke(sel, 1, REVOKE_SELF);
            cap_free(sel, 1);
            return -EINVAL;
        }
        service.irq_sem[gsi] = sel;
    }
    *sem = service.irq_sem[gsi];
    return 0;
}

int64_t root_op_irq_unmask(struct call *call, uint32_t gsi)
{
    if (!irq_allowed(call))
        return -EPERM;
    if (gsi >= IRQ_MAX || !service.irq_sem[gsi])
        return -EINVAL;
    return hc_irq(IRQ_OP_UNMASK, 0, gsi, 0) == ST_OK ? 0 : -EIO;
}

/* ---- the portal
 * ----------------------------------------------------------------------------------- */

static void request_handle(struct portal *portal, struct portal_frame *frame)
{
    struct ipc_message message;
    struct call call = { .badge = frame->badge };

    (void)portal;
    must(portal_kind(frame) == MSG_CALL && program_get(frame->badge - 1));
    portal_receive(frame, &message);
    lock_acquire(&service.lock);
    if (message.label & LABEL_OPERATION)
        root_dispatch(&call, &message);
    else
        decode_refuse(&message);
    lock_release(&service.lock);
    portal_reply(frame, &message, 0);
}

void service_init(const struct kernel_info *info)
{
    lock_init(&service.lock);
    service.portal.handle = request_handle;
    for (unsigned cpu = 0; cpu < info->cpu_count; cpu++) {
        cap_sel_t handler = handler_create(cpu, ROOT_HANDLER_STACK_BYTES);

        must(handler != SEL_NONE);
        if (cpu == 0)
            service.sel = portal_create(&service.portal, handler);
        else
            must(hc_pt_add_handler(service.sel, handler) == ST_OK);
        must(service.sel != SEL_NONE);
    }
}

cap_sel_t service_portal_mint(unsigned index)
{
    cap_sel_t sel = cap_alloc(1);

    must(sel != SEL_NONE);
    must(with_kernel_memory(hc_mint(service.sel, sel, PT_CALL, index + 1)) == ST_OK);
    return sel;
}
