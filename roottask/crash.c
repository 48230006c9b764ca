/*
 * Crashes of programs (and of the roottask's own handlers): report them and end
 * the system.
 *
 * The message of an event tells rip and rsp, not which thread it was. The
 * program's capability space is searched for the thread that stands there.
 */
#include "format.h"
#include "root.h"
#include <string.h>

#define BACKTRACE_MAX 24u

#define VECTOR_NO_FPU   7
#define FPU_GRANT_PAGES 8u

extern const char portal_entry[];

static const char *const exception_names[] = {
    [0] = "division error",
    [1] = "debug exception",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range",
    [6] = "invalid opcode",
    [7] = "no FPU",
    [12] = "stack segment",
    [13] = "general protection",
    [14] = "page fault",
    [16] = "x87 floating point",
    [17] = "alignment check",
    [19] = "SIMD floating point",
};

struct crash_portal {
    struct portal portal;
    int index; /* of the program; -1: the roottask */
};

static struct crash_portal portals[MANIFEST_MAX_PROGRAMS + 1];
static cap_sel_t handlers[MAX_CPUS];
static unsigned handler_count;

static const char *crash_name(int index)
{
    return index < 0 ? "root" : program_get((unsigned)index)->row->name;
}

static cap_sel_t crash_pd(int index)
{
    return index < 0 ? own_pd : program_get((unsigned)index)->pd;
}

/* The thread among the PD's capabilities that has stopped at rip and rsp. */
static bool thread_find(cap_sel_t pd, uint64_t rip, uint64_t rsp, struct ec_state *state)
{
    cap_sel_t ec = cap_alloc(1);

    for (cap_sel_t sel = 1; sel < MAX_CAPS && ec != SEL_NONE; sel++) {
        if (hc_delegate(pd, sel, SEL_SELF, ec, 1, RIGHTS_ALL) != ST_OK)
            continue;
        if (hc_ec(ec, EC_OP_GET_STATE, 0) == ST_OK) {
            memcpy(state, utcb_self()->data, sizeof *state);
            if (state->rip == rip && state->rsp == rsp)
                return true;
        }
        hc_revoke(ec, 1, REVOKE_SELF);
    }
    return false;
}

static void registers_log(const char *name, const struct ec_state *s)
{
    typedef unsigned long long ull;

    log_line("%s: rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx", name, (ull)s->rax,
             (ull)s->rbx, (ull)s->rcx, (ull)s->rdx);
    log_line("%s: rsi %016llx  rdi %016llx  rbp %016llx  rsp %016llx", name, (ull)s->rsi,
             (ull)s->rdi, (ull)s->rbp, (ull)s->rsp);
    log_line("%s: r8  %016llx  r9  %016llx  r10 %016llx  r11 %016llx", name, (ull)s->r8, (ull)s->r9,
             (ull)s->r10, (ull)s->r11);
    log_line("%s: r12 %016llx  r13 %016llx  r14 %016llx  r15 %016llx", name, (ull)s->r12,
             (ull)s->r13, (ull)s->r14, (ull)s->r15);
    log_line("%s: rip %016llx  flags %08llx  fs %016llx  gs %016llx", name, (ull)s->rip,
             (ull)s->rflags, (ull)s->fs_base, (ull)s->gs_base);
}

/* Follows the chain of frame pointers in the program's memory. */
static void backtrace_log(const char *name, cap_sel_t pd, const struct ec_state *state)
{
    uint64_t frame[2], done, address = state->rbp;
    char line[32 + BACKTRACE_MAX * 20];
    size_t used;

    used = text_format(line, sizeof line, "@backtrace %s 0x%llx", name,
                       (unsigned long long)state->rip);
    for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
        if (address & 7 || hc_copy(pd, COPY_FROM, frame, address, sizeof frame, &done) != ST_OK)
            break;
        used +=
            text_format(line + used, sizeof line - used, " 0x%llx", (unsigned long long)frame[1]);
        if (frame[0] <= address) /* a stack grows down: else it is a loop or the end */
            break;
        address = frame[0];
    }
    log_write("", line, used);
}

static void event_log(const char *name, const struct portal_frame *frame)
{
    typedef unsigned long long ull;
    unsigned vector = ctl_label(frame->control);
    bool fault = portal_kind(frame) == MSG_FAULT;
    const char *what = NULL;

    if (!fault && vector < sizeof exception_names / sizeof exception_names[0])
        what = exception_names[vector];
    if (fault)
        log_line("%s has crashed: page fault at 0x%llx (error 0x%llx), rip 0x%llx, rsp 0x%llx",
                 name, (ull)frame->word[0], (ull)frame->word[1], (ull)frame->word[2],
                 (ull)frame->word[3]);
    else
        log_line("%s has crashed: event %u, vector %u (%s), error 0x%llx, rip 0x%llx, rsp 0x%llx",
                 name, portal_kind(frame), vector, what ? what : "unknown", (ull)frame->word[0],
                 (ull)frame->word[2], (ull)frame->word[3]);
}

/* A thread's first use of the FPU needs a page of the kernel's, paid by its program. */
static bool fpu_page_grant(int index, const struct portal_frame *frame)
{
    return index >= 0 && portal_kind(frame) == MSG_EXCEPTION &&
           ctl_label(frame->control) == VECTOR_NO_FPU &&
           program_kernel_memory(program_get((unsigned)index), FPU_GRANT_PAGES);
}

static void crash_handle(struct portal *portal, struct portal_frame *frame)
{
    int index = ((struct crash_portal *)portal)->index;
    struct portal_frame event = *frame;
    const char *name = crash_name(index);
    struct ec_state state;

    if (fpu_page_grant(index, frame)) {
        frame->control = portal_reply_control(0, 0, 0, 0);
        return;
    }
    log_crashing();
    event_log(name, &event);
    if (thread_find(crash_pd(index), event.word[2], event.word[3], &state)) {
        registers_log(name, &state);
        backtrace_log(name, crash_pd(index), &state);
    }
    system_fail();
}

static cap_sel_t portal_make(unsigned slot, int index, cap_sel_t sel)
{
    struct crash_portal *crash = &portals[slot];

    crash->portal.handle = crash_handle;
    crash->index = index;
    must(with_kernel_memory(hc_create_pt(sel, ROOT_SEL_PD, handlers[0], (vaddr_t)portal_entry,
                                         (uintptr_t)&crash->portal)) == ST_OK);
    for (unsigned cpu = 1; cpu < handler_count; cpu++)
        must(with_kernel_memory(hc_pt_add_handler(sel, handlers[cpu])) == ST_OK);
    return sel;
}

void crash_init(const struct kernel_info *info)
{
    for (unsigned cpu = 0; cpu < info->cpu_count; cpu++) {
        handlers[cpu] = handler_create(cpu, ROOT_HANDLER_STACK_BYTES);
        must(handlers[cpu] != SEL_NONE);
    }
    handler_count = info->cpu_count;
    portal_make(MANIFEST_MAX_PROGRAMS, -1, ROOT_SEL_EVENT);
}

cap_sel_t crash_portal_create(unsigned index)
{
    cap_sel_t sel = cap_alloc(1);

    must(sel != SEL_NONE);
    return portal_make(index, (int)index, sel);
}
