/*
 * Hypercalls. Every handler has one shape: take the arguments, look up the
 * capabilities, check everything, act, answer a status.
 */
#include "cpu.h"
#include "ipc.h"
#include "kmem.h"
#include "mail.h"
#include "misc.h"
#include "pt.h"
#include "schedule.h"
#include "sm.h"
#include "x86.h"

/* The arguments, unpacked in one place. */
struct args {
    unsigned  flags;
    cap_sel_t sel;
    uint64_t  word[6];
};

static struct args args_unpack(const struct regs *r)
{
    return (struct args){
        .flags = ctl_flags(r->rax),
        .sel = ctl_sel(r->rax),
        .word = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 },
    };
}

bool user_range_valid(vaddr_t va, uint64_t pages)
{
    return va % PAGE_BYTES == 0 && va < USER_END && pages <= (USER_END - va) / PAGE_BYTES;
}

/* The object that an argument names. */
static void *object_argument(struct ec *ec, uint64_t sel, enum object_type type, unsigned rights,
                             enum status *status)
{
    return cap_lookup(&ec->pd->caps, sel < MAX_CAPS ? (cap_sel_t)sel : SEL_NONE, type, rights, NULL,
                      status);
}

/* Likewise a PD; SEL_SELF needs no capability and no right. */
static struct pd *pd_argument(struct ec *ec, uint64_t sel, unsigned rights, enum status *status)
{
    return sel == SEL_SELF ? ec->pd : object_argument(ec, sel, OBJ_PD, rights, status);
}

/* The same where even the own PD must be named by a capability. */
static struct pd *pd_capability(struct ec *ec, uint64_t sel, unsigned rights, enum status *status)
{
    return object_argument(ec, sel, OBJ_PD, rights, status);
}

static enum status require_root(struct ec *ec)
{
    enum status status;

    return cap_lookup(&ec->pd->caps, ROOT_SEL_PD, OBJ_PD, PD_ROOT, NULL, &status) ? ST_OK
                                                                                 : ST_BAD_RIGHTS;
}

/* Names a new object; without a name it goes again. */
static enum status publish(struct ec *ec, cap_sel_t sel, struct object *object, unsigned rights)
{
    enum status status = cap_insert(&ec->pd->caps, sel, object, rights);

    if (status != ST_OK) {
        spin_lock(&cap_lock);
        object_orphan(object);
        spin_unlock(&cap_lock);
    }
    return status;
}

/* ---- creation ------------------------------------------------------------------------ */

static enum status handle_create_pd(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *parent, *pd;

    parent = pd_capability(ec, a->word[0], PD_CREATE_PD, &status);
    if (!parent)
        return status;
    if (a->word[1] > UINT32_MAX || a->flags & ~PD_IO_PORTS)
        return ST_BAD_PARAM;
    if (a->flags & PD_IO_PORTS && require_root(ec) != ST_OK)
        return ST_BAD_RIGHTS;
    status = pd_create(parent->account, a->word[1] * PAGE_BYTES, a->flags & PD_IO_PORTS, &pd);
    if (status != ST_OK)
        return status;
    return publish(ec, a->sel, &pd->object, PD_ALL & ~PD_ROOT);
}

static enum status handle_create_ec(struct ec *ec, const struct args *a)
{
    struct ec_params params = {
        .cpu = (uint32_t)a->word[1],
        .event_sel = (cap_sel_t)(a->word[1] >> 32),
        .utcb = a->word[2],
        .sp = a->word[3],
        .ip = a->word[4],
        .badge = a->word[5],
        .local = a->flags & EC_LOCAL,
        .foreign = a->flags & EC_FOREIGN,
    };
    enum status status;
    struct ec *created;

    params.pd = pd_capability(ec, a->word[0], PD_CREATE_EC, &status);
    if (!params.pd)
        return status;
    if (params.cpu >= cpu_count)
        return ST_BAD_CPU;
    if (a->flags & ~(EC_LOCAL | EC_FOREIGN) || (params.local && params.foreign) ||
        params.ip >= USER_END || params.sp >= USER_END || params.event_sel >= MAX_CAPS)
        return ST_BAD_PARAM;
    status = ec_create(&params, &created);
    if (status != ST_OK)
        return status;
    return publish(ec, a->sel, &created->object, EC_ALL);
}

static enum status handle_create_sc(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_capability(ec, a->word[0], PD_CREATE_SC, &status);
    struct ec *target;
    struct sc *sc;

    if (!pd)
        return status;
    target = object_argument(ec, a->word[1], OBJ_EC, EC_CREATE_SC, &status);
    if (!target)
        return status;
    if (a->word[2] >= PRIORITY_COUNT)
        return ST_BAD_PARAM;
    status = sc_create(pd->account, target, (unsigned)a->word[2], a->word[3], &sc);
    if (status == ST_OK)
        status = publish(ec, a->sel, &sc->object, SC_ALL);
    if (status == ST_OK)
        mail_send(&sc->object, sc->cpu, MAIL_START);
    return status;
}

