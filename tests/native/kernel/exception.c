/*
 * Exceptions of foreign threads, their register state.
 */
#include "foreign.h"

#include <string.h>

static const char *resume; /* where the thread goes on after an exception */

static void note_and_resume(struct msg *m)
{
    if (!foreign_note(m) && resume)
        foreign_continue_at(resume);
}

/* Runs code that raises a vector at the address, and goes on at f_exit. */
static void raises(const void *ip, unsigned vector, uint64_t error, const void *at)
{
    const struct msg *m = &foreign.log[0];

    resume = f_exit;
    foreign_new(note_and_resume);
    foreign_start(ip);
    need(foreign_done());
    check_eq(foreign.count, 1);
    check_eq(m->rax, MSG_EXCEPTION | ctl_message(vector, 0, 0));
    check_eq(m->w[0], error);
    check_eq(m->w[2], (uint64_t)at);
    check_eq(m->w[3], (uint64_t)(foreign_data + 480));
}

static void test_ud(void)            { raises(f_ud, 6, 0, f_ud); }
static void test_de(void)            { raises(f_de, 0, 0, f_de_at); }
static void test_gp(void)            { raises(f_gp, 13, 0, f_gp); }
static void test_port(void)          { raises(f_port, 13, 0, f_port); }
static void test_non_canonical(void) { raises(f_non_canonical, 13, 0, f_non_canonical_at); }
static void test_int3(void)          { raises(f_int3, 3, 0, f_int3_after); }
static void test_mf(void)            { raises(f_mf, 16, 0, f_mf_at); }

/* The error code names the gate: index 8 times, of QEMU without KVM 16 times the vector. */
static void test_int80(void)
{
    resume = f_exit;
    foreign_new(note_and_resume);
    foreign_start(f_int80);
    need(foreign_done());
    check_eq(foreign.log[0].rax, MSG_EXCEPTION | ctl_message(13, 0, 0));
    check(foreign.log[0].w[0] == 0x402 || foreign.log[0].w[0] == 0x802);
    check_eq(foreign.log[0].w[2], (uint64_t)f_int80);
}

/* The trap flag: one exception after each instruction, until it is cleared. */
static void stop_stepping(struct msg *m)
{
    if (foreign_note(m))
        return;
    check(foreign_state()->rflags & 0x100);
    ((struct ec_state *)utcb_self()->data)->rflags &= ~0x100ull;
    check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_OK);
}

static void test_step(void)
{
    foreign_new(stop_stepping);
    foreign_start(f_step);
    need(foreign_done());
    check_eq(foreign.count, 1);
    check_eq(foreign.log[0].rax, MSG_EXCEPTION | ctl_message(1, 0, 0));
    check_eq(foreign.log[0].w[2], (uint64_t)f_step_after);
}

/* A handler that replies without more lets the instruction be tried again. */
static void test_again(void)
{
    resume = NULL;
    foreign_new(note_and_resume);
    foreign_start_on(f_ud, 0, MAIN_PRIORITY - 1);
    need(reaches(&foreign.count, 100));
    check_eq(hc_revoke(foreign.ec, 2, REVOKE_SELF), ST_OK);
    check_eq(foreign.log[31].rax, MSG_EXCEPTION | ctl_message(6, 0, 0));
}

/* ---- state -------------------------------------------------------------------------------- */

static struct ec_state got;

static void take_state(struct msg *m)
{
    if (msg_kind(m) == MSG_FOREIGN && msg_label(m) == 0x77)
        got = *foreign_state();
    foreign_event(m);
}

static void test_get_state(void)
{
    foreign_new(take_state);
    foreign_start(f_registers);
    need(foreign_done());
    check_eq(got.rax, 0x77);
    check_eq(got.rbx, 0x1001);
    check_eq(got.rdx, 0x1002);
    check_eq(got.rsi, 0x1003);
    check_eq(got.rdi, 0x1004);
    check_eq(got.rbp, 0x1005);
    check_eq(got.r8, 0x1006);
    check_eq(got.r9, 0x1007);
    check_eq(got.r10, 0x1008);
    check_eq(got.r12, 0x1009);
    check_eq(got.r13, 0x100a);
    check_eq(got.r14, 0x100b);
    check_eq(got.r15, 0x100c);
    check_eq(got.rip, (uint64_t)f_registers_after);
    check_eq(got.rsp, (uint64_t)(foreign_data + 480));
    check(got.rflags & 0x200);
    check_eq(got.vector, 0);
}

/* All registers set at once, rubbish in the flags; FS and GS bases point to data. */
static void set_all(struct msg *m)
{
    struct ec_state s = { 0 };
    uint64_t *word = (uint64_t *)&s;

    if (foreign_note(m))
        return;
    for (unsigned i = 0; i < 15; i++)
        word[i] = 0x0123456789abcd00 + i;
    s.rip = (uint64_t)f_set_state_target;
    s.rsp = 0xdeadbeef00;
    s.rflags = 0xffffffffffffffff & ~0x100ull & ~0x40000ull & ~0x4000ull;
    s.fs_base = (uint64_t)(foreign_data + 300);
    s.gs_base = (uint64_t)(foreign_data + 301);
    foreign_data[300] = 0xf5;
    foreign_data[301] = 0x65;
    memcpy(utcb_self()->data, &s, sizeof s);
    check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_OK);
    m->w[0] = 0x5555;
    if (msg_kind(m) == MSG_FOREIGN)
        m->reply = ctl_make(HC_REPLY, REPLY_KEEP, 0);
}

