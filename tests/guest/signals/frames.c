/*
 * What is on the stack while a handler runs, and what comes back afterwards.
 */
#include "check.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static char stack_memory[65536] __attribute__((aligned(4096)));

static int on_alternate(const void *address)
{
    return (const char *)address >= stack_memory &&
           (const char *)address < stack_memory + sizeof stack_memory;
}

static void stack_show(const char *when)
{
    stack_t now;

    MUST(sigaltstack(NULL, &now));
    printf("%s: flags %#x, size %zu, ours %d\n", when, (unsigned)now.ss_flags, now.ss_size,
           now.ss_sp == stack_memory);
}

static void show_stack(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;
    stack_t off = { .ss_flags = SS_DISABLE };
    char here;

    printf("SIG%s on it: %d, frame on it: %d, info on it: %d\n", name(signal),
           on_alternate(&here), on_alternate(context), on_alternate(info));
    printf("before: size %zu, ours %d, flags %#x\n", uc->uc_stack.ss_size,
           uc->uc_stack.ss_sp == stack_memory, (unsigned)uc->uc_stack.ss_flags);
    stack_show("in the handler");
    printf("change: %s\n", error_name(sigaltstack(&off, NULL) ? errno : 0));
    if (signal == SIGUSR1)
        raise(SIGUSR2);
}

static void alternate_stack(void)
{
    stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory };
    stack_t small = { .ss_sp = stack_memory, .ss_size = 1000 };
    stack_t off = { .ss_flags = SS_DISABLE };

    stack_show("at first");
    printf("small: %s\n", error_name(sigaltstack(&small, NULL) ? errno : 0));
    small.ss_flags = 8;
    printf("flags: %s\n", error_name(sigaltstack(&small, NULL) ? errno : 0));
    MUST(sigaltstack(&stack, NULL));
    stack_show("set");
    handle(SIGUSR1, show_stack, SA_ONSTACK, 0);
    handle(SIGUSR2, show_stack, SA_ONSTACK, 0);
    raise(SIGUSR1);
    stack_show("afterwards");
    handle(SIGUSR1, show_stack, 0, 0);
    unhandle(SIGUSR2);
    signal(SIGUSR2, SIG_IGN);
    printf("without SA_ONSTACK\n");
    raise(SIGUSR1);
    MUST(sigaltstack(&off, NULL));
    stack_show("off");
    unhandle(SIGUSR1);
    unhandle(SIGUSR2);
}

static void autodisarm(void)
{
    stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory,
                      .ss_flags = (int)SS_AUTODISARM };
    stack_t off = { .ss_flags = SS_DISABLE };

    MUST(sigaltstack(&stack, NULL));
    stack_show("set");
    handle(SIGUSR2, show_stack, SA_ONSTACK, 0);
    raise(SIGUSR2);
    stack_show("afterwards");
    MUST(sigaltstack(&off, NULL));
    unhandle(SIGUSR2);
}

static uint64_t rsp_before;

static void show_context(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    uint64_t at = (uint64_t)context - 8; /* struct rt_sigframe */
    uint64_t fpu = (uint64_t)uc->uc_mcontext.fpregs;
    const uint32_t *words = (const uint32_t *)fpu;

    (void)info;
    printf("link %d, frame as at a call %d, info follows %d\n", uc->uc_link == NULL,
           at % 16 == 8, (uint64_t)info - (uint64_t)context == 304);
    printf("FPU above the frame %d, aligned %d, below the red zone %d\n", fpu > at, fpu % 64 == 0,
           fpu < rsp_before - 128);
    printf("cs %#x ss %#x\n", (unsigned)(uc->uc_mcontext.gregs[REG_CSGSFS] & 0xffff),
           (unsigned)(uc->uc_mcontext.gregs[REG_CSGSFS] >> 48 & 0xffff));
    printf("mask in the frame: USR1 %d, HUP %d\n", sigismember(&uc->uc_sigmask, SIGUSR1),
           sigismember(&uc->uc_sigmask, SIGHUP));
    printf("control word %#x, mxcsr %#x\n", words[0] & 0xffff, words[6]);
    if (uc->uc_flags & 1) {
        uint32_t bytes = words[(464 + 16) / 4];

        printf("magic %#x, bytes fit %d, magic at the end %#x\n", words[464 / 4],
               words[464 / 4 + 1] == bytes + 4, words[bytes / 4]);
    }
    uc->uc_mcontext.gregs[REG_RBX] = 0x1234567;
    uc->uc_mcontext.gregs[REG_RAX] = signal;
    sigaddset(&uc->uc_sigmask, SIGINT);
}

