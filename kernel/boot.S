/*
 * From the boot loader to 64-bit C.
 *
 * Two ways in, both in 32-bit protected mode without paging: PVH
 * (XEN_ELFNOTE_PHYS32_ENTRY; ebx: struct hvm_start_info) and Multiboot2
 * (ebx: boot information). They are told apart by their entry points. Processors
 * other than the first begin at ap_trampoline, copied below 1 MiB.
 */
#define PHYS(symbol) ((symbol) - 0xffffffff80000000)

#define BOOT_PVH        1
#define BOOT_MULTIBOOT2 2

#define CR0_PE   (1 << 0)
#define CR0_MP   (1 << 1)
#define CR0_WP   (1 << 16)
#define CR0_PG   (1 << 31)
#define CR4_PAE  (1 << 5)
#define EFER_MSR 0xc0000080
#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

    .section .multiboot2, "a", @progbits
    .balign 8
multiboot2_header:
    .long 0xe85250d6, 0, multiboot2_header_end - multiboot2_header
    .long -(0xe85250d6 + (multiboot2_header_end - multiboot2_header))
    .short 3, 0                         /* entry address */
    .long 12, PHYS(multiboot2_entry)
    .balign 8
    .short 6, 0                         /* modules page-aligned */
    .long 8
    .short 0, 0
    .long 8
multiboot2_header_end:

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18                      /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long PHYS(pvh_entry)

    .section .boot.text, "ax", @progbits
    .code32
    .globl pvh_entry
pvh_entry:
    movl $BOOT_PVH, %ebp
    jmp 1f
multiboot2_entry:
    movl $BOOT_MULTIBOOT2, %ebp
1:  cld
    movl $PHYS(boot_stack_top), %esp
    movl %ebx, %esi                     /* cpuid destroys ebx */

    /* Is this a 64-bit CPU at all? Without one, stop in a recognisable place. */
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc no_long_mode

    /* Identity and kernel-half mappings of the first 4 GiB in 2 MiB pages. */
    movl $PHYS(boot_pd), %edi
    movl $0x83, %eax
    xorl %edx, %edx
    movl $2048, %ecx
2:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 2b

    movl $PHYS(boot_pdpt_low), %edi
    movl $PHYS(boot_pd) + 3, %eax
    movl $4, %ecx
3:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 3b
    movl $PHYS(boot_pd) + 3, PHYS(boot_pdpt_high) + 510 * 8

    movl $PHYS(boot_pdpt_low) + 3, PHYS(boot_pml4)
    movl $PHYS(boot_pdpt_low) + 3, PHYS(boot_pml4) + 256 * 8
    movl $PHYS(boot_pdpt_high) + 3, PHYS(boot_pml4) + 511 * 8
    movl $PHYS(boot_pml4), %eax
    call enter_long_mode
    ljmp $0x08, $PHYS(4f)

no_long_mode:
    movl $0x4c363420, 0xb8000
    hlt
    jmp no_long_mode

/* eax: page tables. Leaves paging and compatibility mode on. */
enter_long_mode:
    movl %eax, %cr3
    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $EFER_MSR, %ecx
    rdmsr
    orl $(EFER_SCE | EFER_LME), %eax
    wrmsr
    movl $0x80000001, %eax
    cpuid
    btl $20, %edx                       /* NX */
    jnc 1f
    movl $EFER_MSR, %ecx
    rdmsr
    orl $EFER_NXE, %eax
    wrmsr
1:  movl %cr0, %eax
    orl $(CR0_PE | CR0_MP | CR0_WP | CR0_PG), %eax
    movl %eax, %cr0
    lgdtl PHYS(boot_gdt_pointer)
    ret

    .code64
4:  movabsq $5f, %rax
    jmpq *%rax
5:  movq $boot_stack_top, %rsp
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl %ebp, %edi
    xorl %ebp, %ebp
    call kernel_main
6:  hlt
    jmp 6b

/*
 * Application processors: started in real mode at this code's copy, whose page
 * number is the start-up vector. Position-independent up to the far jump; the
 * parameters follow it.
 */
    .code16
    .globl ap_trampoline, ap_trampoline_end
ap_trampoline:
    cli
    movw %cs, %ax
    movw %ax, %ds
    movzwl %ax, %ebx
    shll $4, %ebx                       /* linear address of the copy */
    leal (ap_gdt - ap_trampoline)(%ebx), %eax
    movl %eax, (ap_gdt_pointer - ap_trampoline + 2)
    leal (ap_32 - ap_trampoline)(%ebx), %eax
    movl %eax, (ap_far - ap_trampoline)
    lgdtl (ap_gdt_pointer - ap_trampoline)
    movl %cr0, %eax
    orl $CR0_PE, %eax
    movl %eax, %cr0
    ljmpl *(ap_far - ap_trampoline)

    .balign 8
ap_gdt:
    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
ap_gdt_pointer:
    .short 23
    .long 0
ap_far:
    .long 0
    .short 0x08

    .code32
ap_32:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %ss
    movl $PHYS(boot_pml4), %eax
    movl $PHYS(ap_stack_top), %esp
    movl $PHYS(enter_long_mode), %ecx
    call *%ecx
    ljmp $0x08, $PHYS(7f)
ap_trampoline_end:

    .code64
7:  movabsq $8f, %rax
    jmpq *%rax
8:  xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movq ap_boot_stack(%rip), %rsp
    xorl %ebp, %ebp
    call ap_main
9:  hlt
    jmp 9b

    .section .data
    .balign 8
boot_gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
boot_gdt_pointer:
    .short 23
    .long PHYS(boot_gdt)

    .section .bss
    .balign 4096
    .globl boot_pml4
boot_pml4:      .skip 4096
boot_pdpt_low:  .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4 * 4096
    .skip 256
ap_stack_top:
    .skip 16384 - 256
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
