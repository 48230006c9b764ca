#include "servers/mem/exec.h"

#include "servers/mem/elf.h"
#include "servers/mem/layout.h"
#include "servers/mem/rope.h"
#include "servers/mem/stack_image.h"

#include <asm/mman.h>
#include <errno.h>
#include <lib/native/native.h>
#include <stdlib.h>
#include <string.h>

struct exec {
    struct program_facts facts;
    struct rope          strings[2]; /* by enum exec_string_kind */
};

/* ---- segments ----------------------------------------------------------------------------- */

/* The part of a segment that the file has. */
static int map_file_part(struct space *space, const struct elf_segment *segment,
                         struct object *object, uint64_t bias)
{
    uint64_t address = segment->address + bias, file_end = address + segment->file_bytes;
    struct vma what = {
        .start = page_down(address), .end = page_up(file_end), .prot = segment->prot,
        .max_prot = PROT_ALL, .object = object, .index = page_number(segment->offset),
    };

    if (segment->file_bytes == 0)
        return 0;
    if (segment->memory_bytes > segment->file_bytes && page_offset(file_end))
        what.zero_from = file_end;
    return space_map(space, &what);
}

/* The pages after it, which begin as zeroes. */
static int map_zero_part(struct space *space, const struct elf_segment *segment, uint64_t bias)
{
    uint64_t address = segment->address + bias, file_end = address + segment->file_bytes;
    struct vma what = {
        .start = segment->file_bytes ? page_up(file_end) : page_down(address),
        .end = page_up(address + segment->memory_bytes),
        .prot = PROT_READ | PROT_WRITE | (segment->prot & PROT_EXEC),
        .max_prot = PROT_ALL,
    };

    return what.start < what.end ? space_map(space, &what) : 0;
}

/* Maps all segments. On errors some of them may be mapped. */
static int map_segments(struct space *space, const struct elf_image *image, struct object *object,
                        uint64_t bias)
{
    int error = 0;

    if (image->count == 0)
        return 0;
    if (image->low + bias < USER_LOW || image->high + bias > USER_END ||
        layout_is_reserved(image->low + bias, image->high + bias))
        return -EINVAL;
    for (unsigned i = 0; i < image->count && !error; i++) {
        error = map_file_part(space, &image->segment[i], object, bias);
        if (!error)
            error = map_zero_part(space, &image->segment[i], bias);
    }
    return error;
}

/* Maps an image of a file. On errors the space is empty and the file still the caller's. */
static int map_image(struct space *space, const struct elf_image *image,
                     const struct exec_file *file, uint64_t bias)
{
    struct object *object = object_open_file(file->file, file->file_bytes);
    int error = object ? map_segments(space, image, object, bias) : -ENOMEM;

    if (!error) {
        object_put(object, &space->released);
        return 0;
    }
    space_clear(space);
    if (object)
        object_cancel(object);
    return error;
}

static uint64_t align_up(uint64_t value, uint64_t align) { return (value + align - 1) & -align; }

/* What to add to the addresses of a position-independent program. */
static int choose_bias(const struct space *space, const struct elf_image *image, uint64_t *bias)
{
    uint64_t base = image->align < PIE_BASE ? align_up(PIE_BASE, image->align) : PIE_BASE;

    *bias = 0;
    if (!image->position_independent)
        return 0;
    if (image->high - image->low > space->mmap_base - base)
        return -ENOMEM;
    *bias = base - image->low;
    return 0;
}

static void note_program(struct program_facts *facts, const struct elf_image *image, uint64_t bias)
{
    facts->entry = facts->start = image->entry + bias;
    facts->headers = image->headers ? image->headers + bias : 0;
    facts->header_count = image->header_count;
    facts->header_bytes = image->header_bytes;
    facts->executable_stack = image->executable_stack;
}

/* As Linux has it: the code is all that is executable, the data is the last segment. */
static void mark_segments(struct program_marks *marks, const struct elf_image *image, uint64_t bias)
{
    *marks = (struct program_marks){ .code_start = UINT64_MAX };
    for (unsigned i = 0; i < image->count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        uint64_t start = segment->address + bias, end = start + segment->file_bytes;

        if (segment->prot & PROT_EXEC && start < marks->code_start)
            marks->code_start = start;
        if (segment->prot & PROT_EXEC && end > marks->code_end)
            marks->code_end = end;
        if (start > marks->data_start)
            marks->data_start = start;
        if (end > marks->data_end)
            marks->data_end = end;
    }
    if (marks->code_start > marks->code_end)
        marks->code_start = marks->code_end;
}

