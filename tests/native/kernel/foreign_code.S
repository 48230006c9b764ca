/*
 * What foreign threads run, in pages of its own that are mapped into their PDs at
 * the same address; with foreign_data, a page of data (env.h: struct foreign_data).
 */
#define F_NATIVE_CALL 0x30100000        /* UTCB of the first foreign EC: native_call */

    .section foreign_text, "ax", @progbits
    .balign 4096

/* Number 0x77 with all registers set; afterwards they are stored for the test:
 * rax rbx rdx rsi rdi rbp rsp r8 r9 r10 r12 r13 r14 r15. */
    .globl  f_registers
f_registers:
    mov     $0x1001, %rbx
    mov     $0x1002, %rdx
    mov     $0x1003, %rsi
    mov     $0x1004, %rdi
    mov     $0x1005, %rbp
    mov     $0x1006, %r8
    mov     $0x1007, %r9
    mov     $0x1008, %r10
    mov     $0x1009, %r12
    mov     $0x100a, %r13
    mov     $0x100b, %r14
    mov     $0x100c, %r15
    mov     $0x77, %eax
    syscall
f_registers_after:
    .globl  f_registers_after
    mov     %rax, foreign_data+0
    mov     %rbx, foreign_data+8
    mov     %rdx, foreign_data+16
    mov     %rsi, foreign_data+24
    mov     %rdi, foreign_data+32
    mov     %rbp, foreign_data+40
    mov     %rsp, foreign_data+48
    mov     %r8, foreign_data+56
    mov     %r9, foreign_data+64
    mov     %r10, foreign_data+72
    mov     %r12, foreign_data+80
    mov     %r13, foreign_data+88
    mov     %r14, foreign_data+96
    mov     %r15, foreign_data+104

/* System call 60 ends a test: the handler keeps the thread. */
    .globl  f_exit
f_exit:
    mov     $60, %eax
    syscall
    jmp     f_exit

/* Makes the calls whose numbers are in foreign_data, up to a 60; results replace them. */
    .globl  f_numbers
f_numbers:
    lea     foreign_data, %rbx
1:  mov     (%rbx), %rax
    cmp     $60, %rax
    je      f_exit
    syscall
    mov     %rax, (%rbx)
    add     $8, %rbx
    jmp     1b

/* Reads and then writes the addresses in foreign_data, up to a 0. */
    .globl  f_touch, f_touch_read, f_touch_write
f_touch:
    lea     foreign_data, %rbx
1:  mov     (%rbx), %rsi
    test    %rsi, %rsi
    jz      f_exit
f_touch_read:
    mov     (%rsi), %rax
    inc     %rax
f_touch_write:
    mov     %rax, (%rsi)
    mov     %rax, (%rbx)
    add     $8, %rbx
    jmp     1b

    .globl  f_ud
f_ud:
    ud2
    jmp     f_exit

    .globl  f_de
f_de:
    xor     %edx, %edx
    mov     $1, %eax
    xor     %ecx, %ecx
    .globl  f_de_at
f_de_at:
    div     %ecx
    jmp     f_exit

    .globl  f_gp
f_gp:
    hlt
    jmp     f_exit

/* Port access: also #GP. */
    .globl  f_port
f_port:
    in      $0x64, %al
    jmp     f_exit

    .globl  f_non_canonical
f_non_canonical:
    movabs  $0x8000000000000000, %rax
    .globl  f_non_canonical_at
f_non_canonical_at:
    mov     (%rax), %rax
    jmp     f_exit

    .globl  f_int3
f_int3:
    int3
    .globl  f_int3_after
f_int3_after:
    jmp     f_exit

    .globl  f_int80
f_int80:
    int     $0x80
    jmp     f_exit

/* A single step: trap flag. */
    .globl  f_step
f_step:
    pushfq
    orq     $0x100, (%rsp)
    popfq
    nop
    .globl  f_step_after
f_step_after:
    jmp     f_exit

/* Division of the x87 by zero, unmasked. */
    .globl  f_mf
f_mf:
    fninit
    movw    $0x37b, foreign_data
    fldcw   foreign_data
    fld1
    fldz
    fdivrp
    .globl  f_mf_at
f_mf_at:
    fwait
    jmp     f_exit

/* Counts for ever. */
    .globl  f_spin
f_spin:
    incq    foreign_data
    jmp     f_spin

/* Counts at the FS and GS base for ever. */
    .globl  f_spin_segments
f_spin_segments:
    incq    %fs:0
    incq    %gs:0
    jmp     f_spin_segments

/* Sets its bases itself, to foreign_data + 800 and + 808, then the same. */
    .globl  f_own_segments
f_own_segments:
    lea     foreign_data+800, %rax
    wrfsbase %rax
    lea     foreign_data+808, %rax
    wrgsbase %rax
    jmp     f_spin_segments

/* A hypercall (semaphore up, control word in foreign_data) by native_call, then
 * the same system call again. */
    .globl  f_native
f_native:
    movq    $1, F_NATIVE_CALL
    mov     foreign_data, %rax
    syscall
    mov     %rax, foreign_data+8
    mov     F_NATIVE_CALL, %rax
    mov     %rax, foreign_data+16
    mov     foreign_data, %rax
    syscall
    mov     %rax, foreign_data+24
    jmp     f_exit

/* The same for ever with the given control word and time limit: up, then down. */
    .globl  f_native_wait
f_native_wait:
    movq    $1, F_NATIVE_CALL
    mov     foreign_data, %rax
    xor     %edi, %edi
    syscall
    incq    foreign_data+8
    jmp     f_native_wait

/* Runs system call 1 in a loop. */
    .globl  f_calls
f_calls:
    mov     $1, %eax
    syscall
    jmp     f_calls

/* Stores what EC_OP_SET_STATE has set, in the order of struct ec_state. */
    .globl  f_set_state_target
f_set_state_target:
    mov     %rax, foreign_data+0
    mov     %rbx, foreign_data+8
    mov     %rcx, foreign_data+16
    mov     %rdx, foreign_data+24
    mov     %rsi, foreign_data+32
    mov     %rdi, foreign_data+40
    mov     %rbp, foreign_data+48
    mov     %r8, foreign_data+56
    mov     %r9, foreign_data+64
    mov     %r10, foreign_data+72
    mov     %r11, foreign_data+80
    mov     %r12, foreign_data+88
    mov     %r13, foreign_data+96
    mov     %r14, foreign_data+104
    mov     %r15, foreign_data+112
    mov     %rsp, foreign_data+120
    lea     foreign_data+2048, %rsp
    pushfq
    popq    foreign_data+128
    mov     %fs:0, %rax
    mov     %rax, foreign_data+136
    mov     %gs:0, %rax
    mov     %rax, foreign_data+144
    jmp     f_exit

    .section .foreign_data, "aw", @progbits
    .balign 4096
    .globl  foreign_data
foreign_data:
    .skip   4096

    .section .note.GNU-stack, "", @progbits
