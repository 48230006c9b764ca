/*
 * Messages to servers, independent of what carries them: a portal under our
 * kernel, or a function call in a unit test on the host (lib/host).
 *
 * The stubs that tools/protogen.py makes from proto/ are built on this.
 */
#pragma once

#include <abi/message.h>

struct ipc_message {
    uint16_t label;
    uint16_t extra_words;            /* of extra[] that are in use */
    uint16_t items;                  /* of cap[] that are in use */
    uint64_t word[6];
    cap_sel_t cap[UTCB_ITEMS];       /* sent, or received */
    uint16_t  cap_rights[UTCB_ITEMS];
    uint64_t *extra;                 /* UTCB_WORDS of room; in the native transport the UTCB's */
};

/* A server to talk to: a portal, or a loop-back. */
struct server_ref {
    cap_sel_t portal;
    int (*loopback)(const struct server_ref *to, struct ipc_message *message); /* tests only */
    void     *context;
    uint64_t  badge;                 /* loop-back only: who calls */
};

/* Sets message->extra; call before filling a message. */
void ipc_message_init(struct ipc_message *message, uint16_t label);

/* Sends the message, replaces it with the reply. Returns 0, or -EIO when the
 * server is gone. Capabilities in the reply are received into fresh selectors. */
int ipc_call(const struct server_ref *to, struct ipc_message *message)
    __attribute__((warn_unused_result));

/* Deletes a capability of ours and frees its selector; SEL_NONE is allowed. */
void ipc_cap_drop(cap_sel_t sel);
