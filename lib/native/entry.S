/*
 * Where threads and portal handlers begin; rsp is at their TCB.
 */
    .text

/* A message: registers as in abi/message.h become a struct portal_frame, which
 * portal_dispatch turns into the reply's. 64 bytes keep the stack aligned. */
    .globl  portal_entry
    .type   portal_entry, @function
portal_entry:
    xor     %ebp, %ebp
    and     $-16, %rsp
    sub     $64, %rsp
    mov     %rax, 0(%rsp)
    mov     %rdi, 8(%rsp)
    mov     %rsi, 16(%rsp)
    mov     %rdx, 24(%rsp)
    mov     %r10, 32(%rsp)
    mov     %r8, 40(%rsp)
    mov     %r9, 48(%rsp)
    mov     %r13, 56(%rsp)
    mov     %r12, %rdi
    mov     %rsp, %rsi
    cld
    call    portal_dispatch
    mov     0(%rsp), %rax
    mov     8(%rsp), %rdi
    mov     16(%rsp), %rsi
    mov     24(%rsp), %rdx
    mov     32(%rsp), %r10
    mov     40(%rsp), %r8
    mov     48(%rsp), %r9
    syscall
    ud2                                 /* HC_REPLY does not return */
    .size   portal_entry, . - portal_entry

    .globl  thread_entry
    .type   thread_entry, @function
thread_entry:
    xor     %ebp, %ebp
    mov     %rsp, %rdi
    and     $-16, %rsp
    call    thread_start
    ud2
    .size   thread_entry, . - thread_entry
    .section .note.GNU-stack, "", @progbits
