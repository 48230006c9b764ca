/*
 * Foreign threads, for the tests of several files.
 */
#include "foreign.h"

#include <string.h>

struct foreign foreign;

void foreign_new(handler_fn *event)
{
    vaddr_t code = (vaddr_t)__start_foreign_text;
    uint64_t pages = ((vaddr_t)__stop_foreign_text - code + PAGE_BYTES - 1) / PAGE_BYTES;
    cap_sel_t pt;

    memset(&foreign, 0, sizeof foreign);
    memset(foreign_data, 0, sizeof foreign_data);
    foreign.pd = pd_empty(PD_QUOTA);
    check_eq(hc_map(SEL_SELF, code, foreign.pd, code, pages, MEM_R | MEM_X, 0, NULL), ST_OK);
    check_eq(hc_map(SEL_SELF, (vaddr_t)foreign_data, foreign.pd, (vaddr_t)foreign_data, 1,
                    MEM_R | MEM_W, 0, NULL),
             ST_OK);
    foreign.event_ec = handler_new(ROOT_SEL_PD, 0);
    pt = portal_new(foreign.event_ec, event ? event : foreign_event);
    check_eq(hc_delegate(SEL_SELF, pt, foreign.pd, F_EVENT, 1, PT_CALL), ST_OK);
}

void foreign_start_on(const void *ip, unsigned cpu, unsigned priority)
{
    foreign.ec = sel_range(2);
    check_eq(hc_create_ec(foreign.ec, foreign.pd, EC_FOREIGN, cpu, F_EVENT, FOREIGN_UTCB,
                          (vaddr_t)(foreign_data + 480), (vaddr_t)ip, FOREIGN_BADGE),
             ST_OK);
    check_eq(hc_create_sc(foreign.ec + 1, ROOT_SEL_PD, foreign.ec, priority, QUANTUM), ST_OK);
}

void foreign_start(const void *ip) { foreign_start_on(ip, 0, 61); }

bool foreign_done(void) { return check(reaches(&foreign.done, 1)); }

bool foreign_note(struct msg *m)
{
    check_eq(m->badge, FOREIGN_BADGE);
    if (msg_kind(m) == MSG_FOREIGN && msg_label(m) == 60) {
        store(&foreign.done, 1);
        hc_sm_down(SEL_NEVER, 0);
        return true;
    }
    if (foreign.count < sizeof foreign.log / sizeof *foreign.log)
        foreign.log[foreign.count] = *m;
    store(&foreign.count, foreign.count + 1);
    return false;
}

void foreign_event(struct msg *m)
{
    if (!foreign_note(m))
        m->w[0] = msg_label(m) + 1;
}

struct ec_state *foreign_state(void)
{
    check_eq(hc_ec(foreign.ec, EC_OP_GET_STATE, 0), ST_OK);
    return (struct ec_state *)utcb_self()->data;
}

void foreign_continue_at(const void *ip)
{
    foreign_state()->rip = (uint64_t)ip;
    check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_OK);
}
