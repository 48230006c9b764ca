/*
 * What a thread does not do by hypercall: foreign system calls, faults and
 * exceptions, recall, start-up. Each becomes a message to a portal of the
 * thread's PD: foreign calls by the PD's route table, page faults to its pager,
 * everything else, and what those decline, to the thread's event portal.
 */
#include "event.h"
#include "ipc.h"
#include "x86.h"

static void send(struct ec *ec, cap_sel_t slot, const struct message *message)
{
    enum status status;
    struct pt *pt = NULL;

    if (!ec->to_event) {
        pt = cap_lookup(&ec->pd->caps, slot, OBJ_PT, PT_CALL, NULL, &status);
        if (pt && message_send(ec, pt, message) == SENT)
            return;
        ec->to_event = true;
    }
    pt = cap_lookup(&ec->pd->caps, ec->event_sel, OBJ_PT, PT_CALL, NULL, &status);
    if (!pt || message_send(ec, pt, message) != SENT)
        ec_halt(ec, "nobody handles its event");
}

static void send_foreign(struct ec *ec)
{
    const struct regs *r = &ec->regs;
    uint32_t number = (uint32_t)r->rax;
    struct message message = {
        .kind = MSG_FOREIGN,
        .label = number < 0xffff ? number : 0xffff,
        .badge = ec->badge,
        .word = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 },
    };
    cap_sel_t slot = 0;

    if (ec->pd->route && number < ROUTE_COUNT)
        slot = ec->pd->route[number];
    if (!slot)
        ec->to_event = true;
    send(ec, slot, &message);
}

static void send_fault(struct ec *ec)
{
    struct message message = {
        .kind = MSG_FAULT,
        .badge = ec->badge,
        .word = { ec->cr2, ec->regs.error_code, ec->regs.rip, ec->regs.rsp },
    };

    if (!ec->pd->pager)
        ec->to_event = true;
    send(ec, ec->pd->pager, &message);
}

static void send_plain(struct ec *ec, enum message_kind kind)
{
    struct message message = {
        .kind = kind,
        .badge = ec->badge,
        .label = kind == MSG_EXCEPTION ? (unsigned)ec->regs.vector : 0,
        .word = { kind == MSG_EXCEPTION ? ec->regs.error_code : 0, 0, ec->regs.rip, ec->regs.rsp },
    };

    ec->to_event = true;
    send(ec, ec->event_sel, &message);
}

void event_foreign(struct ec *ec)
{
    ec->to_event = false;
    send_foreign(ec);
}

void event_fault(struct ec *ec, uint64_t address)
{
    ec->cr2 = address;
    ec->to_event = false;
    send_fault(ec);
}

void event_exception(struct ec *ec) { send_plain(ec, MSG_EXCEPTION); }
void event_recall(struct ec *ec)    { send_plain(ec, MSG_RECALL); }
void event_startup(struct ec *ec)   { send_plain(ec, MSG_STARTUP); }

void event_retry(struct ec *ec)
{
    switch ((enum message_kind)ec->message) {
    case MSG_CALL: handle_call(ec); break;
    case MSG_FOREIGN: send_foreign(ec); break;
    case MSG_FAULT: send_fault(ec); break;
    case MSG_EXCEPTION:
    case MSG_RECALL:
    case MSG_STARTUP: send_plain(ec, (enum message_kind)ec->message); break;
    }
}

void event_declined(struct ec *ec)
{
    if (ec->to_event) {
        ec_halt(ec, "its event portal declined");
        return;
    }
    ec->to_event = true;
    event_retry(ec);
}
