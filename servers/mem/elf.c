#include "servers/mem/elf.h"

#include "servers/mem/layout.h"

#include <asm/mman.h>
#include <errno.h>
#include <linux/elf.h>
#include <linux/limits.h>
#include <string.h>

static int check_header(const Elf64_Ehdr *header, size_t bytes)
{
    uint64_t table_bytes = (uint64_t)header->e_phnum * sizeof(Elf64_Phdr);

    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
        return -ENOEXEC;
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return -ENOEXEC;
    if (header->e_machine != EM_X86_64 || header->e_phentsize != sizeof(Elf64_Phdr))
        return -ENOEXEC;
    if (header->e_phnum == 0 || header->e_phnum > ELF_MAX_SEGMENTS)
        return -ENOEXEC;
    if (header->e_phoff > bytes || bytes - header->e_phoff < table_bytes)
        return -ENOEXEC;
    return 0;
}

static unsigned segment_prot(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

static bool is_power_of_two(uint64_t value) { return value && !(value & (value - 1)); }

static int check_load(const Elf64_Phdr *header)
{
    if (header->p_filesz > header->p_memsz || !layout_is_user(header->p_vaddr, header->p_memsz) ||
        page_up(header->p_vaddr + header->p_memsz) > USER_END)
        return -EINVAL;
    if (header->p_filesz == 0)
        return 0;
    if (page_offset(header->p_vaddr) != page_offset(header->p_offset))
        return -EINVAL;
    return header->p_offset > INT64_MAX - header->p_filesz - PAGE_BYTES ? -EINVAL : 0;
}

static int add_load(struct elf_image *image, const Elf64_Phdr *header)
{
    struct elf_segment *segment = &image->segment[image->count];
    uint64_t low = page_down(header->p_vaddr);
    uint64_t high = page_up(header->p_vaddr + header->p_memsz);
    int error = check_load(header);

    if (error)
        return error;
    if (header->p_memsz == 0)
        return 0;
    segment->address = header->p_vaddr;
    segment->memory_bytes = header->p_memsz;
    segment->offset = header->p_offset;
    segment->file_bytes = header->p_filesz;
    segment->prot = segment_prot(header->p_flags);
    if (image->count++ == 0 || low < image->low)
        image->low = low;
    if (high > image->high)
        image->high = high;
    if (is_power_of_two(header->p_align) && header->p_align > image->align)
        image->align = header->p_align;
    return 0;
}

static int add_interpreter(struct elf_image *image, const Elf64_Phdr *header)
{
    if (image->interpreter_bytes) /* the first one counts */
        return 0;
    if (header->p_filesz > PATH_MAX || header->p_filesz < 2 ||
        header->p_offset > INT64_MAX - PATH_MAX)
        return -ENOEXEC;
    image->interpreter_offset = header->p_offset;
    image->interpreter_bytes = header->p_filesz;
    return 0;
}

static int add_header(struct elf_image *image, const Elf64_Phdr *header)
{
    switch (header->p_type) {
    case PT_LOAD:
        return add_load(image, header);
    case PT_INTERP:
        return add_interpreter(image, header);
    case PT_GNU_STACK:
        image->executable_stack = header->p_flags & PF_X;
        return 0;
    default:
        return 0;
    }
}

/* Where the program headers are in memory: in the segment with that part of the file. */
static void find_headers(struct elf_image *image, uint64_t offset)
{
    for (unsigned i = 0; i < image->count; i++) {
        const struct elf_segment *segment = &image->segment[i];

        if (offset >= segment->offset && offset - segment->offset < segment->file_bytes) {
            image->headers = segment->address + (offset - segment->offset);
            return;
        }
    }
}

int elf_parse(const void *head, size_t bytes, struct elf_image *image)
{
    Elf64_Ehdr header;
    int error;

    memset(image, 0, sizeof *image);
    image->align = PAGE_BYTES;
    if (bytes < sizeof header)
        return -ENOEXEC;
    memcpy(&header, head, sizeof header);
    error = check_header(&header, bytes);
    for (unsigned i = 0; i < header.e_phnum && !error; i++) {
        Elf64_Phdr entry;

        memcpy(&entry, (const char *)head + header.e_phoff + i * sizeof entry, sizeof entry);
        error = add_header(image, &entry);
    }
    if (error)
        return error;
    image->position_independent = header.e_type == ET_DYN;
    if (image->position_independent && image->high == image->low)
        return -EINVAL;
    if (!image->position_independent && header.e_entry >= USER_END)
        return -EINVAL;
    image->entry = header.e_entry;
    image->header_count = header.e_phnum;
    image->header_bytes = header.e_phentsize;
    find_headers(image, header.e_phoff);
    return 0;
}