static enum status handle_create_pt(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_capability(ec, a->word[0], PD_CREATE_PT, &status);
    struct ec *handler;
    struct pt *pt;

    if (!pd)
        return status;
    handler = object_argument(ec, a->word[1], OBJ_EC, EC_CREATE_PT, &status);
    if (!handler)
        return status;
    if (a->word[2] >= USER_END)
        return ST_BAD_PARAM;
    status = pt_create(pd->account, handler, a->word[2], a->word[3], &pt);
    if (status != ST_OK)
        return status;
    return publish(ec, a->sel, &pt->object, PT_ALL);
}

static enum status handle_create_sm(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_capability(ec, a->word[0], PD_CREATE_SM, &status);
    struct sm *sm;

    if (!pd)
        return status;
    status = sm_create(pd->account, a->word[1], &sm);
    if (status != ST_OK)
        return status;
    return publish(ec, a->sel, &sm->object, SM_ALL);
}

/* ---- capabilities ------------------------------------------------------------------------ */

static enum status mint(struct ec *ec, const struct args *a)
{
    enum status status;

    if (!a->word[1] || a->word[0] != SEL_SELF || a->word[2] != SEL_SELF || a->word[3] >= MAX_CAPS)
        return ST_BAD_PARAM;
    if (!cap_lookup(&ec->pd->caps, a->sel, OBJ_PT, 0, NULL, &status))
        return status;
    return cap_delegate(&ec->pd->caps, a->sel, &ec->pd->caps, (cap_sel_t)a->word[3],
                        (unsigned)a->word[5], a->word[1]);
}

static enum status handle_delegate(struct ec *ec, const struct args *a)
{
    cap_sel_t from = (cap_sel_t)a->word[1], to = (cap_sel_t)a->word[3];
    enum status status;
    struct pd *src, *dst;

