/*
 * A server as a native program: its portal, with a handler on each CPU.
 */
#include <gen/root_client.h>
#include <lib/native/runtime.h>
#include <lib/server/server.h>

#define HANDLER_STACK_BYTES (64 * 1024)

struct server_portal {
    struct portal  portal; /* first: the portal's identity is its address */
    struct server *server;
    struct lock    lock;   /* serialises requests */
};

static void handle(struct portal *portal, struct portal_frame *frame)
{
    struct server_portal *self = (struct server_portal *)portal;
    struct ipc_message    message;
    unsigned              kind = portal_kind(frame), flags;

    portal_receive(frame, &message);
    lock_acquire(&self->lock);
    flags = server_handle(self->server, kind, frame->badge, &message);
    lock_release(&self->lock);
    portal_reply(frame, &message, flags);
}

static cap_sel_t handler_on(unsigned cpu)
{
    cap_sel_t ec = handler_create(cpu, HANDLER_STACK_BYTES);

    if (ec == SEL_NONE)
        panic("no memory for the handler on CPU %u", cpu);
    return ec;
}

_Noreturn void server_run(struct server *server)
{
    static struct server_portal served;
    struct server_ref           root = { .portal = portal_find("root") };
    cap_sel_t                   portal;

    served.portal.handle = handle;
    served.server = server;
    lock_init(&served.lock);
    portal = portal_create(&served.portal, handler_on(0));
    if (portal == SEL_NONE)
        panic("no memory for the portal");
    for (unsigned cpu = 1; cpu < startup_info()->cpu_count; cpu++)
        if (with_kernel_memory(hc_pt_add_handler(portal, handler_on(cpu))) != ST_OK)
            panic("no handler on CPU %u", cpu);
    if (root_publish(&root, portal) < 0)
        panic("can not publish %s", server->name);
    sleep_for_ever();
}
