/* The root program's ELF file, page-aligned so that its pages can be mapped. */
    .section .root_image, "a", @progbits
    .balign 4096
    .globl root_image, root_image_end
root_image:
    .incbin ROOT_IMAGE
root_image_end:
    .balign 4096
    .section .note.GNU-stack, "", @progbits