    if (a->flags & ~DELEGATE_BADGE)
        return ST_BAD_PARAM;
    if (a->flags & DELEGATE_BADGE)
        return mint(ec, a);
    src = pd_argument(ec, a->word[0], PD_CAPS, &status);
    if (!src)
        return status;
    dst = pd_argument(ec, a->word[2], PD_CAPS, &status);
    if (!dst)
        return status;
    if (a->word[1] >= MAX_CAPS || a->word[3] >= MAX_CAPS || a->word[4] > MAX_CAPS)
        return ST_BAD_PARAM;
    for (uint64_t n = a->word[4]; n; n--, from++, to++) {
        status = cap_delegate(&src->caps, from, &dst->caps, to, (unsigned)a->word[5], 0);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status handle_revoke(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_argument(ec, a->word[1], PD_CAPS, &status);

    if (!pd)
        return status;
    if (a->word[0] > MAX_CAPS - a->sel || a->flags & ~REVOKE_SELF)
        return ST_BAD_PARAM;
    for (uint64_t n = 0; n < a->word[0]; n++)
        cap_revoke(&pd->caps, a->sel + (cap_sel_t)n, a->flags & REVOKE_SELF);
    return ST_OK;
}

/* ---- semaphores, threads -------------------------------------------------------------------- */

static enum status handle_sm(struct ec *ec, const struct args *a)
{
    unsigned right = a->flags == SM_OP_UP ? SM_UP : SM_DOWN;
    enum status status;
    struct sm *sm = cap_lookup(&ec->pd->caps, a->sel, OBJ_SM, right, NULL, &status);

    if (!sm)
        return status;
    switch (a->flags) {
    case SM_OP_UP:
        sm_up(sm);
        return ST_OK;
    case SM_OP_DOWN:
    case SM_OP_ZERO:
        ec->regs.rax = ST_OK; /* before it may block */
        sm_down(sm, ec, a->flags == SM_OP_ZERO, a->word[0]);
        return ST_OK;
    default:
        return ST_BAD_CALL;
    }
}

static enum status fpu_get(struct ec *ec, struct ec *target, uint64_t *bytes)
{
    if (target->cpu != cpu_self()->id)
        return ST_BAD_CPU;
    *bytes = 0;
    if (!target->fpu)
        return ST_OK;
    if (fpu_state_bytes() > UTCB_DATA_BYTES)
        return ST_BAD_PARAM;
    fpu_flush(target);
    *bytes = fpu_state_bytes();
    memcpy(ec->utcb->data, target->fpu, *bytes);
    return ST_OK;
}

static enum status fpu_set(struct ec *ec, struct ec *target)
{
    if (target->cpu != cpu_self()->id)
        return ST_BAD_CPU;
    if (fpu_state_bytes() > UTCB_DATA_BYTES || !fpu_state_valid(ec->utcb->data, fpu_state_bytes()))
        return ST_BAD_PARAM;
    if (!fpu_area(target))
        return ST_NO_MEMORY;
    fpu_flush(target);
    memcpy(target->fpu, ec->utcb->data, fpu_state_bytes());
    return ST_OK;
}

static enum status handle_ec(struct ec *ec, const struct args *a)
{
    enum status status;
    struct ec *target = cap_lookup(&ec->pd->caps, a->sel, OBJ_EC, EC_CTRL, NULL, &status);

    if (!target)
        return status;
    switch (a->flags) {
    case EC_OP_RECALL: mail_send(&target->object, target->cpu, MAIL_RECALL); return ST_OK;
    case EC_OP_GET_STATE: return ec_get_state(target, (struct ec_state *)ec->utcb->data);
    case EC_OP_SET_STATE: return ec_set_state(target, (struct ec_state *)ec->utcb->data);
    case EC_OP_GET_FPU: return fpu_get(ec, target, &ec->regs.rdi);
    case EC_OP_SET_FPU: return fpu_set(ec, target);
    case EC_OP_SET_BADGE: target->badge = a->word[0]; return ST_OK;
    default: return ST_BAD_CALL;
    }
}

static enum status handle_sc(struct ec *ec, const struct args *a)
{
    enum status status;
    struct sc *sc = cap_lookup(&ec->pd->caps, a->sel, OBJ_SC, SC_CTRL, NULL, &status);

    if (!sc)
        return status;
    if (a->flags != SC_OP_TIME)
        return ST_BAD_CALL;
    ec->regs.rdi = sc_time(sc);
    return ST_OK;
}

static enum status handle_pt(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pt *pt = cap_lookup(&ec->pd->caps, a->sel, OBJ_PT, PT_CTRL, NULL, &status);
    struct ec *handler;

    if (!pt)
        return status;
    if (a->flags != PT_OP_ADD_HANDLER)
        return ST_BAD_CALL;
    handler = object_argument(ec, a->word[0], OBJ_EC, EC_CREATE_PT, &status);
    return handler ? pt_add_handler(pt, handler) : status;
}

static enum status handle_pd(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_capability(ec, a->sel, PD_CTRL, &status);

    if (!pd)
        return status;
    switch (a->flags) {
    case PD_OP_SET_ROUTE:
        return pd_set_route(pd, a->word[0], a->word[1], a->word[2]);
    case PD_OP_SET_PAGER:
        if (a->word[0] >= MAX_CAPS)
            return ST_BAD_PARAM;
        pd->pager = (cap_sel_t)a->word[0];
        return ST_OK;
    case PD_OP_QUOTA:
        ec->regs.rdi = pd->account->used / PAGE_BYTES;
        ec->regs.rsi = pd->account->limit / PAGE_BYTES;
        return ST_OK;
    case PD_OP_ADD_QUOTA:
        if (a->word[0] > UINT32_MAX)
            return ST_BAD_PARAM;
        account_raise(pd->account, a->word[0] * PAGE_BYTES);
        return ST_OK;
    default:
        return ST_BAD_CALL;
    }
}

/* ---- memory --------------------------------------------------------------------------------- */

static enum status handle_map(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *src, *dst;
    struct range_result result;

    /* Whoever takes rights from the source must hold it, even if it is its own. */
    if (a->flags & MAP_COW)
        src = pd_capability(ec, a->word[0], PD_MAP, &status);
    else
        src = pd_argument(ec, a->word[0], PD_MAP, &status);
    if (!src)
        return status;
    dst = pd_capability(ec, a->word[2], PD_MAP, &status);
    if (!dst)
        return status;
    if (!user_range_valid(a->word[1], a->word[4]) || !user_range_valid(a->word[3], a->word[4]) ||
        !(a->word[5] & MEM_R) || a->flags & ~(MAP_SPARSE | MAP_COW))
        return ST_BAD_PARAM;
    result = range_map(&src->space, a->word[1], &dst->space, a->word[3], a->word[4],
                       (unsigned)a->word[5], a->flags);
    ec->regs.rdi = result.done;
    return result.status;
}

static enum status handle_protect(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_capability(ec, a->word[0], PD_MAP, &status);

    if (!pd)
        return status;
    if (!user_range_valid(a->word[1], a->word[2]))
        return ST_BAD_PARAM;
    return range_protect(&pd->space, a->word[1], a->word[2], (unsigned)a->word[3]);
}

static enum status handle_map_phys(struct ec *ec, const struct args *a)
{
    enum status status = require_root(ec);
    struct pd *dst;

    if (status != ST_OK)
        return status;
    dst = pd_capability(ec, a->word[0], PD_MAP, &status);
    if (!dst)
        return status;
    if (a->word[1] % PAGE_BYTES || !user_range_valid(a->word[2], a->word[3]) ||
        !(a->word[4] & MEM_R) || !phys_is_mappable(a->word[1], a->word[3] * PAGE_BYTES))
        return ST_BAD_PARAM;
    return range_map_phys(&dst->space, a->word[1], a->word[2], a->word[3], (unsigned)a->word[4]);
}

static enum status handle_copy(struct ec *ec, const struct args *a)
{
    enum status status;
    struct pd *pd = pd_capability(ec, a->sel, PD_COPY, &status);
    struct range_result result;

    if (!pd)
        return status;
    if (a->flags > COPY_STRING)
        return ST_BAD_CALL;
    result = copy_between(&ec->pd->space, a->word[0], &pd->space, a->word[1], a->word[2], a->flags);
    ec->regs.rdi = result.done;
    return result.status;
}

/* ---- root ----------------------------------------------------------------------------------- */

static enum status handle_irq(struct ec *ec, const struct args *a)
{
    enum status status = require_root(ec);
    struct sm *sm;

    if (status != ST_OK)
        return status;
    if (a->word[0] >= IRQ_COUNT)
        return ST_BAD_PARAM;
    if (a->flags == IRQ_OP_UNMASK)
        return irq_unmask((unsigned)a->word[0]);
    if (a->flags != IRQ_OP_BIND)
        return ST_BAD_CALL;
    sm = cap_lookup(&ec->pd->caps, a->sel, OBJ_SM, SM_UP, NULL, &status);
    return sm ? irq_bind((unsigned)a->word[0], sm, (unsigned)a->word[1]) : status;
}

static enum status handle_kmem(struct ec *ec, const struct args *a)
{
    enum status status = require_root(ec);

    if (status != ST_OK)
        return status;
    switch (a->flags) {
    case KMEM_OP_STAT: {
        struct kmem_counts counts = kmem_counts();
        struct kmem_stat *stat = (struct kmem_stat *)ec->utcb->data;

        *stat = (struct kmem_stat){ .pages_total = counts.total, .pages_free = counts.free };
        for (unsigned type = OBJ_PD; type < OBJ_TYPES; type++)
            stat->objects[type - OBJ_PD] = object_count[type];
        return ST_OK;
    }
    case KMEM_OP_DONATE:
        if (a->word[0] % PAGE_BYTES || a->word[1] > UINT32_MAX ||
            !phys_is_given(a->word[0], a->word[1] * PAGE_BYTES))
            return ST_BAD_PARAM;
        kmem_add(a->word[0], a->word[1]);
        return ST_OK;
    default:
        return ST_BAD_CALL;
    }
}

static enum status handle_yield(struct ec *ec, const struct args *a)
{
    (void)ec;
    (void)a;
    schedule_yield();
    return ST_OK;
}

/* ---- dispatch --------------------------------------------------------------------------------- */

typedef enum status handler_fn(struct ec *ec, const struct args *a);

static handler_fn *const handlers[HC_COUNT] = {
    [HC_CREATE_PD] = handle_create_pd, [HC_CREATE_EC] = handle_create_ec,
    [HC_CREATE_SC] = handle_create_sc, [HC_CREATE_PT] = handle_create_pt,
    [HC_CREATE_SM] = handle_create_sm, [HC_DELEGATE] = handle_delegate,
    [HC_REVOKE] = handle_revoke,       [HC_SM] = handle_sm,
    [HC_MAP] = handle_map,             [HC_PROTECT] = handle_protect,
    [HC_MAP_PHYS] = handle_map_phys,   [HC_COPY] = handle_copy,
    [HC_EC] = handle_ec,               [HC_SC] = handle_sc,
    [HC_PT] = handle_pt,               [HC_PD] = handle_pd,
    [HC_IRQ] = handle_irq,             [HC_KMEM] = handle_kmem,
    [HC_YIELD] = handle_yield,
};

void hypercall(struct ec *ec)
{
    unsigned number = ctl_number(ec->regs.rax);
    struct args args;
    enum status status;

    if (number == HC_CALL) {
        handle_call(ec);
        return;
    }
    if (number == HC_REPLY) {
        handle_reply(ec);
        return;
    }
    if (number >= HC_COUNT || !handlers[number]) {
        ec->regs.rax = ST_BAD_CALL;
        return;
    }
    args = args_unpack(&ec->regs);
    status = handlers[number](ec, &args);
    if (ec->state != EC_BLOCKED)
        ec->regs.rax = status;
    object_reap();
}
