/*
 * Faults as signals: what handlers learn, and how they get out.
 */
#include "check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf jump;
static char *expected;

static void report(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;
    const greg_t *regs = uc->uc_mcontext.gregs;

    printf("SIG%s code %d, address as expected %d, trap %d", name(signal), info->si_code,
           info->si_addr == expected, (int)regs[REG_TRAPNO]);
    if (regs[REG_TRAPNO] == 14)
        printf(", error %#x, cr2 %d", (unsigned)regs[REG_ERR], (char *)regs[REG_CR2] == expected);
    printf("\n");
    siglongjmp(jump, 1);
}

/* Runs it and comes back by the handler. */
static void attempt(const char *what, void (*run)(void))
{
    printf("%s: ", what);
    fflush(stdout);
    if (!sigsetjmp(jump, 1)) {
        run();
        printf("nothing happened\n");
    }
}

static void read_it(void) { (void)*(volatile char *)expected; }
static void write_it(void) { *(volatile char *)expected = 1; }
static void run_it(void) { ((void (*)(void))expected)(); }

static void faults_on(int flags)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

    for (int i = 0; i < 5; i++)
        handle(signals[i], report, flags, 0);
}

static void faults_off(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

    for (int i = 0; i < 5; i++)
        unhandle(signals[i]);
}

static void memory(void)
{
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    faults_on(0);
    expected = (char *)0x1234;
    attempt("read nowhere", read_it);
    attempt("write nowhere", write_it);
    attempt("run nowhere", run_it);
    expected = page + 10;
    attempt("write to read-only", write_it);
    attempt("run data", run_it);
    MUST(mprotect(page, 4096, PROT_NONE));
    attempt("read what is protected", read_it);
    MUST(munmap(page, 8192));
    attempt("read what was", read_it);
    expected = (char *)0x8000000000000000ull;
    expected = NULL; /* not told for these */
    expected = NULL;
    faults_off();
}

static void read_strange(void) { (void)*(volatile char *)0x8000000000000000ull; }
static void halt(void) { __asm__ volatile("hlt"); }

static void protection(void)
{
    faults_on(0);
    expected = NULL;
    attempt("not an address", read_strange);
    attempt("hlt", halt);
    faults_off();
}

/* ---- instructions, with their own addresses -------------------------------------------- */

extern char undefined_at[], divide_at[], divide_sse_at[], divide_x87_at[];

static void undefined(void)
{
    expected = undefined_at;
    __asm__ volatile("undefined_at: ud2");
}

static void divide(void)
{
    expected = divide_at;
    __asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; mov $1, %%eax; divide_at: div %%ecx" :
                     : : "eax", "ecx", "edx", "cc");
}

static void divide_sse(void)
{
    unsigned mxcsr = 0x1f80 & ~0x200u; /* division by zero is not masked */
    double one = 1, zero = 0;

    expected = divide_sse_at;
    __asm__ volatile("ldmxcsr %0; movsd %1, %%xmm0; divide_sse_at: divsd %2, %%xmm0" :
                     : "m"(mxcsr), "m"(one), "m"(zero) : "xmm0");
}

static void invalid_sse(void)
{
    unsigned mxcsr = 0x1f80 & ~0x80u;
    double zero = 0;

    expected = NULL;
    __asm__ volatile("ldmxcsr %0; movsd %1, %%xmm0; divsd %1, %%xmm0" : : "m"(mxcsr), "m"(zero)
                     : "xmm0");
}

static void divide_x87(void)
{
    unsigned short control = 0x37f & ~4u;

    expected = divide_x87_at;
    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; divide_x87_at: fwait" : : "m"(control));
}

static void breakpoint(void)
{
    expected = NULL;
    __asm__ volatile("int3");
}

static void overflow(void)
{
    expected = NULL;
    __asm__ volatile("int $4");
}

static void instructions(void)
{
    faults_on(0);
    attempt("ud2", undefined);
    attempt("division by zero", divide);
    attempt("floating point", divide_sse);
    attempt("x87", divide_x87);
    attempt("int3", breakpoint);
    attempt("int 4", overflow);
    __asm__ volatile("fninit");
    printf("invalid: ");
    if (!sigsetjmp(jump, 1))
        invalid_sse();
    faults_off();
    __asm__ volatile("ldmxcsr %0" : : "m"((unsigned){ 0x1f80 }));
}

