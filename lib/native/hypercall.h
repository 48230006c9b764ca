/*
 * Stubs of the hypercalls. Register layout: abi/hypercall.h; semantics, units
 * and errors: docs/kernel-abi.md.
 */
#pragma once

#include <abi/hypercall.h>
#include <abi/message.h>
#include <abi/status.h>

/* The words of a message that travel in registers. */
struct hc_words {
    uint64_t w[6];
};

/* Enters the kernel; words are in and out. Returns rax. */
static inline uint64_t hc_raw(uint64_t ctl, struct hc_words *words)
{
    register uint64_t w3 __asm__("r10") = words->w[3];
    register uint64_t w4 __asm__("r8") = words->w[4];
    register uint64_t w5 __asm__("r9") = words->w[5];

    __asm__ volatile("syscall"
                     : "+a"(ctl), "+D"(words->w[0]), "+S"(words->w[1]), "+d"(words->w[2]),
                       "+r"(w3), "+r"(w4), "+r"(w5)
                     :
                     : "rcx", "r11", "memory");
    words->w[3] = w3;
    words->w[4] = w4;
    words->w[5] = w5;
    return ctl;
}

/* The same for calls whose result words do not matter. */
static inline enum status hc_simple(uint64_t ctl, uint64_t w0, uint64_t w1, uint64_t w2,
                                    uint64_t w3, uint64_t w4, uint64_t w5)
{
    struct hc_words words = { { w0, w1, w2, w3, w4, w5 } };

    return (enum status)(hc_raw(ctl, &words) & 0xff);
}

__attribute__((warn_unused_result)) static inline enum status
hc_create_pd(cap_sel_t sel, cap_sel_t parent, uint64_t quota_pages, unsigned flags)
{
    return hc_simple(ctl_make(HC_CREATE_PD, flags, sel), parent, quota_pages, 0, 0, 0, 0);
}

/* ip 0: a foreign EC begins with MSG_STARTUP. event_sel: slot, in pd, of its event portal. */
__attribute__((warn_unused_result)) static inline enum status
hc_create_ec(cap_sel_t sel, cap_sel_t pd, unsigned flags, unsigned cpu, cap_sel_t event_sel,
             vaddr_t utcb, vaddr_t sp, vaddr_t ip, uint64_t badge)
{
    return hc_simple(ctl_make(HC_CREATE_EC, flags, sel), pd, (uint64_t)event_sel << 32 | cpu, utcb,
                     sp, ip, badge);
}

/* priority: 0 (lowest) to 63; quantum in TSC ticks. */
__attribute__((warn_unused_result)) static inline enum status
hc_create_sc(cap_sel_t sel, cap_sel_t pd, cap_sel_t ec, unsigned priority, uint64_t quantum_ticks)
{
    return hc_simple(ctl_make(HC_CREATE_SC, 0, sel), pd, ec, priority, quantum_ticks, 0, 0);
}

/* ec must be local; it answers calls made on its CPU (see hc_pt_add_handler). */
__attribute__((warn_unused_result)) static inline enum status
hc_create_pt(cap_sel_t sel, cap_sel_t pd, cap_sel_t ec, vaddr_t ip, uint64_t id)
{
    return hc_simple(ctl_make(HC_CREATE_PT, 0, sel), pd, ec, ip, id, 0, 0);
}

__attribute__((warn_unused_result)) static inline enum status
hc_create_sm(cap_sel_t sel, cap_sel_t pd, uint64_t count)
{
    return hc_simple(ctl_make(HC_CREATE_SM, 0, sel), pd, count, 0, 0, 0, 0);
}

/* Copies count capabilities from src_pd:src to dst_pd:dst with rights & mask. */
__attribute__((warn_unused_result)) static inline enum status
hc_delegate(cap_sel_t src_pd, cap_sel_t src, cap_sel_t dst_pd, cap_sel_t dst, unsigned count,
            unsigned rights)
{
    return hc_simple(ctl_make(HC_DELEGATE, 0, 0), src_pd, src, dst_pd, dst, count, rights);
}

/* Copies one portal capability within the caller's space and gives the copy a
 * badge. ST_BAD_RIGHTS: the source already has one. */
__attribute__((warn_unused_result)) static inline enum status
hc_mint(cap_sel_t src, cap_sel_t dst, unsigned rights, uint64_t badge)
{
    return hc_simple(ctl_make(HC_DELEGATE, DELEGATE_BADGE, src), SEL_SELF, badge, SEL_SELF, dst, 1,
                     rights);
}

static inline enum status hc_revoke(cap_sel_t sel, unsigned count, unsigned flags)
{
    return hc_simple(ctl_make(HC_REVOKE, flags, sel), count, SEL_SELF, 0, 0, 0, 0);
}

