/*
 * Where the root program, threads and handlers begin. The block at the stack
 * pointer of each EC (struct tcb in env.h) is also where its FS base points.
 */
    .text
    .globl  _start
_start:
    xor     %ebp, %ebp
    mov     %rsp, %rcx                  /* fourth argument */
    and     $-16, %rsp
    call    root_main
    ud2

    .globl  thread_entry
thread_entry:
    xor     %ebp, %ebp
    mov     %rsp, %rdi
    and     $-16, %rsp
    call    thread_run
    ud2

/* A portal's identity is the C function that handles its messages; it gets the
 * message as struct msg and leaves the reply there. */
    .globl  handler_entry
handler_entry:
    xor     %ebp, %ebp
    and     $-16, %rsp
    sub     $80, %rsp
    mov     %rax, 0(%rsp)
    mov     %rdi, 8(%rsp)
    mov     %rsi, 16(%rsp)
    mov     %rdx, 24(%rsp)
    mov     %r10, 32(%rsp)
    mov     %r8, 40(%rsp)
    mov     %r9, 48(%rsp)
    mov     %r12, 56(%rsp)
    mov     %r13, 64(%rsp)
    movq    $1, 72(%rsp)                /* HC_REPLY */
    mov     %rsp, %rdi
    cld
    call    *%r12
    mov     72(%rsp), %rax
    mov     8(%rsp), %rdi
    mov     16(%rsp), %rsi
    mov     24(%rsp), %rdx
    mov     32(%rsp), %r10
    mov     40(%rsp), %r8
    mov     48(%rsp), %r9
    syscall
    ud2

/* The fastest handler there is, for the measurements: replies at once. */
    .globl  handler_empty
handler_empty:
    mov     $1, %eax
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
