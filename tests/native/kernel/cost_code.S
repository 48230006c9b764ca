/*
 * Code that is measured, and the handlers it calls. rdtsc counts instructions
 * under -icount.
 */
    .text
/* Answers a page fault with the page cost_source. */
    .globl  cost_pager
cost_pager:
    mov     %rdi, %rdx
    and     $-4096, %rdx
    mov     cost_source, %rsi
    mov     $1, %r10d
    mov     $3, %r8d
    mov     $0x201, %eax                /* HC_REPLY, REPLY_MAP */
    syscall
    ud2

    .section foreign_text, "ax", @progbits
.macro now to
    rdtsc
    shl     $32, %rdx
    or      %rdx, %rax
    mov     %rax, \to
.endm

/* Touches 16 pages from the address in foreign_data; times go to foreign_data + 64. */
    .globl  f_cost_fault
f_cost_fault:
    mov     foreign_data, %rdi
    lea     foreign_data+64, %rbx
    mov     $16, %ecx
1:  now     %r8
    mov     (%rdi), %rsi
    now     %r9
    sub     %r8, %r9
    mov     %r9, (%rbx)
    add     $8, %rbx
    add     $4096, %rdi
    dec     %ecx
    jnz     1b
    jmp     f_exit

/* The same for a breakpoint, and for a system call. */
    .globl  f_cost_exception
f_cost_exception:
    lea     foreign_data+64, %rbx
    mov     $16, %ecx
1:  now     %r8
    int3
    now     %r9
    sub     %r8, %r9
    mov     %r9, (%rbx)
    add     $8, %rbx
    dec     %ecx
    jnz     1b
    jmp     f_exit

    .globl  f_cost_call
f_cost_call:
    lea     foreign_data+64, %rbx
    mov     $16, %edi
1:  now     %r8
    mov     $1, %eax
    syscall
    now     %r9
    sub     %r8, %r9
    mov     %r9, (%rbx)
    add     $8, %rbx
    dec     %edi
    jnz     1b
    jmp     f_exit

    .section .note.GNU-stack, "", @progbits
