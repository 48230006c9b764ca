#include "servers/mem/stack_image.h"

#include "servers/mem/cpu.h"
#include "servers/mem/fault.h"
#include "servers/mem/layout.h"
#include "servers/mem/pager.h"
#include "servers/mem/vdso.h"

#include <abi/hypercall.h>
#include <asm/mman.h>
#include <errno.h>
#include <lib/native/native.h>
#include <linux/auxvec.h>
#include <asm/auxvec.h>
#include <string.h>

#define RANDOM_BYTES 16
#define AUX_MAX      32
#define CLOCK_TICKS  100 /* per second, for times(2): sysconf(_SC_CLK_TCK) */

static const char platform_name[] = "x86_64";

/* Pages that the new program touches first, at the top of its stack. */
#define STACK_MAPPED_PAGES 16

/* Where the parts are; addresses in the program. */
struct stack_layout {
    uint64_t path, environment, arguments, platform, random, vectors;
    uint64_t words; /* of count, pointers and auxiliary vector */
};

struct aux_entry {
    uint64_t type, value;
};

struct aux_vector {
    struct aux_entry entry[AUX_MAX];
    unsigned         count;
};

/* ---- writing into the space --------------------------------------------------------------- */

static int write_bytes(struct space *space, uint64_t va, const void *data, uint64_t bytes)
{
    while (bytes > 0) {
        uint64_t offset = page_offset(va);
        uint64_t count = bytes < PAGE_BYTES - offset ? bytes : PAGE_BYTES - offset;
        phys_t phys = fault_private_page(space, page_down(va));

        if (!phys)
            return -ENOMEM;
        memcpy((char *)frame_ptr(phys) + offset, data, count);
        data = (const char *)data + count;
        va += count;
        bytes -= count;
    }
    return 0;
}

static int write_rope(struct space *space, uint64_t va, const struct rope *rope)
{
    uint64_t bytes;
    int error = 0;

    for (uint64_t done = 0; done < rope->bytes && !error; done += bytes) {
        const char *text = rope_at(rope, done, PAGE_BYTES, &bytes);

        error = write_bytes(space, va + done, text, bytes);
    }
    return error;
}

static int write_word(struct space *space, uint64_t *va, uint64_t word)
{
    int error = write_bytes(space, *va, &word, sizeof word);

    *va += sizeof word;
    return error;
}

/* A pointer to each string of the rope, which begins at text; then a zero. */
static int write_pointers(struct space *space, uint64_t *va, const struct rope *rope, uint64_t text)
{
    bool begins = true;
    uint64_t bytes;
    int error = 0;

    for (uint64_t done = 0; done < rope->bytes && !error; done += bytes) {
        const char *part = rope_at(rope, done, UINT64_MAX, &bytes);
        const char *end = memchr(part, 0, bytes);

        if (begins)
            error = write_word(space, va, text + done);
        begins = end;
        if (end)
            bytes = end - part + 1;
    }
    return error ? error : write_word(space, va, 0);
}

/* ---- layout ------------------------------------------------------------------------------- */

static uint64_t limit_of_arguments(uint64_t stack_limit)
{
    uint64_t limit = stack_limit / 4;

    if (limit > EXEC_ARGS_MAX)
        limit = EXEC_ARGS_MAX;
    return limit < EXEC_ARGS_MIN ? EXEC_ARGS_MIN : limit;
}

static int lay_out(struct stack_layout *layout, const struct exec_identity *identity,
                   const struct rope *arguments, const struct rope *environment, unsigned aux_count)
{
    uint64_t pointers = 1 + arguments->count + 1 + environment->count + 1;
    uint64_t bytes = arguments->bytes + environment->bytes + strlen(identity->path) + 1;

    if (bytes + pointers * 8 > limit_of_arguments(identity->stack_limit))
        return -E2BIG;
    layout->path = STACK_TOP - 8 - (strlen(identity->path) + 1);
    layout->environment = layout->path - environment->bytes;
    layout->arguments = layout->environment - arguments->bytes;
    layout->platform = (layout->arguments & -16ull) - sizeof platform_name;
    layout->random = (layout->platform - RANDOM_BYTES) & -16ull;
    layout->words = pointers + 2 * aux_count;
    layout->vectors = (layout->random - layout->words * 8) & -16ull;
    return 0;
}

static void aux_add(struct aux_vector *aux, uint64_t type, uint64_t value)
{
    must(aux->count < AUX_MAX);
    aux->entry[aux->count++] = (struct aux_entry){ type, value };
}

