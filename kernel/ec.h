/*
 * Execution contexts.
 *
 * Everything in an EC belongs to its CPU (ec->cpu) and is touched there only,
 * except what is marked. Other CPUs send mail (mail.h).
 */
#pragma once

#include "object.h"
#include "pd.h"
#include "timer.h"

#include <abi/message.h>

enum ec_run_state {
    EC_RUNNABLE, /* executes, or would if its SC were scheduled */
    EC_IDLE,     /* local: waits for a call */
    EC_CALLING,  /* waits for callee's reply */
    EC_BLOCKED,  /* waits for a semaphore */
    EC_HALTED,   /* had an event that nobody handles */
    EC_DEAD,
};

enum ec_pending { /* rare things to do before it runs in user mode; atomic */
    PENDING_RECALL  = 1 << 0,
    PENDING_STARTUP = 1 << 1,
    PENDING_RETRY   = 1 << 2, /* send its message again */
};

struct sc;
struct sm;

struct ec {
    struct object object;
    struct regs   regs __attribute__((aligned(16)));
    struct pd    *pd;        /* referenced until it is dead */
    struct utcb  *utcb;      /* kernel address */
    struct ec    *caller;    /* local: whose call it handles */
    struct ec    *callee;    /* who handles its call */
    struct ec    *help;      /* handler that was busy when it called */
    uint64_t      fs_base, gs_base;
    uint64_t      badge;
    vaddr_t       handler_sp; /* local: stack pointer at each call */
    uint32_t      cpu;
    cap_sel_t     event_sel;
    uint8_t       state;      /* enum ec_run_state */
    uint8_t       message;    /* enum message_kind of the call it waits in */
    bool          foreign;
    bool          local;
    bool          to_event;   /* its message went to the event portal (can't be declined) */
    uint64_t      cr2;
    _Atomic uint32_t pending; /* enum ec_pending */
    struct list   blocked_scs; /* SCs that stopped because this EC is blocked */
    struct sc    *root_sc;    /* SC whose first EC it is */
    struct list   pd_link;    /* pd->ecs; under cap_lock */
    vaddr_t       utcb_va;
    /* waiting for a semaphore */
    struct sm    *sm;         /* under sm->lock while queued */
    struct list   sm_link;
    bool          sm_take_all;
    struct timer  timer;
    /* FPU */
    void         *fpu;        /* XSAVE area, a page, or NULL until first used */
};

struct ec_params {
    struct pd *pd;
    uint32_t   cpu;
    cap_sel_t  event_sel;
    vaddr_t    utcb, sp, ip;
    uint64_t   badge;
    bool       local, foreign;
};

enum status ec_create(const struct ec_params *params, struct ec **ec) PACKED_STATUS;
/* Last capability gone, or the PD ends: stop it wherever it is. Any CPU. */
void ec_end(struct ec *ec);
void ec_free(struct ec *ec);

/* Home CPU. */
void ec_kill(struct ec *ec);
void ec_unblock(struct ec *ec, enum status result);
void ec_halt(struct ec *ec, const char *why);
void ec_recall(struct ec *ec);

/* The EC that runs when an SC rooted at ec is scheduled, following calls and
 * help; *helped: the way went over help. */
struct ec *ec_chain_end(struct ec *ec, bool *helped);

enum status ec_get_state(struct ec *ec, struct ec_state *to) PACKED_STATUS;
enum status ec_set_state(struct ec *ec, const struct ec_state *from) PACKED_STATUS;
