/*
 * Where the roottask starts: rdi kernel information page, rsi UTCB, rdx first
 * free selector; rsp is at the block above the stack, as in lib/native.
 */
    .text
    .globl  _start
    .type   _start, @function
_start:
    xor     %ebp, %ebp
    mov     %rsp, %rcx
    and     $-16, %rsp
    call    root_start
    ud2
    .size   _start, . - _start
    .section .note.GNU-stack, "", @progbits
