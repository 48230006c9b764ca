/*
 * Ways into the kernel and out of it.
 *
 * From user mode the registers are pushed straight into the current EC: for
 * "syscall" by us, for interrupts and exceptions by the processor first, because
 * TSS.RSP0 points to the end of the EC's frame. Then the CPU's kernel stack is
 * used. There is one way out: the registers of the CPU's current EC.
 */
#define CPU_KERNEL_STACK 8
#define CPU_SCRATCH      16
#define CPU_CURRENT      24

#define EC_REGS     48
#define EC_REGS_END (EC_REGS + 176)

#define VECTOR_SYSCALL 0x100
#define SEL_USER_DATA  0x2b
#define SEL_USER_CODE  0x33

.macro push_registers
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro pop_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
.endm

    .text
    .globl syscall_entry
syscall_entry:
    swapgs
    movq %rsp, %gs:CPU_SCRATCH
    movq %gs:CPU_CURRENT, %rsp
    leaq EC_REGS_END(%rsp), %rsp
    pushq $SEL_USER_DATA
    pushq %gs:CPU_SCRATCH
    pushq %r11
    pushq $SEL_USER_CODE
    pushq %rcx
    pushq $0
    pushq $VECTOR_SYSCALL
    push_registers
    movq %gs:CPU_KERNEL_STACK, %rsp
    movq %gs:CPU_CURRENT, %rdi
    xorl %ebp, %ebp
    call syscall_handle
    jmp exit_to_user

/* rsp: at the vector, in the EC's frame or on the kernel stack. */
trap_common:
    testb $3, 24(%rsp)                  /* code segment: from user mode? */
    jz trap_kernel
    swapgs
    push_registers
    movq %gs:CPU_KERNEL_STACK, %rsp
    movq %gs:CPU_CURRENT, %rdi
    xorl %ebp, %ebp
    cld
    call trap_handle
    jmp exit_to_user

/* An interrupt that woke an idle CPU, or a bug of ours. */
trap_kernel:
    push_registers
    movq %rsp, %rdi
    cld
    call trap_handle_kernel
    pop_registers
    addq $16, %rsp
    iretq

/* For non-maskable interrupts and machine checks, on their own stack. */
trap_paranoid:
    push_registers
    movq %rsp, %rdi
    cld
    call trap_handle_paranoid
    pop_registers
    addq $16, %rsp
    iretq

/* Begins to run the current EC, on a fresh kernel stack. */
    .globl exit_to_user
exit_to_user:
    movq %gs:CPU_KERNEL_STACK, %rsp
    call schedule_exit
    movq %gs:CPU_CURRENT, %rdi
    leaq EC_REGS(%rdi), %rsp
    pop_registers
    cmpq $VECTOR_SYSCALL, (%rsp)
    jne 1f
    movq 16(%rsp), %rcx                 /* rip */
    movq 32(%rsp), %r11                 /* rflags */
    movq 40(%rsp), %rsp
    swapgs
    sysretq
1:  addq $16, %rsp
    swapgs
    iretq

/* The current stack is abandoned; the CPU waits for an interrupt, and returns
 * to the caller after it. */
    .globl cpu_wait
cpu_wait:
    sti
    hlt
    cli
    ret

/* 256 stubs of 16 bytes. */
    .balign 16
    .globl trap_stubs
trap_stubs:
vector = 0
.rept 256
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    pushq $0
    .endif
    pushq $vector
    .if (vector == 2) || (vector == 8) || (vector == 18)
    jmp trap_paranoid
    .else
    jmp trap_common
    .endif
vector = vector + 1
.endr

    .section .note.GNU-stack, "", @progbits
