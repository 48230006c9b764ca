#include "elf_builder.h"

#include <string.h>

Elf64_Ehdr *elf_header(struct elf_builder *elf) { return (Elf64_Ehdr *)elf->head; }

void elf_start(struct elf_builder *elf, unsigned type, uint64_t entry)
{
    Elf64_Ehdr *header = elf_header(elf);

    memset(elf, 0, sizeof *elf);
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_ident[EI_VERSION] = EV_CURRENT;
    header->e_type = type;
    header->e_machine = EM_X86_64;
    header->e_version = EV_CURRENT;
    header->e_entry = entry;
    header->e_phoff = sizeof *header;
    header->e_ehsize = sizeof *header;
    header->e_phentsize = sizeof(Elf64_Phdr);
}

Elf64_Phdr *elf_add(struct elf_builder *elf, unsigned type, unsigned flags, uint64_t offset,
                    uint64_t address, uint64_t file_bytes, uint64_t memory_bytes)
{
    Elf64_Ehdr *header = elf_header(elf);
    Elf64_Phdr *entry = (Elf64_Phdr *)(elf->head + sizeof *header) + header->e_phnum++;

    entry->p_type = type;
    entry->p_flags = flags;
    entry->p_offset = offset;
    entry->p_vaddr = entry->p_paddr = address;
    entry->p_filesz = file_bytes;
    entry->p_memsz = memory_bytes;
    entry->p_align = 4096;
    return entry;
}