static void all_registers(const void *ip)
{
    /* Order of struct ec_state: rax rbx rcx rdx rsi rdi rbp r8 ... r15. */
    foreign_new(set_all);
    foreign_start(ip);
    need(foreign_done());
    for (unsigned i = 0; i < 15; i++)
        check_eq(foreign_data[i], 0x0123456789abcd00 + i);
    check_eq(foreign_data[15], 0xdeadbeef00);
    check_eq(foreign_data[16] & 0x3000, 0);     /* no I/O privilege */
    check_eq(foreign_data[16] & 0x202, 0x202);  /* interrupts on */
    check_eq(foreign_data[16] & 0x20000, 0);    /* no VM86 */
    check_eq(foreign_data[16] & 0xcd5, 0xcd5);  /* arithmetic flags and direction as set */
    check_eq(foreign_data[17], 0xf5);
    check_eq(foreign_data[18], 0x65);
}

static void test_set_state(void)          { all_registers(f_ud); }
static void test_set_state_in_call(void)  { all_registers(f_registers); }

static void set_bad(struct msg *m)
{
    static const struct ec_state bad[] = {
        { .rip = USER_END }, { .rip = 0xffff800000000000 }, { .rip = 1ull << 47 },
        { .fs_base = USER_END }, { .fs_base = 1ull << 63 }, { .gs_base = 0xffff800000000000 },
        { .gs_base = 0x800000000000 },
    };

    if (foreign_note(m))
        return;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(utcb_self()->data, &bad[i], sizeof bad[i]);
        check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_BAD_PARAM);
    }
    foreign_continue_at(f_exit);
}

static void test_set_state_bad(void)
{
    foreign_new(set_bad);
    foreign_start(f_ud);
    need(foreign_done());
}

/* A stack pointer that is no address: the thread faults with it, the kernel does not. */
static void set_stack(struct msg *m)
{
    struct ec_state *s;

    if (foreign_note(m))
        return;
    s = foreign_state();
    s->rip = (uint64_t)(foreign.count == 1 ? f_step : f_exit);
    s->rsp = foreign.count == 1 ? 0x8000000000000008 : 0x1000;
    check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_OK);
}

static void test_bad_stack(void)
{
    foreign_new(set_stack);
    foreign_start(f_ud);
    need(foreign_done());
    check_eq(foreign.count, 2);
    check_eq(msg_kind(&foreign.log[1]), MSG_EXCEPTION);
    check(msg_label(&foreign.log[1]) == 12 || msg_label(&foreign.log[1]) == 13); /* QEMU: #GP */
    check_eq(foreign.log[1].w[3], 0x8000000000000008);
}

/* System calls with odd flags and stack pointers: direction, single step. */
static void set_flags(struct msg *m)
{
    struct ec_state *s;

    if (foreign_note(m) || msg_kind(m) == MSG_FOREIGN)
        return;
    s = foreign_state();
    if (foreign.count > 1) { /* the single step after the call */
        check_eq(msg_label(m), 1);
        s->rip = (uint64_t)f_exit;
        s->rflags &= ~0x100ull;
    } else {
        s->rip = (uint64_t)f_exit;
        s->rax = 59;
        s->rip += 5; /* behind the load of 60: system call 59 */
        s->rsp = 0x8000000000000000;
        s->rflags |= 0x44500; /* AC, NT, DF, TF */
    }
    check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_OK);
}

static void test_odd_flags(void)
{
    foreign_new(set_flags);
    foreign_start(f_ud);
    need(foreign_done());
    check(foreign.count == 3);
    check_eq(msg_label(&foreign.log[1]), 59);
}

/* The bases of FS and GS are the thread's own through preemption and calls. */
static void set_bases(struct msg *m)
{
    struct ec_state *s;

    if (foreign_note(m))
        return;
    s = foreign_state();
    s->fs_base = (uint64_t)(foreign_data + 100);
    s->gs_base = (uint64_t)(foreign_data + 101);
    s->rip = (uint64_t)f_spin_segments;
    check_eq(hc_ec(foreign.ec, EC_OP_SET_STATE, 0), ST_OK);
}

static void bases_stay(const void *ip, uint64_t messages)
{
    foreign_new(set_bases);
    foreign_start_on(ip, 0, MAIN_PRIORITY - 1);
    for (unsigned i = 0; i < 20; i++)
        sleep_us(500);
    need(reaches(&foreign_data[101], 10));
    check(foreign_data[100] - foreign_data[101] <= 1);
    check_eq(foreign.count, messages);
}

static void test_bases(void) { bases_stay(f_ud, 1); }

static void test_own_bases(void)
{
    if (kernel_info()->cpu_features & CPU_FSGSBASE)
        bases_stay(f_own_segments, 0);
}

const struct test exception_tests[] = {
    { "ud", test_ud, 0 },
    { "de", test_de, 0 },
    { "gp", test_gp, 0 },
    { "port", test_port, 0 },
    { "non-canonical", test_non_canonical, 0 },
    { "int3", test_int3, 0 },
    { "int80", test_int80, 0 },
    { "mf", test_mf, 0 },
    { "step", test_step, 0 },
    { "again", test_again, 0 },
    { "get-state", test_get_state, 0 },
    { "set-state", test_set_state, 0 },
    { "set-state-in-call", test_set_state_in_call, 0 },
    { "set-state-bad", test_set_state_bad, 0 },
    { "bad-stack", test_bad_stack, 0 },
    { "odd-flags", test_odd_flags, 0 },
    { "bases", test_bases, 0 },
    { "own-bases", test_own_bases, 0 },
    { NULL, NULL, 0 },
};
