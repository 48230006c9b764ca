/*
 * Where a native program starts. The roottask starts its main EC with rsp (and
 * the FS base) at the TCB above the stack.
 */
    .text
    .globl  _start
    .type   _start, @function
_start:
    xor     %ebp, %ebp
    mov     %rsp, %rdi
    and     $-16, %rsp
    call    native_start
    ud2
    .size   _start, . - _start
    .section .note.GNU-stack, "", @progbits
