/*
 * Frames of handlers on the stack of a program, as Linux lays them out: sigaction(2),
 * sigreturn(2), and arch/x86/include/uapi of the Linux headers.
 */
#include "router.h"

#include "kernel.h"

#include <errno.h>
#include <gen/proc_client.h>
#include <personality/linux/linux_sigframe.h>
#include <string.h>

#define RED_ZONE_BYTES 128u
#define FPU_ALIGN 64u
#define FXSAVE_BYTES sizeof(struct _fpstate_64)
#define XSAVE_HEADER_BYTES 64u
#define FEATURES_LEGACY 3u /* x87 and SSE */
#define USER_CS 0x33u
#define USER_SS 0x2bu
#define RFLAGS_TF (1u << 8)
#define RFLAGS_DF (1u << 10)
#define RFLAGS_RF (1u << 16)
#define FCW_INITIAL 0x37fu
#define MXCSR_INITIAL 0x1f80u
#define CODE_KERNEL 0x80 /* SI_KERNEL */

/* The frame, then the FPU's registers: as they are in the program's memory. The frame
 * is as near to them as the alignment of a stack at the start of a function allows. */
struct stack_image {
    uint8_t unused[56];
    struct linux_sigframe frame;
    uint8_t gap[16];
    uint8_t fpu[UTCB_DATA_BYTES + FP_XSTATE_MAGIC2_SIZE];
} __attribute__((aligned(FPU_ALIGN)));

#define FRAME_DISTANCE (offsetof(struct stack_image, fpu) - offsetof(struct stack_image, frame))
_Static_assert(offsetof(struct stack_image, fpu) % FPU_ALIGN == 0 && FRAME_DISTANCE % 16 == 8 &&
                   FRAME_DISTANCE - 8 - sizeof(struct linux_sigframe) < 16,
               "no other place for the frame");

/* ---- the FPU --------------------------------------------------------------------------- */

/* Puts the registers into the area; returns the bytes that the frame needs for them.
 * Those of a thread that has not used them are the initial ones. */
static int fpu_save(const struct thread *thread, uint8_t *area, size_t *bytes)
{
    struct _fpstate_64 *legacy = (struct _fpstate_64 *)area;
    struct _fpx_sw_bytes *about = &legacy->sw_reserved;
    int error;

    *bytes = UTCB_DATA_BYTES;
    error = kernel_ec_get_fpu(thread->ec, area, bytes);
    if (error)
        return error;
    if (*bytes < FXSAVE_BYTES) {
        memset(legacy, 0, sizeof *legacy);
        legacy->cwd = FCW_INITIAL;
        legacy->mxcsr = MXCSR_INITIAL;
        *bytes = FXSAVE_BYTES;
    }
    memset(about, 0, sizeof *about);
    if (*bytes == FXSAVE_BYTES)
        return 0;
    about->magic1 = FP_XSTATE_MAGIC1;
    about->extended_size = (uint32_t)(*bytes + FP_XSTATE_MAGIC2_SIZE);
    about->xfeatures = kernel_fpu_features();
    about->xstate_size = (uint32_t)*bytes;
    memcpy(area + *bytes, &(uint32_t){ FP_XSTATE_MAGIC2 }, FP_XSTATE_MAGIC2_SIZE);
    *bytes += FP_XSTATE_MAGIC2_SIZE;
    return 0;
}

/* Reads what a frame has of them, the rest is initial. bytes: of the kernel's area. */
static int fpu_read(struct thread *thread, uint64_t from, uint8_t *area, size_t bytes)
{
    struct _fpx_sw_bytes *about = &((struct _fpstate_64 *)area)->sw_reserved;
    uint64_t *header = (uint64_t *)(area + FXSAVE_BYTES);
    uint32_t magic2 = 0;
    size_t size;

    memset(area, 0, bytes);
    if (memory_read(thread, area, from, FXSAVE_BYTES))
        return -EFAULT;
    size = about->xstate_size;
    if (about->magic1 == FP_XSTATE_MAGIC1 && size >= FXSAVE_BYTES + XSAVE_HEADER_BYTES &&
        size <= bytes && about->extended_size == size + FP_XSTATE_MAGIC2_SIZE &&
        memory_read(thread, &magic2, from + size, sizeof magic2))
        return -EFAULT;
    if (magic2 == FP_XSTATE_MAGIC2)
        return memory_read(thread, header, from + FXSAVE_BYTES, size - FXSAVE_BYTES);
    if (bytes > FXSAVE_BYTES)
        header[0] = FEATURES_LEGACY;
    return 0;
}

/* from: address in the frame, 0: the initial registers. */
static int fpu_restore(struct thread *thread, uint64_t from)
{
    _Alignas(FPU_ALIGN) uint8_t area[UTCB_DATA_BYTES];
    size_t bytes = sizeof area;
    int error = kernel_ec_get_fpu(thread->ec, area, &bytes);

    if (error)
        return error;
    if (bytes < FXSAVE_BYTES && !from)
        return 0;
    if (bytes < FXSAVE_BYTES)
        bytes = kernel_fpu_bytes();
    if (from) {
        error = fpu_read(thread, from, area, bytes);
    } else {
        memset(area, 0, bytes);
        ((struct _fpstate_64 *)area)->cwd = FCW_INITIAL;
        ((struct _fpstate_64 *)area)->mxcsr = MXCSR_INITIAL;
    }
    return error ? error : kernel_ec_set_fpu(thread->ec, area, bytes);
}

/* ---- where the frame goes ------------------------------------------------------------------ */

static bool is_on_stack(const struct signal_taken *taken, uint64_t sp)
{
    return sp > taken->stack && sp - taken->stack <= taken->stack_bytes;
}

