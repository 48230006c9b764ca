/*
 * Reading ELF64 program files: what to map where. Pure; nothing is mapped here.
 */
#pragma once

#include <abi/types.h>

#define ELF_MAX_SEGMENTS 73u /* as many program headers as fit into a page, as on Linux */

struct elf_segment {
    uint64_t address, memory_bytes; /* as in the file: neither rounded nor moved */
    uint64_t offset, file_bytes;
    unsigned prot;                  /* PROT_READ, ... */
};

struct elf_image {
    bool     position_independent;  /* ET_DYN */
    bool     executable_stack;      /* PT_GNU_STACK says so */
    uint64_t entry;
    uint64_t headers;               /* address of the program headers, 0 if not loaded */
    unsigned header_count, header_bytes; /* AT_PHNUM, AT_PHENT */
    uint64_t interpreter_offset, interpreter_bytes; /* path; 0 bytes: none */
    uint64_t low, high;             /* extent of all segments, in whole pages */
    uint64_t align;                 /* greatest of the segments; at least a page */
    unsigned count;
    struct elf_segment segment[ELF_MAX_SEGMENTS];
};

/* head: the first bytes of the file; ELF header and program headers must be in them.
 * Returns 0; -ENOEXEC for a file that is no x86-64 program (elf(5), execve(2));
 * -EINVAL for segments that can't be mapped. */
int elf_parse(const void *head, size_t bytes, struct elf_image *image)
    __attribute__((warn_unused_result));
