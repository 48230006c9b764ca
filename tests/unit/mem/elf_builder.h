/*
 * ELF files for tests.
 */
#pragma once

#include <linux/elf.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_HEAD_BYTES 2800u

struct elf_builder {
    unsigned char head[ELF_HEAD_BYTES];
};

/* An x86-64 program of this type (ET_EXEC, ET_DYN) without program headers. */
void elf_start(struct elf_builder *elf, unsigned type, uint64_t entry);
/* Adds a program header; returns it, for further changes. */
Elf64_Phdr *elf_add(struct elf_builder *elf, unsigned type, unsigned flags, uint64_t offset,
                    uint64_t address, uint64_t file_bytes, uint64_t memory_bytes);
Elf64_Ehdr *elf_header(struct elf_builder *elf);