int exec_image(struct space *space, const struct exec_file *file, uint64_t *interpreter_offset,
               uint64_t *interpreter_bytes)
{
    struct elf_image image;
    uint64_t bias;
    int error;

    if (space->exec || space->vmas.count)
        return -EBUSY;
    error = elf_parse(file->head, file->head_bytes, &image);
    if (!error)
        error = choose_bias(space, &image, &bias);
    if (error)
        return error;
    space->exec = calloc(1, sizeof *space->exec);
    if (!space->exec)
        return -ENOMEM;
    error = map_image(space, &image, file, bias);
    if (error)
        return error;
    note_program(&space->exec->facts, &image, bias);
    mark_segments(&space->marks, &image, bias);
    space->brk_start = space->brk = image.count ? image.high + bias : PIE_BASE;
    *interpreter_offset = image.interpreter_offset;
    *interpreter_bytes = image.interpreter_bytes;
    return 0;
}

/* Where the interpreter goes: as high as possible, or where it says. */
static int place_interpreter(const struct space *space, const struct elf_image *image,
                             uint64_t *bias)
{
    uint64_t bytes = image->high - image->low, room = bytes + image->align - PAGE_BYTES, base;
    const struct vma *next;

    *bias = 0;
    if (!image->position_independent) {
        next = vma_at_or_after(&space->vmas, image->low);
        return next && next->start < image->high ? -EINVAL : 0;
    }
    base = room < bytes ? NO_GAP : space_find_gap(space, 0, room, false);
    if (base == NO_GAP)
        return -ENOMEM;
    *bias = align_up(base, image->align) - image->low;
    return 0;
}

int exec_interpreter(struct space *space, const struct exec_file *file)
{
    struct elf_image image;
    uint64_t bias;
    int error;

    if (!space->exec)
        return -EINVAL;
    error = elf_parse(file->head, file->head_bytes, &image);
    if (!error)
        error = place_interpreter(space, &image, &bias);
    if (!error)
        error = map_image(space, &image, file, bias);
    if (error) {
        space_clear(space);
        return error;
    }
    space->exec->facts.interpreter_base = image.low + bias;
    space->exec->facts.start = image.entry + bias;
    return 0;
}

/* ---- strings ------------------------------------------------------------------------------ */

static uint64_t collected_bytes(const struct exec *exec)
{
    return exec->strings[EXEC_ARGUMENT].bytes + exec->strings[EXEC_ENVIRONMENT].bytes;
}

int exec_string(struct space *space, enum exec_string_kind kind, bool more, const char *text,
                size_t bytes)
{
    struct exec *exec = space->exec;
    struct rope *rope;
    int error;

    if (!exec || kind > EXEC_ENVIRONMENT)
        return -EINVAL;
    if (!more && bytes > 0 && text[bytes - 1] == 0)
        bytes--;
    if (memchr(text, 0, bytes))
        return -EINVAL;
    rope = &exec->strings[kind];
    if (rope->pending + bytes >= EXEC_STRING_MAX || collected_bytes(exec) + bytes >= EXEC_ARGS_MAX)
        return -E2BIG;
    error = rope_append(rope, text, bytes);
    rope->pending += bytes;
    if (error || more)
        return error;
    error = rope_append(rope, "", 1);
    rope->pending = 0;
    rope->count++;
    return error;
}

void exec_abandon(struct space *space)
{
    if (!space->exec)
        return;
    rope_free(&space->exec->strings[EXEC_ARGUMENT]);
    rope_free(&space->exec->strings[EXEC_ENVIRONMENT]);
    free(space->exec);
    space->exec = NULL;
}

/* ---- commit ------------------------------------------------------------------------------- */

/* Programs rely on argv[0]; Linux gives them an empty one as well. */
static int complete_arguments(struct rope *arguments)
{
    if (arguments->pending)
        return -EINVAL;
    if (arguments->count > 0)
        return 0;
    arguments->count = 1;
    return rope_append(arguments, "", 1);
}

int exec_commit(struct space *space, const struct exec_identity *identity, uint64_t *ip,
                uint64_t *sp)
{
    struct exec *exec = space->exec;
    int error;

    if (!exec || exec->strings[EXEC_ENVIRONMENT].pending)
        return -EINVAL;
    error = complete_arguments(&exec->strings[EXEC_ARGUMENT]);
    if (error)
        return error;
    space->limits.stack = identity->stack_limit;
    space->mmap_base = space_mmap_base(identity->stack_limit);
    error = stack_image_build(space, &exec->facts, identity, &exec->strings[EXEC_ARGUMENT],
                              &exec->strings[EXEC_ENVIRONMENT], sp);
    if (error)
        return error;
    *ip = exec->facts.start;
    exec_abandon(space);
    return 0;
}
