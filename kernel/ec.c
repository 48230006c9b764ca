/*
 * Execution contexts.
 */
#include "ec.h"
#include "event.h"
#include "ipc.h"
#include "kmem.h"
#include "mail.h"
#include "misc.h"
#include "schedule.h"
#include "sm.h"
#include "smp.h"
#include "x86.h"

_Static_assert(offsetof(struct ec, regs) == 48, "known to entry.S");

/* The UTCB: a page of the kernel, visible at va. */
static enum status utcb_map(struct ec *ec, vaddr_t va)
{
    struct pd *pd = ec->pd;
    enum status status = ST_OK;
    uint64_t *entry;
    bool big;

    if (!user_range_valid(va, 1))
        return ST_BAD_PARAM;
    ec->utcb = page_alloc_charged(pd->account);
    if (!ec->utcb)
        return ST_NO_MEMORY;
    spin_lock(&pd->space.lock);
    entry = space_walk(&pd->space, va, true, &big);
    if (!entry)
        status = ST_NO_MEMORY;
    else if (*entry & PTE_P)
        status = ST_EXISTS;
    else
        *entry = ptr_phys(ec->utcb) | pte_from_rights(MEM_R | MEM_W) | PTE_KERNEL_OWNED;
    spin_unlock(&pd->space.lock);
    if (status == ST_OK)
        ec->utcb_va = va;
    return status;
}

static void utcb_unmap(struct ec *ec)
{
    uint64_t *entry;
    bool big;

    spin_lock(&ec->pd->space.lock);
    entry = space_walk(&ec->pd->space, ec->utcb_va, false, &big);
    if (entry && !big && (*entry & PTE_ADDR) == ptr_phys(ec->utcb))
        *entry = 0;
    spin_unlock(&ec->pd->space.lock);
    tlb_shootdown(&ec->pd->space, ec->utcb_va, 1);
    ec->utcb_va = 0;
}

static void regs_init(struct ec *ec, const struct ec_params *params)
{
    ec->regs.rip = params->ip;
    ec->regs.rsp = params->sp;
    ec->regs.cs = SEL_USER_CODE;
    ec->regs.ss = SEL_USER_DATA;
    ec->regs.rflags = RFLAGS_RESERVED | RFLAGS_IF | (ec->pd->io_ports ? RFLAGS_IOPL3 : 0);
    ec->fs_base = params->foreign ? 0 : params->sp;
}

/* Enters it into its PD's list, unless that has ended. */
static enum status pd_join(struct ec *ec)
{
    enum status status = ST_BAD_CAP;

    spin_lock(&cap_lock);
    if (!ec->pd->object.ended) {
        list_insert(&ec->pd->ecs, &ec->pd_link);
        status = ST_OK;
    }
    spin_unlock(&cap_lock);
    return status;
}

enum status ec_create(const struct ec_params *params, struct ec **result)
{
    struct ec *ec = object_create(OBJ_EC, params->pd->account);
    enum status status;

    if (!ec)
        return ST_NO_MEMORY;
    if (!object_get_if_alive(&params->pd->object)) {
        ec->state = EC_DEAD;
        object_put(&ec->object);
        return ST_BAD_CAP;
    }
    ec->pd = params->pd;
    ec->cpu = params->cpu;
    ec->event_sel = params->event_sel;
    ec->badge = params->badge;
    ec->local = params->local;
    ec->foreign = params->foreign;
    ec->handler_sp = params->sp;
    ec->state = params->local ? EC_IDLE : EC_RUNNABLE;
    if (params->foreign && !params->ip)
        ec->pending = PENDING_STARTUP;
    list_init(&ec->blocked_scs);
    list_init(&ec->pd_link);
    list_init(&ec->sm_link);
    regs_init(ec, params);
    status = utcb_map(ec, params->utcb);
    if (status == ST_OK)
        status = pd_join(ec);
    if (status != ST_OK) {
        ec_kill(ec);
        object_put(&ec->object);
        return status;
    }
    *result = ec;
    return ST_OK;
}

void ec_end(struct ec *ec)
{
    spin_lock(&cap_lock);
    list_remove(&ec->pd_link);
    spin_unlock(&cap_lock);
    mail_send(&ec->object, ec->cpu, MAIL_KILL);
}

void ec_free(struct ec *ec)
{
    if (ec->utcb)
        page_free_charged(ec->object.account, ec->utcb);
    if (ec->fpu)
        page_free_charged(ec->object.account, ec->fpu);
}

/* ---- on the home CPU ------------------------------------------------------------- */

static void release_blocked(struct ec *ec)
{
    while (!list_empty(&ec->blocked_scs)) {
        struct sc *sc = container_of(ec->blocked_scs.next, struct sc, link);

        list_remove(&sc->link);
        sc_ready(sc);
    }
}

void ec_unblock(struct ec *ec, enum status result)
{
    if (ec->state != EC_BLOCKED)
        return;
    timer_cancel(&ec->timer);
    ec->state = EC_RUNNABLE;
    ec->regs.rax = result;
    release_blocked(ec);
}

