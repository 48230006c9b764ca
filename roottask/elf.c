/*
 * Checked reader for native programs: see elf.h.
 */
#include "elf.h"
#include <abi/hypercall.h>
#include <linux/elf.h>
#include <string.h>

static const char *header_check(const Elf64_Ehdr *header, uint64_t file_bytes)
{
    if (file_bytes < sizeof *header)
        return "it is too short for an ELF header";
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return "it is not an ELF file";
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
        return "it is not a 64-bit little-endian ELF file";
    if (header->e_machine != EM_X86_64)
        return "it is for another machine";
    if (header->e_type != ET_EXEC)
        return "it is not a static executable at fixed addresses (ET_EXEC)";
    if (header->e_phentsize != sizeof(Elf64_Phdr))
        return "its program headers have an unknown size";
    if (header->e_phoff > file_bytes ||
        header->e_phnum > (file_bytes - header->e_phoff) / sizeof(Elf64_Phdr))
        return "its program headers reach beyond the end of the file";
    return NULL;
}

static unsigned segment_rights(const Elf64_Phdr *header)
{
    return (header->p_flags & PF_R ? MEM_R : 0) | (header->p_flags & PF_W ? MEM_W : 0) |
           (header->p_flags & PF_X ? MEM_X : 0);
}

static uint64_t page_end(uint64_t address) { return (address + PAGE_BYTES - 1) & -PAGE_BYTES; }

static const char *segment_check(const Elf64_Phdr *header, uint64_t file_bytes, uint64_t low,
                                 uint64_t high)
{
    if (header->p_offset > file_bytes || header->p_filesz > file_bytes - header->p_offset)
        return "a segment reaches beyond the end of the file";
    if (header->p_filesz > header->p_memsz)
        return "a segment is larger in the file than in memory";
    if (header->p_vaddr < low || header->p_vaddr >= high ||
        header->p_memsz > high - header->p_vaddr)
        return "a segment lies outside the range for programs";
    if ((header->p_vaddr ^ header->p_offset) & (PAGE_BYTES - 1))
        return "address and offset of a segment differ within the page";
    if ((header->p_flags & PF_W) && (header->p_flags & PF_X))
        return "a segment is writable and executable";
    return NULL;
}

/* The gABI demands ascending order, so comparing with the one before is enough. */
static const char *segment_add(struct elf_image *image, const Elf64_Phdr *header)
{
    if (image->segment_count == ELF_MAX_SEGMENTS)
        return "it has too many segments";
    if (image->segment_count > 0) {
        const struct elf_segment *last = &image->segments[image->segment_count - 1];

        if ((header->p_vaddr & -PAGE_BYTES) < page_end(last->address + last->memory_bytes))
            return "its segments overlap or are not in ascending order";
    }
    image->segments[image->segment_count++] = (struct elf_segment){
        .address = header->p_vaddr,
        .offset = header->p_offset,
        .file_bytes = header->p_filesz,
        .memory_bytes = header->p_memsz,
        .rights = segment_rights(header),
    };
    return NULL;
}

static bool entry_valid(const struct elf_image *image)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];

        if ((segment->rights & MEM_X) && image->entry >= segment->address &&
            image->entry - segment->address < segment->memory_bytes)
            return true;
    }
    return false;
}

const char *elf_read(struct elf_image *image, const void *file, uint64_t file_bytes, uint64_t low,
                     uint64_t high)
{
    Elf64_Ehdr header = { 0 };
    const char *why;

    memset(image, 0, sizeof *image);
    memcpy(&header, file, file_bytes < sizeof header ? file_bytes : sizeof header);
    why = header_check(&header, file_bytes);
    for (unsigned i = 0; !why && i < header.e_phnum; i++) {
        Elf64_Phdr segment;

        memcpy(&segment, (const char *)file + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_INTERP || segment.p_type == PT_DYNAMIC)
            return "it is dynamically linked";
        if (segment.p_type != PT_LOAD || segment.p_memsz == 0)
            continue;
        why = segment_check(&segment, file_bytes, low, high);
        if (!why)
            why = segment_add(image, &segment);
    }
    image->entry = header.e_entry;
    if (!why && !entry_valid(image))
        why = "its entry point is not in an executable segment";
    return why;
}
