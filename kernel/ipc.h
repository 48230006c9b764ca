/*
 * Messages between execution contexts.
 */
#pragma once

#include "ec.h"
#include "pt.h"

/* What a message carries besides the words in registers. */
struct message {
    enum message_kind kind;
    unsigned label, utcb_words, items;
    uint64_t badge;
    uint64_t word[6];
};

enum send_result {
    SENT,       /* the handler is current, or, if it was busy, is helped: from tries again later */
    NO_HANDLER, /* none on this CPU, or it is gone */
    DEADLOCK,   /* the handler waits for the caller */
};

enum send_result message_send(struct ec *from, struct pt *pt, const struct message *message)
    PACKED_STATUS;

void handle_call(struct ec *ec);
void handle_reply(struct ec *ec);
/* The callee of ec is gone without a reply. */
void call_abort(struct ec *ec);
