/*
 * Messages in registers and UTCB: the native transport of lib/server/ipc.h.
 */
#include <errno.h>
#include <lib/native/runtime.h>
#include <lib/server/ipc.h>
#include <string.h>

/* ---- capabilities ---------------------------------------------------------------------- */

void receive_window_renew(struct utcb *utcb)
{
    cap_sel_t sel = cap_alloc(UTCB_ITEMS);

    utcb->receive_sel = sel == SEL_NONE ? 0 : sel;
    utcb->receive_count = sel == SEL_NONE ? 0 : UTCB_ITEMS;
}

/* The first items of the window hold what has arrived: they go to the message,
 * the rest is freed and a new window made. */
static void items_receive(struct ipc_message *message, struct utcb *utcb, unsigned items)
{
    cap_sel_t first = utcb->receive_sel;
    unsigned  count = utcb->receive_count;

    must(items <= count);
    for (unsigned i = 0; i < items; i++) {
        message->cap[i] = first + i;
        message->cap_rights[i] = RIGHTS_ALL;
    }
    if (items < count)
        cap_free(first + items, count - items);
    receive_window_renew(utcb);
}

void message_items_send(const struct ipc_message *message)
{
    struct utcb *utcb = utcb_self();

    must(message->items <= UTCB_ITEMS);
    for (unsigned i = 0; i < message->items; i++)
        utcb->items[i] = (struct utcb_item){ message->cap[i], message->cap_rights[i] };
}

void message_received(struct ipc_message *message, uint64_t control)
{
    message->label = (uint16_t)ctl_label(control);
    message->extra_words = (uint16_t)ctl_words(control);
    message->items = (uint16_t)ctl_items(control);
    if (message->items)
        items_receive(message, utcb_self(), message->items);
}

/* ---- calling ------------------------------------------------------------------------------- */

void ipc_message_init(struct ipc_message *message, uint16_t label)
{
    message->label = label;
    message->extra_words = 0;
    message->items = 0;
    message->extra = utcb_self()->data;
}

int ipc_call(const struct server_ref *to, struct ipc_message *message)
{
    struct hc_words words;
    uint64_t        control = ctl_make(HC_CALL, 0, to->portal) |
                       ctl_message(message->label, message->extra_words, message->items);

    memcpy(words.w, message->word, sizeof words.w);
    if (message->items)
        message_items_send(message);
    control = hc_raw(control, &words);
    if ((control & 0xff) != ST_OK)
        return -EIO;
    memcpy(message->word, words.w, sizeof words.w);
    message_received(message, control);
    return 0;
}
