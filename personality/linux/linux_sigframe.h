/*
 * What Linux puts on the stack of a program for a handler: struct rt_sigframe. It is
 * known to libraries (unwinding, ucontext_t), so it is part of the interface.
 */
#pragma once

#include <personality/linux/linux_signal.h>

#define sigset_t linux_sigset_t
#define stack_t  linux_stack_t
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#undef sigset_t
#undef stack_t

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#ifndef UC_SIGCONTEXT_SS
#define UC_SIGCONTEXT_SS 0x2
#endif
#ifndef UC_STRICT_RESTORE_SS
#define UC_STRICT_RESTORE_SS 0x4
#endif

struct linux_sigframe {
    uint64_t restorer;        /* where the handler returns to */
    struct ucontext context;
    siginfo_t info;
};
_Static_assert(sizeof(struct ucontext) == 304 && sizeof(struct linux_sigframe) == 440,
               "as programs know it");