/* kill(2) by hand, so that registers can be looked at. */
static void context(void)
{
    register uint64_t rbx __asm__("rbx") = 42;
    long result;

    handle(SIGUSR1, show_context, 0, 0);
    block(SIGHUP);
    __asm__ volatile("mov %%rsp, %0" : "=r"(rsp_before));
    __asm__ volatile("syscall" : "=a"(result), "+r"(rbx)
                     : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory");
    printf("result %ld, rbx %#lx, INT blocked %d\n", result, rbx, is_blocked(SIGINT));
    unblock(SIGINT);
    unblock(SIGHUP);
    unhandle(SIGUSR1);
}

/* ---- registers --------------------------------------------------------------------------- */

static void clobber(int signal, siginfo_t *info, void *context)
{
    unsigned short control = 0x27f;
    unsigned mxcsr = 0x7f80;

    (void)signal;
    (void)info;
    (void)context;
    __asm__ volatile("fninit; fldcw %0; fldz; ldmxcsr %1" : : "m"(control), "m"(mxcsr));
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15" :
                     : : "xmm0", "xmm7", "xmm15");
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroall" : : : "xmm0", "xmm1");
}

static void check_vectors(const char *what)
{
    static const uint64_t in[4] = { 0x1111, 0x2222, 0x3333, 0x4444 };
    uint64_t a[2], b[2], wide[4] = { 1, 2, 3, 4 };
    int avx = __builtin_cpu_supports("avx");
    unsigned short control = 0x37f, control_after;
    unsigned mxcsr = 0x1f80, mxcsr_after;
    double five = 5, x87;

    __asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fldl %2" : : "m"(mxcsr), "m"(control), "m"(five));
    __asm__ volatile("movdqu (%0), %%xmm0; movdqu 16(%0), %%xmm15" : : "r"(in) : "xmm0", "xmm15", "memory");
    if (avx)
        __asm__ volatile("vmovdqu %0, %%ymm7" : : "m"(in) : "xmm7");
    __asm__ volatile("syscall" : : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
    __asm__ volatile("movdqu %%xmm0, %0" : "=m"(a));
    __asm__ volatile("movdqu %%xmm15, %0" : "=m"(b));
    if (avx)
        __asm__ volatile("vmovdqu %%ymm7, %0" : "=m"(wide));
    __asm__ volatile("fstpl %0; fnstcw %1; stmxcsr %2" : "=m"(x87), "=m"(control_after), "=m"(mxcsr_after));
    printf("%s: xmm0 %d, xmm15 %d, x87 %g, control %#x, mxcsr %#x\n", what, !memcmp(a, in, 16),
           !memcmp(b, in + 2, 16), x87, control_after, mxcsr_after);
    printf("ymm7 %d\n", !avx || !memcmp(wide, in, 32));
}

static void vectors(void)
{
    handle(SIGUSR1, clobber, 0, 0);
    check_vectors("first");
    check_vectors("second");
    unhandle(SIGUSR1);
}

static void show_flags(int signal, siginfo_t *info, void *context)
{
    uint64_t flags;

    (void)signal;
    (void)info;
    (void)context;
    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    printf("direction in the handler: %d\n", (int)(flags >> 10 & 1));
}

static void flags(void)
{
    uint64_t after;

    handle(SIGUSR1, show_flags, 0, 0);
    __asm__ volatile("std; stc; syscall; pushfq; pop %%rdx; cld" : "=d"(after)
                     : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory", "cc");
    printf("afterwards: direction %d, carry %d\n", (int)(after >> 10 & 1), (int)(after & 1));
    unhandle(SIGUSR1);
}

/* ---- at any instruction ---------------------------------------------------------------------- */

static volatile sig_atomic_t ticks;

static void tick(int signal, siginfo_t *info, void *context)
{
    volatile double x = 3.5;

    (void)signal;
    (void)info;
    (void)context;
    x *= 2;
    ticks++;
}

/* A leaf that keeps things in registers, in the red zone and in the FPU. */
static __attribute__((noinline)) uint64_t churn(uint64_t seed)
{
    volatile uint64_t below[8];
    double sum = 0;

    for (int i = 0; i < 8; i++)
        below[i] = seed * (uint64_t)(i + 1);
    for (int i = 0; i < 1000; i++) {
        sum += (double)below[i % 8];
        below[i % 8] += (uint64_t)i;
    }
    return (uint64_t)sum ^ below[3];
}

static void anywhere(void)
{
    const struct itimerval fast = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
    uint64_t expected = churn(7), rounds = 0;
    int64_t end = now_ns() + 20000000000ll;
    int good = 1;

    ticks = 0;
    handle(SIGALRM, tick, SA_RESTART, 0);
    MUST(setitimer(ITIMER_REAL, &fast, NULL));
    while (ticks < 50 && now_ns() < end) {
        good &= churn(7) == expected;
        rounds++;
    }
    MUST(setitimer(ITIMER_REAL, &off, NULL));
    unhandle(SIGALRM);
    printf("50 signals %d, results right %d\n", ticks >= 50, good);
}

/* ---- bad frames ------------------------------------------------------------------------------- */

static void bad_sigreturn(void)
{
    __asm__ volatile("mov $64, %%rsp; syscall" : : "a"(SYS_rt_sigreturn) : "rcx", "r11", "memory");
}

static void no_stack(void)
{
    handle(SIGUSR1, tick, 0, 0);
    __asm__ volatile("mov $64, %%rsp; syscall" : : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
}

static void leave(int signal, siginfo_t *info, void *context)
{
    (void)context;
    _exit(signal == SIGSEGV && info->si_code == SI_KERNEL ? 11 : 12);
}

/* The frame does not fit anywhere, but SIGSEGV has a stack of its own. */
static void no_stack_but_for_segv(void)
{
    stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory };

    MUST(sigaltstack(&stack, NULL));
    handle(SIGSEGV, leave, SA_ONSTACK, 0);
    no_stack();
}

static void bad_registers(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signal;
    (void)info;
    uc->uc_mcontext.gregs[REG_RIP] = (long long)0x8000000000000000ull;
}

static void bad_rip(void)
{
    handle(SIGUSR1, bad_registers, 0, 0);
    raise(SIGUSR1);
}

static void strange_registers(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signal;
    (void)info;
    uc->uc_mcontext.gregs[REG_EFL] |= 0x3000 | 0x20000 | 0x4000; /* IOPL, VM, NT */
    uc->uc_mcontext.gregs[REG_EFL] &= ~0x200;                    /* interrupts */
}

static void no_privileges(void)
{
    uint64_t flags_after;

    handle(SIGUSR1, strange_registers, 0, 0);
    raise(SIGUSR1);
    __asm__ volatile("pushfq; pop %0" : "=r"(flags_after));
    printf("IOPL %d, interrupts %d\n", (int)(flags_after >> 12 & 3), (int)(flags_after >> 9 & 1));
}

static void tiny_stack(void)
{
    stack_t stack = { .ss_sp = stack_memory, .ss_size = MINSIGSTKSZ };

    MUST(sigaltstack(&stack, NULL));
    stack.ss_sp = (void *)4096; /* nothing there */
    MUST(sigaltstack(&stack, NULL));
    handle(SIGUSR1, tick, SA_ONSTACK, 0);
    raise(SIGUSR1);
}

static void bad_frames(void)
{
    in_child("sigreturn without a frame", bad_sigreturn);
    in_child("no stack", no_stack);
    in_child("no stack, handler", no_stack_but_for_segv);
    in_child("impossible rip", bad_rip);
    in_child("privileged flags", no_privileges);
    in_child("no alternate stack there", tiny_stack);
}

const struct check frame_checks[] = {
    { "altstack", alternate_stack }, { "autodisarm", autodisarm }, { "context", context },
    { "vectors", vectors },          { "flags", flags },           { "anywhere", anywhere },
    { "bad-frames", bad_frames },    { NULL, NULL },
};
