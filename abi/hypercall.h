/*
 * Hypercalls: numbers, register layout, rights.
 *
 * A native thread enters the kernel with "syscall":
 *
 *   rax  control word (below)          rdi rsi rdx r10 r8 r9   words 0 to 5
 *
 * and gets back
 *
 *   rax  status in bits 0-7, label of a reply in bits 16-31, words of a reply
 *        in the UTCB in bits 48-59
 *   rdi rsi rdx r10 r8 r9   result words (only those that the call documents)
 *
 * rcx and r11 are destroyed, all other registers are preserved.
 *
 * Control word:
 *
 *   bits  0-7   number (enum hypercall)
 *   bits  8-15  flags or operation of the call
 *   bits 16-31  label of a message
 *   bits 32-47  capability selector
 *   bits 48-59  words of the message that are in the UTCB (beyond the six in registers)
 *   bits 60-63  capability items of the message (in the UTCB)
 */
#pragma once

#include <abi/types.h>

enum hypercall {
    HC_CALL        = 0, /* call a portal and wait for the reply */
    HC_REPLY       = 1, /* reply to the caller and wait for the next call */
    HC_CREATE_PD   = 2,
    HC_CREATE_EC   = 3,
    HC_CREATE_SC   = 4,
    HC_CREATE_PT   = 5,
    HC_CREATE_SM   = 6,
    HC_DELEGATE    = 7, /* copy capabilities, with equal or fewer rights */
    HC_REVOKE      = 8, /* delete capabilities and all that was derived from them */
    HC_SM          = 9, /* semaphore up, down */
    HC_MAP         = 10, /* copy a range of mappings to another PD */
    HC_PROTECT     = 11, /* take rights from a range of mappings, or unmap it */
    HC_MAP_PHYS    = 12, /* map physical memory (root only) */
    HC_COPY        = 13, /* copy bytes between the caller and another PD */
    HC_EC          = 14, /* operate on an execution context */
    HC_SC          = 15, /* operate on a scheduling context */
    HC_PT          = 16, /* operate on a portal */
    HC_PD          = 17, /* operate on a protection domain */
    HC_IRQ         = 18, /* bind an interrupt to a semaphore (root only) */
    HC_KMEM        = 19, /* memory of the kernel: statistics, donation (root only) */
    HC_YIELD       = 20, /* let other threads of the same priority run */
    HC_COUNT
};

/* ---- control word --------------------------------------------------------- */

#define CTL_LABEL_SHIFT  16
#define CTL_SEL_SHIFT    32
#define CTL_WORDS_SHIFT  48
#define CTL_ITEMS_SHIFT  60

static inline uint64_t ctl_make(unsigned number, unsigned flags, cap_sel_t sel)
{
    return (uint64_t)number | (uint64_t)flags << 8 | (uint64_t)(sel & 0xffff) << CTL_SEL_SHIFT;
}

static inline uint64_t ctl_message(unsigned label, unsigned utcb_words, unsigned items)
{
    return (uint64_t)(label & 0xffff) << CTL_LABEL_SHIFT |
           (uint64_t)(utcb_words & 0xfff) << CTL_WORDS_SHIFT |
           (uint64_t)(items & 0xf) << CTL_ITEMS_SHIFT;
}

static inline unsigned ctl_number(uint64_t ctl) { return ctl & 0xff; }
static inline unsigned ctl_flags(uint64_t ctl)  { return ctl >> 8 & 0xff; }
static inline unsigned ctl_label(uint64_t ctl)  { return ctl >> CTL_LABEL_SHIFT & 0xffff; }
static inline cap_sel_t ctl_sel(uint64_t ctl)   { return ctl >> CTL_SEL_SHIFT & 0xffff; }
static inline unsigned ctl_words(uint64_t ctl)  { return ctl >> CTL_WORDS_SHIFT & 0xfff; }
static inline unsigned ctl_items(uint64_t ctl)  { return ctl >> CTL_ITEMS_SHIFT & 0xf; }

/* ---- rights of a capability ------------------------------------------------- */

enum pd_right {
    PD_CREATE_PD = 1 << 0, /* create PDs whose memory counts here too */
    PD_CREATE_EC = 1 << 1, /* create execution contexts in it */
    PD_CREATE_SC = 1 << 2, /* create scheduling contexts on its account */
    PD_CREATE_PT = 1 << 3,
    PD_CREATE_SM = 1 << 4,
    PD_MAP       = 1 << 5, /* change its mappings, and map from it */
    PD_COPY      = 1 << 6, /* HC_COPY from and to its memory */
    PD_CAPS      = 1 << 7, /* put capabilities into and take them from its space */
    PD_CTRL      = 1 << 8, /* HC_PD */
    PD_ROOT      = 1 << 9, /* physical memory, interrupts, kernel memory */
    PD_ALL       = (1 << 10) - 1,
};

