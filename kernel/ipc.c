/*
 * Messages between execution contexts: call and reply.
 *
 * A call goes to an EC of the same CPU and runs on the caller's SC: the run
 * queue and the timer are not touched. If the handler is busy, the caller's SC
 * helps it to get done, and then the call is made again.
 */
#include "ipc.h"
#include "event.h"
#include "misc.h"
#include "schedule.h"
#include "x86.h"

/* ---- words and capabilities ------------------------------------------------------ */

static void words_set(struct regs *to, const uint64_t word[6])
{
    to->rdi = word[0];
    to->rsi = word[1];
    to->rdx = word[2];
    to->r10 = word[3];
    to->r8 = word[4];
    to->r9 = word[5];
}

static void words_get(uint64_t word[6], const struct regs *from)
{
    word[0] = from->rdi;
    word[1] = from->rsi;
    word[2] = from->rdx;
    word[3] = from->r10;
    word[4] = from->r8;
    word[5] = from->r9;
}

/* Delegates the items of a message into the receiver's window. Returns how many
 * slots of the window they took; a slot stays empty where it did not work. */
static unsigned items_transfer(struct ec *from, struct ec *to, unsigned items)
{
    uint32_t first = to->utcb->receive_sel, room = to->utcb->receive_count;
    unsigned n;

    if (first >= MAX_CAPS)
        return 0;
    if (room > MAX_CAPS - first)
        room = MAX_CAPS - first;
    for (n = 0; n < items && n < UTCB_ITEMS && n < room; n++) {
        struct utcb_item item = from->utcb->items[n];

        if (cap_delegate(&from->pd->caps, item.sel, &to->pd->caps, first + n, item.rights, 0) !=
            ST_OK)
            continue;
    }
    return n;
}

/* UTCB words and items; returns the upper half of the receiver's rax. */
static uint64_t payload_transfer(struct ec *from, struct ec *to, unsigned words, unsigned items)
{
    if (words > UTCB_WORDS)
        words = UTCB_WORDS;
    if (words)
        memcpy(to->utcb->data, from->utcb->data, words * sizeof(uint64_t));
    if (items)
        items = items_transfer(from, to, items);
    return ctl_message(0, words, items);
}

/* ---- call -------------------------------------------------------------------------- */

/* The handler is busy: the caller's SC runs it, and the call is made again after. */
static enum send_result help(struct ec *from, struct ec *handler)
{
    bool helped;

    if (ec_chain_end(handler, &helped) == from)
        return DEADLOCK;
    object_get(&handler->object);
    from->help = handler;
    from->state = EC_RUNNABLE;
    __atomic_fetch_or(&from->pending, PENDING_RETRY, __ATOMIC_RELAXED);
    schedule_rewalk();
    return SENT;
}

enum send_result message_send(struct ec *from, struct pt *pt, const struct message *message)
{
    struct cpu *cpu = cpu_self();
    struct ec *handler = __atomic_load_n(&pt->handler[cpu->id], __ATOMIC_ACQUIRE);
    struct regs *regs;
    uint64_t payload = 0;

    from->message = message->kind;
    if (unlikely(!handler || handler->state == EC_DEAD))
        return NO_HANDLER;
    if (unlikely(handler->state != EC_IDLE))
        return help(from, handler);

    regs = &handler->regs;
    if (message->utcb_words | message->items)
        payload = payload_transfer(from, handler, message->utcb_words, message->items);
    words_set(regs, message->word);
    regs->rax = message->kind | (uint64_t)message->label << CTL_LABEL_SHIFT | payload;
    regs->r12 = pt->id;
    regs->r13 = message->badge;
    regs->rip = pt->ip;
    regs->rsp = handler->handler_sp;
    regs->rflags = RFLAGS_RESERVED | RFLAGS_IF | (handler->pd->io_ports ? RFLAGS_IOPL3 : 0);
    regs->vector = VECTOR_SYSCALL;

    from->callee = handler;
    from->state = EC_CALLING;
    handler->caller = from;
    handler->state = EC_RUNNABLE;
    cpu->current = handler;
    return SENT;
}

void handle_call(struct ec *ec)
{
    uint64_t ctl = ec->regs.rax;
    struct message message = {
        .kind = MSG_CALL,
        .label = ctl_label(ctl),
        .utcb_words = ctl_words(ctl),
        .items = ctl_items(ctl),
    };
    enum status status;
    struct pt *pt;

    pt = cap_lookup(&ec->pd->caps, ctl_sel(ctl), OBJ_PT, PT_CALL, &message.badge, &status);
    if (unlikely(!pt)) {
        ec->regs.rax = status;
        return;
    }
    words_get(message.word, &ec->regs);
    switch (message_send(ec, pt, &message)) {
    case SENT: break;
    case NO_HANDLER: ec->regs.rax = ST_ABORTED; break;
    case DEADLOCK: ec->regs.rax = ST_BAD_STATE; break;
    }
}

/* ---- reply -------------------------------------------------------------------------- */

/* The mapping that a reply carries. */
static bool reply_map(struct ec *handler, struct ec *caller)
{
    const struct regs *r = &handler->regs;

    return range_map(&handler->pd->space, r->rsi, &caller->pd->space, r->rdx, r->r10,
                     (unsigned)r->r8, 0).status == ST_OK;
}

static void reply_native(struct ec *handler, struct ec *caller, uint64_t ctl)
{
    uint64_t payload = 0, word[6];

    if (ctl_words(ctl) | ctl_items(ctl))
        payload = payload_transfer(handler, caller, ctl_words(ctl), ctl_items(ctl));
    words_get(word, &handler->regs);
    words_set(&caller->regs, word);
    caller->regs.rax = (ctl_flags(ctl) & REPLY_DECLINE ? ST_DECLINED : ST_OK) |
                       (uint64_t)ctl_label(ctl) << CTL_LABEL_SHIFT | payload;
}

/* The reply to a foreign call, a fault or an exception. */
static void reply_event(struct ec *handler, struct ec *caller, uint64_t ctl)
{
    unsigned flags = ctl_flags(ctl);

    if (flags & REPLY_MAP && !reply_map(handler, caller))
        flags |= REPLY_DECLINE; /* the event portal's handler will see why */
    if (flags & REPLY_DECLINE)
        event_declined(caller);
    else if (caller->message == MSG_FOREIGN && !(flags & REPLY_KEEP))
        caller->regs.rax = handler->regs.rdi;
}

void handle_reply(struct ec *ec)
{
    struct cpu *cpu = cpu_self();
    struct ec *caller = ec->caller;
    uint64_t ctl = ec->regs.rax;

    if (unlikely(!ec->local)) {
        ec->regs.rax = ST_BAD_STATE;
        return;
    }
    ec->caller = NULL;
    ec->state = EC_IDLE;
    if (unlikely(!caller)) { /* it has ended meanwhile */
        schedule_rewalk();
        return;
    }
    caller->callee = NULL;
    caller->state = EC_RUNNABLE;
    cpu->current = caller;
    if (caller->message == MSG_CALL)
        reply_native(ec, caller, ctl);
    else
        reply_event(ec, caller, ctl);
    if (unlikely(cpu->rewalk))
        schedule_rewalk();
}

void call_abort(struct ec *ec)
{
    ec->state = EC_RUNNABLE;
    if (ec->message == MSG_CALL)
        ec->regs.rax = ST_ABORTED;
    else if (ec->to_event)
        ec_halt(ec, "the handler of its event portal is gone");
    else {
        ec->to_event = true;
        __atomic_fetch_or(&ec->pending, PENDING_RETRY, __ATOMIC_RELAXED);
    }
}
