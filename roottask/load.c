/*
 * Puts the image of a native program into its protection domain. Pages that are
 * only read are mapped straight from the archive if they lie on page boundaries
 * there; all others are copied.
 */
#include "elf.h"
#include "root.h"
#include <string.h>

/* Programs lie below their startup page. */
#define IMAGE_LOW  0x10000ull
#define IMAGE_HIGH STARTUP_VA

void *pages_place(struct program *program, uint64_t address, unsigned order, unsigned rights)
{
    phys_t phys = memory_take(order, OWNER_IMAGE);

    if (!phys)
        return NULL;
    if (with_program_memory(
            program, hc_map_phys(program->pd, phys, address, 1ull << order, rights)) != ST_OK)
        return NULL;
    return frame_ptr(phys);
}

static bool segment_is_direct(const struct elf_segment *segment, const char *content)
{
    return !(segment->rights & MEM_W) && segment->file_bytes == segment->memory_bytes &&
           (((uintptr_t)content ^ segment->address) & (PAGE_BYTES - 1)) == 0;
}

/* Copies the part of [from, from + bytes) of the segment's pages that the file has. */
static void content_copy(char *memory, const struct elf_segment *segment, const char *content,
                         uint64_t from, uint64_t bytes)
{
    uint64_t within = segment->address & (PAGE_BYTES - 1);
    uint64_t begin = from > within ? from : within;
    uint64_t end = within + segment->file_bytes;

    if (end > from + bytes)
        end = from + bytes;
    if (begin < end)
        memcpy(memory + (begin - from), content + (begin - within), end - begin);
}

/* In blocks of decreasing size, so that no frame is wasted. */
static bool segment_copy(struct program *program, const struct elf_segment *segment,
                         const char *content, uint64_t pages)
{
    uint64_t base = segment->address & -PAGE_BYTES, done = 0;

    while (done < pages) {
        unsigned order = 63 - (unsigned)__builtin_clzll(pages - done);
        char *memory = pages_place(program, base + (done << PAGE_SHIFT), order, segment->rights);

        if (!memory)
            return false;
        content_copy(memory, segment, content, done << PAGE_SHIFT, PAGE_BYTES << order);
        done += 1ull << order;
    }
    return true;
}

static bool segment_load(struct program *program, const struct elf_segment *segment,
                         const char *file)
{
    const char *content = file + segment->offset;
    uint64_t within = segment->address & (PAGE_BYTES - 1);
    uint64_t pages = (within + segment->memory_bytes + PAGE_BYTES - 1) >> PAGE_SHIFT;

    if (segment_is_direct(segment, content))
        return with_program_memory(program, hc_map_phys(program->pd, frame_phys(content - within),
                                                        segment->address - within, pages,
                                                        segment->rights)) == ST_OK;
    return segment_copy(program, segment, content, pages);
}

uint64_t image_load(struct program *program, const void *file, uint64_t bytes, const char **why)
{
    struct elf_image image;

    *why = elf_read(&image, file, bytes, IMAGE_LOW, IMAGE_HIGH);
    if (*why)
        return 0;
    for (unsigned i = 0; i < image.segment_count; i++) {
        if (!segment_load(program, &image.segments[i], file)) {
            *why = "there is not enough memory for it";
            return 0;
        }
    }
    return image.entry;
}
