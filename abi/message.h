/*
 * Messages: what a portal handler finds when it is entered, the UTCB, and the
 * register state of an execution context.
 *
 * A handler is entered at the portal's instruction pointer with
 *
 *   rax  enum message_kind in bits 0-7, label in bits 16-31, words in the UTCB
 *        in bits 48-59, received capabilities in bits 60-63
 *   rdi rsi rdx r10 r8 r9   words 0 to 5
 *   r12  identity of the portal (given when it was created)
 *   r13  badge: of the capability through which it was called (MSG_CALL), or of
 *        the execution context that caused the message (all others)
 *   rsp  stack pointer given when the EC was created
 *
 * and leaves by HC_REPLY, which never returns. Other registers are undefined.
 */
#pragma once

#include <abi/types.h>

enum message_kind {
    MSG_CALL      = 0, /* HC_CALL: label and words are the caller's */
    MSG_FOREIGN   = 1, /* foreign system call: label min(eax, 0xffff);
                          words rdi rsi rdx r10 r8 r9. Reply: word 0 becomes rax. */
    MSG_FAULT     = 2, /* page fault: words address, error code, rip, rsp */
    MSG_EXCEPTION = 3, /* label: vector; words error code, 0, rip, rsp */
    MSG_RECALL    = 4, /* EC_OP_RECALL was called: words 0, 0, rip, rsp */
    MSG_STARTUP   = 5, /* a foreign EC is about to run its first instruction */
};

/* Error code of a page fault: Intel SDM volume 3, 4.7. */
enum {
    FAULT_PRESENT = 1 << 0,
    FAULT_WRITE   = 1 << 1,
    FAULT_USER    = 1 << 2,
    FAULT_FETCH   = 1 << 4,
};

#define UTCB_WORDS 448u
#define UTCB_DATA_BYTES (UTCB_WORDS * 8u)
#define UTCB_ITEMS 8u

/* A capability that a message delegates. */
struct utcb_item {
    uint32_t sel;    /* of the sender */
    uint32_t rights; /* mask */
};

/* One page per execution context, shared with the kernel. */
struct utcb {
    uint64_t native_call;  /* non-zero: the next system call of a foreign EC is a
                              hypercall; the kernel clears it */
    uint32_t receive_sel;  /* received capabilities go to receive_sel, ... */
    uint32_t receive_count; /* ... at most so many; further ones are dropped */
    struct utcb_item items[UTCB_ITEMS];
    uint64_t reserved[54];
    uint64_t data[UTCB_WORDS];
};
_Static_assert(sizeof(struct utcb) == PAGE_BYTES, "a UTCB is one page");

struct ec_state {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rsp, rflags;
    uint64_t fs_base, gs_base;
    uint64_t cr2, error_code, vector; /* of the last exception; not settable */
};
_Static_assert(sizeof(struct ec_state) == 23 * 8, "known to user space");
