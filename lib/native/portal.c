/*
 * Portals: creating them, and answering what comes through them.
 */
#include <lib/native/runtime.h>
#include <lib/server/ipc.h>
#include <string.h>

extern const char portal_entry[];
void portal_dispatch(struct portal *portal, struct portal_frame *frame);

cap_sel_t portal_create(struct portal *portal, cap_sel_t handler)
{
    cap_sel_t sel = cap_alloc(1);

    if (sel == SEL_NONE)
        return SEL_NONE;
    if (with_kernel_memory(hc_create_pt(sel, own_pd, handler, (vaddr_t)portal_entry,
                                        (uintptr_t)portal)) == ST_OK)
        return sel;
    cap_free(sel, 1);
    return SEL_NONE;
}

void portal_receive(const struct portal_frame *frame, struct ipc_message *message)
{
    memcpy(message->word, frame->word, sizeof message->word);
    message->extra = utcb_self()->data;
    message_received(message, frame->control);
}

void portal_reply(struct portal_frame *frame, struct ipc_message *message, unsigned flags)
{
    if (message->items)
        message_items_send(message);
    memcpy(frame->word, message->word, sizeof frame->word);
    frame->control =
        portal_reply_control(flags, message->label, message->extra_words, message->items);
}

void portal_dispatch(struct portal *portal, struct portal_frame *frame)
{
    portal->handle(portal, frame);
    stack_check();
}