void ec_halt(struct ec *ec, const char *why)
{
    if (ec->pd == root_pd)
        panic_regs(&ec->regs, "the root program has failed");
    print("kernel: a thread halts: %s (rip %lx, vector %lu, cr2 %lx)\n", why, ec->regs.rip,
          ec->regs.vector, ec->cr2);
    ec->state = EC_HALTED;
    if (cpu_self()->current == ec)
        schedule_block(ec);
}

/* Breaks the bonds to who called it and whom it called. */
static struct ec *calls_cut(struct ec *ec)
{
    struct ec *caller = ec->caller, *callee = ec->callee;

    ec->caller = ec->callee = NULL;
    if (ec->help) {
        object_put(&ec->help->object);
        ec->help = NULL;
    }
    if (callee)
        callee->caller = NULL;
    if (caller) {
        caller->callee = NULL;
        call_abort(caller);
    }
    return callee;
}

void ec_kill(struct ec *ec)
{
    struct cpu *cpu = cpu_self();
    struct ec *heir, *end;
    bool helped;

    if (ec->state == EC_DEAD)
        return;
    end = ec_chain_end(ec, &helped);
    sm_forget(ec);
    timer_cancel(&ec->timer);
    fpu_forget(ec);
    heir = calls_cut(ec);
    ec->state = EC_DEAD;
    if (ec->root_sc)
        sc_inherit(ec->root_sc, heir);
    release_blocked(ec);
    if (end != ec)
        release_blocked(end); /* some waited through ec; the others will block again */
    if (cpu->loaded == ec)
        cpu->loaded = NULL;
    if (cpu->current_sc)
        schedule_rewalk();
    if (ec->utcb_va)
        utcb_unmap(ec);
    object_put(&ec->pd->object);
}

void ec_recall(struct ec *ec)
{
    __atomic_fetch_or(&ec->pending, PENDING_RECALL, __ATOMIC_RELAXED);
}

void ec_mail(struct ec *ec, uint32_t mail)
{
    if (mail & MAIL_WAKE)
        ec_unblock(ec, ST_OK);
    if (mail & MAIL_ABORT)
        ec_unblock(ec, ST_ABORTED);
    if (mail & MAIL_RECALL)
        ec_recall(ec);
    if (mail & MAIL_KILL)
        ec_kill(ec);
}

/* ---- chains of calls ---------------------------------------------------------------- */

struct ec *ec_chain_end(struct ec *ec, bool *helped)
{
    *helped = false;
    for (;;) {
        struct ec *handler = ec->help;

        if (ec->callee) {
            ec = ec->callee;
        } else if (!handler) {
            return ec;
        } else if (handler->state == EC_IDLE || handler->state == EC_DEAD) {
            ec->help = NULL;
            object_put(&handler->object);
            return ec;
        } else {
            *helped = true;
            ec = handler;
        }
    }
}

/* ---- register state -------------------------------------------------------------------- */

/* Stopped: it waits for a handler (or has not begun), so that its registers stay. */
static enum status check_stopped(const struct ec *ec)
{
    if (ec->cpu != cpu_self()->id)
        return ST_BAD_CPU;
    if (ec->state != EC_CALLING && ec->state != EC_HALTED)
        return ST_BAD_STATE;
    return ST_OK;
}

enum status ec_get_state(struct ec *ec, struct ec_state *to)
{
    const struct regs *r = &ec->regs;
    enum status status = check_stopped(ec);

    if (status != ST_OK)
        return status;
    *to = (struct ec_state){
        .rax = r->rax, .rbx = r->rbx, .rcx = r->rcx, .rdx = r->rdx, .rsi = r->rsi,
        .rdi = r->rdi, .rbp = r->rbp, .r8 = r->r8, .r9 = r->r9, .r10 = r->r10,
        .r11 = r->r11, .r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
        .rip = r->rip, .rsp = r->rsp, .rflags = r->rflags,
        .fs_base = ec->fs_base, .gs_base = ec->gs_base,
        .cr2 = ec->cr2, .error_code = r->error_code,
        .vector = r->vector == VECTOR_SYSCALL ? 0 : r->vector,
    };
    return ST_OK;
}

enum status ec_set_state(struct ec *ec, const struct ec_state *from)
{
    struct regs *r = &ec->regs;
    enum status status = check_stopped(ec);

    if (status != ST_OK)
        return status;
    if (from->rip >= USER_END || from->fs_base >= USER_END || from->gs_base >= USER_END)
        return ST_BAD_PARAM;
    *r = (struct regs){
        .rax = from->rax, .rbx = from->rbx, .rcx = from->rcx, .rdx = from->rdx,
        .rsi = from->rsi, .rdi = from->rdi, .rbp = from->rbp, .r8 = from->r8,
        .r9 = from->r9, .r10 = from->r10, .r11 = from->r11, .r12 = from->r12,
        .r13 = from->r13, .r14 = from->r14, .r15 = from->r15,
        .rip = from->rip, .rsp = from->rsp,
        .rflags = (from->rflags & RFLAGS_USER) | RFLAGS_RESERVED | RFLAGS_IF |
                  (ec->pd->io_ports ? RFLAGS_IOPL3 : 0),
        .cs = SEL_USER_CODE, .ss = SEL_USER_DATA,
    };
    ec->fs_base = from->fs_base;
    ec->gs_base = from->gs_base;
    if (cpu_self()->loaded == ec)
        cpu_self()->loaded = NULL;
    return ST_OK;
}