enum ec_right {
    EC_CREATE_SC = 1 << 0,
    EC_CREATE_PT = 1 << 1,
    EC_CTRL      = 1 << 2, /* recall, read and write its state */
    EC_ALL       = (1 << 3) - 1,
};

enum sc_right { SC_CTRL = 1 << 0, SC_ALL = 1 };
enum pt_right { PT_CALL = 1 << 0, PT_CTRL = 1 << 1, PT_ALL = 3 };
enum sm_right { SM_UP = 1 << 0, SM_DOWN = 1 << 1, SM_ALL = 3 };

#define RIGHTS_ALL 0xfffu

/* ---- rights of a mapping ------------------------------------------------------ */

enum mem_right {
    MEM_R  = 1 << 0,
    MEM_W  = 1 << 1,
    MEM_X  = 1 << 2,
    MEM_UC = 1 << 3, /* not cached: device memory (HC_MAP_PHYS only) */
};

/* ---- flags and operations, by hypercall ------------------------------------------ */

enum { /* HC_REPLY */
    REPLY_DECLINE = 1 << 0, /* foreign call or fault: deliver it to the event portal instead */
    REPLY_MAP     = 1 << 1, /* foreign call, fault or exception: words 1-4 are a mapping */
    REPLY_KEEP    = 1 << 2, /* foreign call: leave rax as it is (after EC_SET_STATE) */
};

/* The mapping in a reply: word 1 source address in the handler's PD, word 2
 * destination address in the caller's PD, word 3 pages, word 4 rights. */

enum { /* HC_CREATE_PD */
    PD_IO_PORTS = 1 << 0, /* its threads may use I/O ports; needs PD_ROOT */
};

enum { /* HC_CREATE_EC */
    EC_LOCAL   = 1 << 0, /* handler of portals, runs on its callers' time */
    EC_FOREIGN = 1 << 1, /* its system calls are forwarded as messages */
};

enum { /* HC_DELEGATE */
    DELEGATE_BADGE = 1 << 0, /* portals only: give the copy the badge in word 5 */
};

enum { /* HC_REVOKE */
    REVOKE_SELF = 1 << 0, /* delete the named capabilities as well */
};

enum { /* HC_SM */
    SM_OP_UP   = 0,
    SM_OP_DOWN = 1, /* take one, wait if there is none */
    SM_OP_ZERO = 2, /* take all, wait if there is none */
};

enum { /* HC_MAP */
    MAP_SPARSE = 1 << 0, /* skip pages that the source does not have */
    MAP_COW    = 1 << 1, /* take MEM_W from the source as well as from the copy */
};

enum { /* HC_COPY */
    COPY_FROM   = 0, /* remote to local */
    COPY_TO     = 1, /* local to remote */
    COPY_STRING = 2, /* remote to local, up to and including the first zero byte */
};

enum { /* HC_EC */
    EC_OP_RECALL    = 0, /* deliver MSG_RECALL before it next runs in user mode */
    EC_OP_GET_STATE = 1, /* registers to the UTCB (struct ec_state); it must be stopped */
    EC_OP_SET_STATE = 2, /* registers from the UTCB; it must be stopped */
    EC_OP_GET_FPU   = 3, /* XSAVE area to the UTCB; word 0 of the result: bytes */
    EC_OP_SET_FPU   = 4, /* XSAVE area from the UTCB */
    EC_OP_SET_BADGE = 5, /* word 0: the badge that its messages carry from now on */
};

enum { /* HC_SC */
    SC_OP_TIME = 0, /* word 0 of the result: TSC ticks consumed */
};

enum { /* HC_PT */
    PT_OP_ADD_HANDLER = 0, /* word 0: local EC that answers calls made on its CPU */
};

enum { /* HC_PD */
    PD_OP_SET_ROUTE  = 0, /* words: first call number, count, portal slot (0: event portal) */
    PD_OP_SET_PAGER  = 1, /* word 0: slot of the portal for page faults (0: event portal) */
    PD_OP_QUOTA      = 2, /* result: word 0 pages used, word 1 limit */
    PD_OP_ADD_QUOTA  = 3, /* word 0: pages by which its limit is raised */
};

enum { /* HC_IRQ */
    IRQ_OP_BIND   = 0, /* control selector: semaphore; word 0: GSI; word 1: IRQ_LEVEL or 0 */
    IRQ_OP_UNMASK = 1, /* word 0: GSI; interrupts are delivered masked and stay so */
};
enum { IRQ_LEVEL = 1 << 0, IRQ_ACTIVE_LOW = 1 << 1 };

enum { /* HC_KMEM */
    KMEM_OP_STAT   = 0, /* struct kmem_stat to the UTCB */
    KMEM_OP_DONATE = 1, /* words: physical address, pages; the donor has unmapped them */
};

/* Call numbers that a foreign PD's route table covers. */
#define ROUTE_COUNT 512u