/* The same in the space of another PD. */
static inline enum status hc_revoke_in(cap_sel_t pd, cap_sel_t sel, unsigned count, unsigned flags)
{
    return hc_simple(ctl_make(HC_REVOKE, flags, sel), count, pd, 0, 0, 0, 0);
}

static inline enum status hc_sm_up(cap_sel_t sel)
{
    return hc_simple(ctl_make(HC_SM, SM_OP_UP, sel), 0, 0, 0, 0, 0, 0);
}

/* deadline: absolute, in TSC ticks; 0: none. ST_TIMEOUT when it has passed. */
static inline enum status hc_sm_down(cap_sel_t sel, uint64_t deadline)
{
    return hc_simple(ctl_make(HC_SM, SM_OP_DOWN, sel), deadline, 0, 0, 0, 0, 0);
}

static inline enum status hc_sm_zero(cap_sel_t sel, uint64_t deadline)
{
    return hc_simple(ctl_make(HC_SM, SM_OP_ZERO, sel), deadline, 0, 0, 0, 0, 0);
}

/* done (may be NULL): pages handled before it stopped. Without MAP_SPARSE a
 * hole in the source answers ST_FAULT. What was mapped at dst is replaced. */
__attribute__((warn_unused_result)) static inline enum status
hc_map(cap_sel_t src_pd, vaddr_t src, cap_sel_t dst_pd, vaddr_t dst, uint64_t pages,
       unsigned rights, unsigned flags, uint64_t *done)
{
    struct hc_words words = { { src_pd, src, dst_pd, dst, pages, rights } };
    uint64_t rax = hc_raw(ctl_make(HC_MAP, flags, 0), &words);

    if (done)
        *done = words.w[0];
    return (enum status)(rax & 0xff);
}

/* Keeps at most rights; 0 unmaps. */
__attribute__((warn_unused_result)) static inline enum status
hc_protect(cap_sel_t pd, vaddr_t va, uint64_t pages, unsigned rights)
{
    return hc_simple(ctl_make(HC_PROTECT, 0, 0), pd, va, pages, rights, 0, 0);
}

__attribute__((warn_unused_result)) static inline enum status
hc_map_phys(cap_sel_t dst_pd, phys_t phys, vaddr_t dst, uint64_t pages, unsigned rights)
{
    return hc_simple(ctl_make(HC_MAP_PHYS, 0, 0), dst_pd, phys, dst, pages, rights, 0);
}

/* op: COPY_FROM, COPY_TO, COPY_STRING. done: bytes copied, also on ST_FAULT. */
__attribute__((warn_unused_result)) static inline enum status
hc_copy(cap_sel_t pd, unsigned op, void *local, vaddr_t remote, uint64_t bytes, uint64_t *done)
{
    struct hc_words words = { { (uint64_t)local, remote, bytes } };
    uint64_t rax = hc_raw(ctl_make(HC_COPY, op, pd), &words);

    *done = words.w[0];
    return (enum status)(rax & 0xff);
}

__attribute__((warn_unused_result)) static inline enum status hc_ec(cap_sel_t ec, unsigned op,
                                                                    uint64_t w0)
{
    return hc_simple(ctl_make(HC_EC, op, ec), w0, 0, 0, 0, 0, 0);
}

static inline enum status hc_sc_time(cap_sel_t sc, uint64_t *ticks)
{
    struct hc_words words = { { 0 } };
    uint64_t rax = hc_raw(ctl_make(HC_SC, SC_OP_TIME, sc), &words);

    *ticks = words.w[0];
    return (enum status)(rax & 0xff);
}

__attribute__((warn_unused_result)) static inline enum status hc_pt_add_handler(cap_sel_t pt,
                                                                                cap_sel_t ec)
{
    return hc_simple(ctl_make(HC_PT, PT_OP_ADD_HANDLER, pt), ec, 0, 0, 0, 0, 0);
}

__attribute__((warn_unused_result)) static inline enum status hc_pd(cap_sel_t pd, unsigned op,
                                                                    uint64_t w0, uint64_t w1,
                                                                    uint64_t w2)
{
    return hc_simple(ctl_make(HC_PD, op, pd), w0, w1, w2, 0, 0, 0);
}

__attribute__((warn_unused_result)) static inline enum status hc_irq(unsigned op, cap_sel_t sm,
                                                                     unsigned gsi, unsigned mode)
{
    return hc_simple(ctl_make(HC_IRQ, op, sm), gsi, mode, 0, 0, 0, 0);
}

__attribute__((warn_unused_result)) static inline enum status hc_kmem(unsigned op, uint64_t w0,
                                                                      uint64_t w1)
{
    return hc_simple(ctl_make(HC_KMEM, op, 0), w0, w1, 0, 0, 0, 0);
}

static inline void hc_yield(void)
{
    hc_simple(ctl_make(HC_YIELD, 0, 0), 0, 0, 0, 0, 0, 0);
}