static int steps;

static void step(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)signal;
    if (steps++ == 0)
        printf("code %d, at the instruction %d\n", info->si_code,
               info->si_addr == (void *)uc->uc_mcontext.gregs[REG_RIP]);
    if (steps == 5)
        uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

static void single_step(void)
{
    steps = 0;
    handle(SIGTRAP, step, 0, 0);
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; nop; nop; nop; nop" : : : "cc", "memory");
    printf("steps %d\n", steps);
    unhandle(SIGTRAP);
}

static void bus(void)
{
    static const char path[] = "/tmp/signals-file";
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0) {
        printf("no file: %s\n", error_name(errno));
        return;
    }
    MUST(ftruncate(fd, 4096));
    faults_on(0);
    expected = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    attempt("in the file", write_it);
    expected += 8192 + 5;
    attempt("behind its end", read_it);
    munmap(expected - 8192 - 5, 3 * 4096);
    close(fd);
    unlink(path);
    faults_off();
}

/* ---- repairing ---------------------------------------------------------------------------- */

static void repair(int signal, siginfo_t *info, void *context)
{
    char *page = (char *)((uintptr_t)info->si_addr & ~4095ul);

    (void)signal;
    (void)context;
    MUST(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void repairing(void)
{
    char *pages = mmap(NULL, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int sum = 0;

    handle(SIGSEGV, repair, 0, 0);
    for (int i = 0; i < 4; i++)
        pages[i * 4096 + i] = (char)(i + 1);
    for (int i = 0; i < 4; i++)
        sum += pages[i * 4096 + i];
    printf("sum %d\n", sum);
    munmap(pages, 4 * 4096);
    unhandle(SIGSEGV);
}

static char stack_memory[65536];
static volatile int recursion;

static int recurse(int n)
{
    volatile char room[512];

    room[0] = (char)n;
    recursion = n;
    return n < 1 << 30 ? recurse(n + 1) + room[0] : 0;
}

static void overflown(int signal, siginfo_t *info, void *context)
{
    (void)context;
    printf("SIG%s code %d after many calls: %d\n", name(signal), info->si_code, recursion > 1000);
    siglongjmp(jump, 1);
}

static void stack_overflow(void)
{
    stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory };
    stack_t off = { .ss_flags = SS_DISABLE };

    MUST(sigaltstack(&stack, NULL));
    handle(SIGSEGV, overflown, SA_ONSTACK, 0);
    for (int i = 0; i < 2; i++)
        if (!sigsetjmp(jump, 1))
            recurse(0);
    MUST(sigaltstack(&off, NULL));
    unhandle(SIGSEGV);
}

/* ---- not to be escaped ----------------------------------------------------------------------- */

static void fault_blocked(void)
{
    handle(SIGSEGV, repair, 0, 0);
    block(SIGSEGV);
    expected = (char *)0x1234;
    read_it();
}

static void fault_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    expected = (char *)0x1234;
    read_it();
}

static void fault_in_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    read_it();
}

static void fault_twice(void)
{
    handle(SIGSEGV, fault_in_handler, 0, 0);
    expected = (char *)0x1234;
    read_it();
}

static void segv(void)
{
    expected = (char *)0x1234;
    read_it();
}

static void overflow_stack(void) { recurse(0); }

static void fatal(void)
{
    in_child("default", segv);
    in_child("blocked", fault_blocked);
    in_child("ignored", fault_ignored);
    in_child("in its handler", fault_twice);
    in_child("stack overflow", overflow_stack);
    in_child("ud2", undefined);
    in_child("division", divide);
    in_child("int3", breakpoint);
}

const struct check fault_checks[] = {
    { "memory", memory },           { "protection", protection },
    { "instructions", instructions }, { "single-step", single_step },
    { "bus", bus },                 { "repair", repairing },
    { "stack-overflow", stack_overflow }, { "fatal", fatal },
    { NULL, NULL },
};