/* Where the frame begins, that is the handler's stack pointer. -EFAULT: the alternate stack
 * is too small, or there is none that could be one. */
static int frame_place(const struct signal_taken *taken, uint64_t sp, size_t fpu_bytes,
                       uint64_t *at)
{
    bool was_on_stack = taken->stack_bytes && !(taken->stack_flags & SS_AUTODISARM) &&
                        is_on_stack(taken, sp);
    bool enters = taken->flags & SA_ONSTACK && taken->stack_bytes && !was_on_stack;
    uint64_t top = enters ? taken->stack + taken->stack_bytes : sp - RED_ZONE_BYTES;

    *at = ((top - fpu_bytes) & ~(uint64_t)(FPU_ALIGN - 1)) - FRAME_DISTANCE;
    if (top >= USER_END || *at > top)
        return -EFAULT;
    return (enters || was_on_stack) && !is_on_stack(taken, *at) ? -EFAULT : 0;
}

/* ---- the frame --------------------------------------------------------------------------------- */

static void registers_save(struct sigcontext *to, const struct ec_state *from)
{
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r10 = from->r10;
    to->r11 = from->r11;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
    to->rdi = from->rdi;
    to->rsi = from->rsi;
    to->rbp = from->rbp;
    to->rbx = from->rbx;
    to->rdx = from->rdx;
    to->rax = from->rax;
    to->rcx = from->rcx;
    to->rsp = from->rsp;
    to->rip = from->rip;
    to->eflags = from->rflags;
    to->cs = USER_CS;
    to->ss = USER_SS;
    to->err = from->error_code;
    to->trapno = from->vector;
    to->cr2 = from->cr2;
}

/* What is not in a frame stays. */
static void registers_load(struct ec_state *to, const struct sigcontext *from)
{
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r10 = from->r10;
    to->r11 = from->r11;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
    to->rdi = from->rdi;
    to->rsi = from->rsi;
    to->rbp = from->rbp;
    to->rbx = from->rbx;
    to->rdx = from->rdx;
    to->rax = from->rax;
    to->rcx = from->rcx;
    to->rsp = from->rsp;
    to->rip = from->rip;
    to->rflags = from->eflags;
}

static void frame_fill(struct linux_sigframe *frame, const struct ec_state *state,
                       const struct signal_taken *taken, uint64_t fpu_at, bool extended)
{
    struct ucontext *context = &frame->context;

    memset(context, 0, sizeof *context);
    frame->restorer = taken->restorer;
    context->uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (extended ? UC_FP_XSTATE : 0);
    context->uc_stack.ss_sp = (void *)(uintptr_t)taken->stack;
    context->uc_stack.ss_flags = (int)taken->stack_flags;
    context->uc_stack.ss_size = taken->stack_bytes;
    registers_save(&context->uc_mcontext, state);
    context->uc_mcontext.oldmask = taken->mask;
    context->uc_mcontext.fpstate = (void *)(uintptr_t)fpu_at;
    memcpy(&context->uc_sigmask, &taken->mask, sizeof taken->mask);
    memcpy(&frame->info, taken->info, sizeof frame->info);
}

static void handler_enter(struct ec_state *state, uint64_t at, const struct signal_taken *taken)
{
    state->rip = taken->handler;
    state->rsp = at;
    state->rdi = taken->signal;
    state->rsi = at + offsetof(struct linux_sigframe, info);
    state->rdx = at + offsetof(struct linux_sigframe, context);
    state->rax = 0;
    state->rflags &= ~(uint64_t)(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
}

int sigframe_push(struct thread *thread, struct ec_state *state, const struct signal_taken *taken)
{
    struct stack_image image;
    size_t fpu_bytes;
    uint64_t at;

    if (!(taken->flags & SA_RESTORER) || taken->handler >= USER_END)
        return -EFAULT;
    if (fpu_save(thread, image.fpu, &fpu_bytes) ||
        frame_place(taken, state->rsp, fpu_bytes, &at))
        return -EFAULT;
    frame_fill(&image.frame, state, taken, at + FRAME_DISTANCE, fpu_bytes > FXSAVE_BYTES);
    if (memory_write(thread, at, &image.frame, FRAME_DISTANCE + fpu_bytes))
        return -EFAULT;
    handler_enter(state, at, taken);
    return 0;
}

/* ---- the way back ---------------------------------------------------------------------------- */

static int frame_restore(struct thread *thread)
{
    struct ucontext context;
    struct ec_state state;
    uint64_t mask;
    int64_t more;

    if (kernel_ec_get_state(thread->ec, &state) ||
        memory_read(thread, &context,
                    state.rsp - sizeof(uint64_t) + offsetof(struct linux_sigframe, context),
                    sizeof context))
        return -EFAULT;
    memcpy(&mask, &context.uc_sigmask, sizeof mask);
    registers_load(&state, &context.uc_mcontext);
    if (fpu_restore(thread, (uint64_t)(uintptr_t)context.uc_mcontext.fpstate) ||
        kernel_ec_set_state(thread->ec, &state))
        return -EFAULT;
    more = proc_signal_return(&server_proc, thread->slot, mask, state.rsp,
                              (uint64_t)(uintptr_t)context.uc_stack.ss_sp,
                              context.uc_stack.ss_size, (uint32_t)context.uc_stack.ss_flags);
    if (more > 0)
        atomic_store(&thread->signalled, true);
    return 0;
}

int64_t sys_rt_sigreturn(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    (void)nr;
    (void)arg;
    if (frame_restore(thread))
        signal_fault(thread, SIGSEGV, CODE_KERNEL, 0);
    thread->registers_set = true;
    return 0;
}