static void aux_fill(struct aux_vector *aux, const struct program_facts *facts,
                     const struct exec_identity *identity, const struct stack_layout *layout)
{
    aux->count = 0;
    aux_add(aux, AT_SYSINFO_EHDR, VDSO_START);
    aux_add(aux, AT_MINSIGSTKSZ, cpu_signal_frame_bytes());
    aux_add(aux, AT_HWCAP, cpu_hwcap());
    aux_add(aux, AT_PAGESZ, PAGE_BYTES);
    aux_add(aux, AT_CLKTCK, CLOCK_TICKS);
    aux_add(aux, AT_PHDR, facts->headers);
    aux_add(aux, AT_PHENT, facts->header_bytes);
    aux_add(aux, AT_PHNUM, facts->header_count);
    aux_add(aux, AT_BASE, facts->interpreter_base);
    aux_add(aux, AT_FLAGS, 0);
    aux_add(aux, AT_ENTRY, facts->entry);
    aux_add(aux, AT_UID, identity->uid);
    aux_add(aux, AT_EUID, identity->euid);
    aux_add(aux, AT_GID, identity->gid);
    aux_add(aux, AT_EGID, identity->egid);
    aux_add(aux, AT_SECURE, identity->secure);
    aux_add(aux, AT_RANDOM, layout->random);
    aux_add(aux, AT_HWCAP2, cpu_hwcap2());
    aux_add(aux, AT_EXECFN, layout->path);
    aux_add(aux, AT_PLATFORM, layout->platform);
    aux_add(aux, AT_POLYHEDRON, identity->utcb);
    aux_add(aux, AT_NULL, 0);
}

/* ---- building ----------------------------------------------------------------------------- */

/* The stack's VMA: what is used now and some more, within the limit; it grows. */
static int map_stack(struct space *space, const struct program_facts *facts, uint64_t low)
{
    uint64_t used = STACK_TOP - page_down(low), bytes = used + STACK_INITIAL_BYTES;
    uint64_t limit = page_down(space->limits.stack);
    const struct vma *next;
    struct vma what = {
        .end = STACK_TOP, .prot = PROT_READ | PROT_WRITE, .max_prot = PROT_ALL,
        .flags = VMA_GROWSDOWN,
    };

    if (bytes > limit)
        bytes = limit > used ? limit : used;
    what.start = STACK_TOP - bytes;
    if (facts->executable_stack)
        what.prot |= PROT_EXEC;
    next = vma_at_or_after(&space->vmas, what.start);
    if (next && next->start < UTCB_AREA_START)
        return -ENOMEM;
    return space_map(space, &what);
}

static int write_strings(struct space *space, const struct stack_layout *layout,
                         const struct exec_identity *identity, const struct rope *arguments,
                         const struct rope *environment)
{
    unsigned char random[RANDOM_BYTES];
    int error = write_bytes(space, layout->path, identity->path, strlen(identity->path) + 1);

    cpu_random(random, sizeof random);
    if (!error)
        error = write_rope(space, layout->environment, environment);
    if (!error)
        error = write_rope(space, layout->arguments, arguments);
    if (!error)
        error = write_bytes(space, layout->platform, platform_name, sizeof platform_name);
    return error ? error : write_bytes(space, layout->random, random, sizeof random);
}

static int write_vectors(struct space *space, const struct stack_layout *layout,
                         const struct aux_vector *aux, const struct rope *arguments,
                         const struct rope *environment)
{
    uint64_t va = layout->vectors;
    int error = write_word(space, &va, arguments->count);

    if (!error)
        error = write_pointers(space, &va, arguments, layout->arguments);
    if (!error)
        error = write_pointers(space, &va, environment, layout->environment);
    if (!error)
        error = write_bytes(space, va, aux->entry, aux->count * sizeof aux->entry[0]);
    must(error || va + aux->count * sizeof aux->entry[0] == layout->vectors + layout->words * 8);
    return error;
}

/* Spares the program its first faults; that it fails does no harm. */
static void map_first_pages(struct space *space, uint64_t sp)
{
    unsigned rights = prot_to_rights(vma_find(&space->vmas, sp)->prot);
    uint64_t page = page_number(sp);
    phys_t phys;

    for (unsigned left = STACK_MAPPED_PAGES; left > 0; left--, page++) {
        phys = pagemap_next(&space->pages, &page, page_number(STACK_TOP));
        if (!phys || pager_map(&space->pager, phys, page << PAGE_SHIFT, 1, rights))
            return;
    }
}

int stack_image_build(struct space *space, const struct program_facts *facts,
                      const struct exec_identity *identity, const struct rope *arguments,
                      const struct rope *environment, uint64_t *sp)
{
    struct stack_layout layout = { 0 };
    struct aux_vector aux;
    int error;

    aux_fill(&aux, facts, identity, &layout); /* only to count them */
    error = lay_out(&layout, identity, arguments, environment, aux.count);
    if (error)
        return error;
    aux_fill(&aux, facts, identity, &layout);
    error = map_stack(space, facts, layout.vectors);
    if (!error)
        error = vdso_map(space);
    if (!error)
        error = write_strings(space, &layout, identity, arguments, environment);
    if (!error)
        error = write_vectors(space, &layout, &aux, arguments, environment);
    if (error)
        return error;
    map_first_pages(space, layout.vectors);
    space->marks.stack_start = layout.vectors;
    space->marks.arguments_start = layout.arguments;
    space->marks.arguments_end = space->marks.environment_start = layout.environment;
    space->marks.environment_end = layout.path;
    *sp = layout.vectors;
    return 0;
}
