/*
 * Mail: what a CPU asks another to do with an object that belongs to the other.
 * An EC or SC is touched on its home CPU only; everybody else sends mail.
 */
#pragma once

#include "object.h"

enum mail {
    MAIL_WAKE   = 1 << 0, /* EC: its semaphore was signalled */
    MAIL_ABORT  = 1 << 1, /* EC: its semaphore is gone */
    MAIL_KILL   = 1 << 2, /* EC */
    MAIL_RECALL = 1 << 3, /* EC */
    MAIL_START  = 1 << 4, /* SC */
    MAIL_END    = 1 << 5, /* SC */
};

/* From any CPU; mail to the own CPU is handled at once. */
void mail_send(struct object *object, uint32_t cpu, uint32_t mail);
/* Works off the mailbox of this CPU. */
void mail_receive(void);

/* The receivers, on the home CPU. */
struct ec;
struct sc;
void ec_mail(struct ec *ec, uint32_t mail);
void sc_mail(struct sc *sc, uint32_t mail);
