/*
 * Page faults and exceptions of programs.
 */
#include "dispatch.h"

#include "router.h"

#include <errno.h>
#include <signal.h>

void handle_fault(struct thread *thread, uint64_t address, uint64_t error_code)
{
    unsigned signal;
    int error = memory_fault_in(thread, address, 1, (uint32_t)error_code | FAULT_USER, &signal);

    if (error == -ENOMEM) {
        log_line("process %u: out of memory", thread->process->pid);
        thread_doom(thread, status_killed(SIGKILL));
    } else if (error) {
        thread_doom(thread, status_killed(signal));
    }
}

/* Intel SDM volume 3, table 6-1; signal(7). */
static unsigned signal_of_exception(unsigned vector)
{
    switch (vector) {
    case 0: return SIGFPE;  /* #DE */
    case 1:                 /* #DB */
    case 3: return SIGTRAP; /* #BP */
    case 6: return SIGILL;  /* #UD */
    case 16:                /* #MF */
    case 19: return SIGFPE; /* #XM */
    case 17: return SIGBUS; /* #AC */
    default: return SIGSEGV;
    }
}

void handle_exception(struct thread *thread, unsigned vector)
{
    thread_doom(thread, status_killed(signal_of_exception(vector)));
}
