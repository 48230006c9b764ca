/*
 * The end: reason, registers, backtrace; then QEMU is told by the debug-exit
 * device (isa-debug-exit at 0xf4), and the machine stops.
 */
#include "misc.h"
#include "x86.h"

static _Atomic uint32_t panicking;

_Noreturn void machine_stop(uint8_t code)
{
    outb(0xf4, code);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void print_backtrace(uint64_t rip, const uint64_t *frame)
{
    print("@backtrace kernel");
    if (rip)
        print(" %lx", rip);
    for (int depth = 0; depth < 24; depth++) {
        if ((uint64_t)frame < DIRECT_BASE || (uint64_t)frame % 8 || !frame[1])
            break;
        print(" %lx", frame[1]);
        if ((uint64_t *)frame[0] <= frame)
            break;
        frame = (const uint64_t *)frame[0];
    }
    print("\n");
}

static void enter_panic(void)
{
    if (__atomic_exchange_n(&panicking, 1, __ATOMIC_ACQUIRE))
        for (;;)
            __asm__ volatile("cli; hlt");
}

_Noreturn void panic(const char *format, ...)
{
    char line[256];
    __builtin_va_list args;

    enter_panic();
    __builtin_va_start(args, format);
    format_text(line, sizeof line, format, args);
    __builtin_va_end(args);
    print("\nkernel panic: %s\n", line);
    print_backtrace(0, __builtin_frame_address(0));
    machine_stop(STOP_PANIC);
}

_Noreturn void panic_regs(const struct regs *r, const char *what)
{
    enter_panic();
    print("\nkernel panic: %s, vector %lu error %lx cr2 %lx\n", what, r->vector, r->error_code,
          read_cr2());
    print("rip %016lx rsp %016lx rflags %lx cs %lx\n", r->rip, r->rsp, r->rflags, r->cs);
    print("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
    print("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
    print("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
    print("r13 %016lx r14 %016lx r15 %016lx\n", r->r13, r->r14, r->r15);
    print_backtrace(r->rip, (const uint64_t *)r->rbp);
    machine_stop(STOP_PANIC);
}
