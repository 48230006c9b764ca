/*
 * Page faults and exceptions of programs, and the signals that they become:
 * sigaction(2), "The si_code field".
 */
#include "dispatch.h"

#include "router.h"

#include "kernel.h"

#include <errno.h>
#include <personality/linux/linux_sigframe.h>

void handle_fault(struct thread *thread, uint64_t address, uint64_t error_code)
{
    struct fault_verdict verdict;
    int error = memory_fault_in(thread, address, 1, (uint32_t)error_code | FAULT_USER, &verdict);

    if (error == -ENOMEM) {
        log_line("process %u: out of memory", thread->process->pid);
        process_kill(thread->process->pid, status_killed(SIGKILL));
    } else if (error == -EFAULT) {
        signal_fault(thread, verdict.signal, (int32_t)verdict.code, address);
    }
}

/* ---- exceptions ---------------------------------------------------------------------- */

enum { /* Intel SDM volume 3, table 6-1 */
    VECTOR_DE = 0, VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_UD = 6, VECTOR_NP = 11, VECTOR_SS = 12,
    VECTOR_MF = 16, VECTOR_AC = 17, VECTOR_XM = 19,
};

enum { /* exceptions of floating point, in the x87 status word and in MXCSR */
    FLOAT_INVALID = 1 << 0, FLOAT_DENORMAL = 1 << 1, FLOAT_DIVIDE = 1 << 2,
    FLOAT_OVERFLOW = 1 << 3, FLOAT_UNDERFLOW = 1 << 4, FLOAT_PRECISION = 1 << 5,
    FLOAT_ALL = (1 << 6) - 1,
    MXCSR_MASKS_SHIFT = 7,
};

/* The exceptions that have happened and are not masked. */
static unsigned float_exceptions(const struct thread *thread, unsigned vector)
{
    _Alignas(64) uint8_t area[UTCB_DATA_BYTES];
    const struct _fpstate_64 *state = (const struct _fpstate_64 *)area;
    size_t bytes = sizeof area;

    if (kernel_ec_get_fpu(thread->ec, area, &bytes) || bytes < sizeof *state)
        return 0;
    if (vector == VECTOR_MF)
        return state->swd & ~(unsigned)state->cwd & FLOAT_ALL;
    return state->mxcsr & ~(state->mxcsr >> MXCSR_MASKS_SHIFT) & FLOAT_ALL;
}

static int32_t float_code(unsigned exceptions)
{
    if (exceptions & FLOAT_INVALID)
        return FPE_FLTINV;
    if (exceptions & FLOAT_DIVIDE)
        return FPE_FLTDIV;
    if (exceptions & FLOAT_OVERFLOW)
        return FPE_FLTOVF;
    if (exceptions & (FLOAT_UNDERFLOW | FLOAT_DENORMAL))
        return FPE_FLTUND;
    return exceptions & FLOAT_PRECISION ? FPE_FLTRES : SI_KERNEL;
}

void handle_exception(struct thread *thread, unsigned vector, uint64_t ip)
{
    switch (vector) {
    case VECTOR_DE: signal_fault(thread, SIGFPE, FPE_INTDIV, ip); break;
    case VECTOR_DB: signal_fault(thread, SIGTRAP, TRAP_TRACE, ip); break;
    case VECTOR_BP: signal_fault(thread, SIGTRAP, SI_KERNEL, 0); break;
    case VECTOR_UD: signal_fault(thread, SIGILL, ILL_ILLOPN, ip); break;
    case VECTOR_NP:
    case VECTOR_SS: signal_fault(thread, SIGBUS, SI_KERNEL, 0); break;
    case VECTOR_AC: signal_fault(thread, SIGBUS, BUS_ADRALN, 0); break;
    case VECTOR_MF:
    case VECTOR_XM:
        signal_fault(thread, SIGFPE, float_code(float_exceptions(thread, vector)), ip);
        break;
    default: signal_fault(thread, SIGSEGV, SI_KERNEL, 0); break;
    }
}
