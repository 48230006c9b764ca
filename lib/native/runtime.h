/*
 * The runtime's inner parts: the block at the top of each stack, portals,
 * kernel objects. For programs that run handlers of their own; others need
 * only native.h.
 *
 * Each public symbol group is in a file of its own, and the library is linked as
 * an archive: a program that defines all symbols of a file itself (the
 * roottask: _start, log_line, frames_alloc, ...) replaces it.
 */
#pragma once

#include <lib/native/hypercall.h>
#include <lib/native/native.h>

struct ipc_message;

/* ---- the block above the stack of each EC ----------------------------------------- */

/* At the stack pointer with which the EC is created, and its FS base. The first
 * part is musl's: it reads its own address, the stack protector's canary and
 * errno there, and would use no more than MUSL_BYTES of it. */
#define MUSL_BYTES 512
struct tcb {
    union {
        struct {
            struct tcb *self;    /* fs:0 */
            uint64_t    unused[4];
            uint64_t    canary;  /* fs:0x28 */
        };
        uint8_t musl[MUSL_BYTES];
    };
    struct utcb *utcb;           /* fs:0x200 */
    uint64_t    *stack_end;      /* lowest word of the stack: holds STACK_MAGIC */
    thread_fn    run;            /* threads only */
    void        *arg;
};
#define TCB_BYTES 1024ull
#define STACK_MAGIC 0x706f72743a656e64ull
_Static_assert(sizeof(struct tcb) <= TCB_BYTES, "reserved above each stack");
_Static_assert(offsetof(struct tcb, canary) == 0x28, "musl and gcc");

static inline struct tcb *tcb_self(void)
{
    struct tcb *tcb;

    __asm__("mov %%fs:0, %0" : "=r"(tcb));
    return tcb;
}

/* The canary of all blocks filled from now on. */
void tcb_set_canary(uint64_t value);
/* Fills the block of an EC whose UTCB exists and is mapped. */
void tcb_init(struct tcb *tcb, void *stack_end, struct utcb *utcb);
/* Stops the program if the calling EC's stack has overflowed. */
void stack_check(void);

/* Our own protection domain's capability, under which we create objects. */
extern cap_sel_t own_pd;

/* ---- portals ---------------------------------------------------------------------------- */

/* The registers of a message as a handler is entered (abi/message.h). A handler
 * replaces words and control by those of the reply. */
struct portal_frame {
    uint64_t control; /* in: rax; out: see portal_reply_control */
    uint64_t word[6];
    uint64_t badge;
};

/* Embedded in what the portal stands for; its address is the portal's identity. */
struct portal {
    void (*handle)(struct portal *portal, struct portal_frame *frame);
};

/* Creates a portal answered by the local EC; more ECs by hc_pt_add_handler.
 * Returns its selector, or SEL_NONE when kernel memory is out. */
cap_sel_t portal_create(struct portal *portal, cap_sel_t handler);

static inline unsigned portal_kind(const struct portal_frame *frame)
{
    return frame->control & 0xff;
}
static inline uint64_t portal_reply_control(unsigned flags, unsigned label, unsigned utcb_words,
                                            unsigned items)
{
    return ctl_make(HC_REPLY, flags, 0) | ctl_message(label, utcb_words, items);
}

/* Turns the frame into a message whose extra words are in the UTCB. Received
 * capabilities belong to the caller from now on. */
void portal_receive(const struct portal_frame *frame, struct ipc_message *message);
/* Turns a message into the reply. flags: of HC_REPLY. */
void portal_reply(struct portal_frame *frame, struct ipc_message *message, unsigned flags);

/* What both transports of messages need: takes over the words' and capabilities'
 * counts of a control word; puts the capabilities to send into the UTCB. */
void message_received(struct ipc_message *message, uint64_t control);
void message_items_send(const struct ipc_message *message);

/* ---- kernel objects ----------------------------------------------------------------------- */

/* Asks the roottask to give the kernel more memory. False: there is none. */
bool kernel_memory_more(void);

/* Evaluates a hypercall, once more if kernel memory was out and more could be had. */
#define with_kernel_memory(hypercall)                                                             \
    ({                                                                                            \
        enum status with_status = (hypercall);                                                    \
        if (with_status == ST_NO_MEMORY && kernel_memory_more())                                  \
            with_status = (hypercall);                                                            \
        with_status;                                                                              \
    })

/* Creates a semaphore. Returns its selector, or SEL_NONE when kernel memory is out. */
cap_sel_t semaphore_create(uint64_t count);
/* Address of a UTCB that no EC has yet. UTCBs are never given back. */
struct utcb *utcb_reserve(void);
/* Sets the selectors into which the UTCB's EC receives capabilities to fresh ones. */
void receive_window_renew(struct utcb *utcb);

/* Selectors from first on are free for cap_alloc; called by the start code. */
void cap_init(cap_sel_t first);
/* Selectors that are not free; for leak tests. */
unsigned caps_in_use(void);
_Noreturn void sleep_for_ever(void);

/* ---- chunks of frames (see frames.c) ---------------------------------------------------------- */

phys_t chunk_fetch(unsigned order);
void   chunk_return(phys_t phys, unsigned order);
/* Give back cached empty chunks of frames, empty slabs of the heap (and then chunks). */
void frames_trim(void);
void heap_trim(void);

/* The heap under malloc. bytes 0 is allowed. */
void *heap_alloc(size_t bytes);
void  heap_free(void *ptr);
/* Bytes that can be used at ptr, at least those asked for. */
size_t heap_usable_bytes(const void *ptr);
