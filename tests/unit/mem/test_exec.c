/*
 * Program images: segments in memory, the stack as programs find it, a real program of
 * the host, and memory that runs out at each allocation in turn.
 */
#include "elf_builder.h"
#include "inject.h"
#include "pager_model.h"
#include "program.h"

#include "servers/mem/exec.h"
#include "servers/mem/layout.h"
#include "servers/mem/space.h"
#include "servers/mem/vdso/vvar.h"

#include <abi/hypercall.h>
#include <abi/message.h>
#include <asm/mman.h>
#include <signal.h>
#include <asm/unistd.h>
#include <errno.h>
#include <gen/mem_client.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <linux/auxvec.h>
#include <asm/auxvec.h>
#include <linux/mman.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define K    PAGE_BYTES
#define TEXT 0x400000ull
#define UTCB UTCB_AREA_START
#define LIMIT (8ull << 20)
#define MAPERR SIGNALLED(SIGSEGV, SEGV_MAPERR)
#define ACCERR SIGNALLED(SIGSEGV, SEGV_ACCERR)
#define BUSERR SIGNALLED(SIGBUS, BUS_ADRERR)

static struct elf_builder elf;
static struct test_file *file;

static struct space *space(void) { return space_lookup(SPACE_ID); }

/* ---- the operations, as the router calls them --------------------------------------------- */

/* A file whose first bytes are the ELF headers, followed by what file_byte says. */
static struct test_file *elf_file(struct elf_builder *from, size_t bytes)
{
    unsigned char *data = malloc(bytes);

    for (size_t i = 0; i < bytes; i++)
        data[i] = i < 64 + 56u * elf_header(from)->e_phnum ? from->head[i] : file_byte(i);
    file = file_create(data, bytes);
    free(data);
    return file;
}

static size_t head_of(const struct test_file *from, unsigned char *head)
{
    size_t bytes = from->bytes < ELF_HEAD_BYTES ? from->bytes : ELF_HEAD_BYTES;

    memcpy(head, frame_ptr(from->frames[0]), bytes);
    return bytes;
}

static int64_t image(const struct test_file *from)
{
    unsigned char head[ELF_HEAD_BYTES];
    size_t bytes = head_of(from, head);
    uint64_t offset, length;

    return mem_exec_image(&mem, SPACE_ID, from->id, from->bytes, 0, head, bytes, &offset, &length);
}

static int64_t interpreter(const struct test_file *from)
{
    unsigned char head[ELF_HEAD_BYTES];
    size_t bytes = head_of(from, head);

    return mem_exec_interpreter(&mem, SPACE_ID, from->id, from->bytes, head, bytes);
}

static int64_t string(unsigned kind, const char *text)
{
    return mem_exec_string(&mem, SPACE_ID, kind, 0, text, strlen(text));
}

static int64_t commit(uint64_t *ip, uint64_t *sp)
{
    return mem_exec_commit(&mem, SPACE_ID, 1, 2, 3, 4, 0, UTCB, LIMIT, "/bin/test", ip, sp);
}

static uint8_t byte_at(uint64_t address)
{
    uint8_t value = 0;

    assert_int_equal(program_read(address, &value, 1), 0);
    return value;
}

static void text_at(uint64_t address, char *to)
{
    do
        *to = (char)byte_at(address++);
    while (*to++);
}

/* Text, data and bss; 0x7000 bytes. */
static struct test_file *ordinary_program(unsigned type, uint64_t base)
{
    elf_start(&elf, type, base + 0x1000);
    elf_add(&elf, PT_LOAD, PF_R | PF_X, 0, base, 0x2345, 0x2345);
    elf_add(&elf, PT_LOAD, PF_R | PF_W, 0x2e00, base + 0x3e00, 0x300, 0x5000);
    return elf_file(&elf, 0x7000);
}

/* ---- segments ----------------------------------------------------------------------------- */

static void segments_are_where_they_belong(void **state)
{
    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    assert_int_equal(byte_at(TEXT), 0x7f);
    assert_int_equal(byte_at(TEXT + 0x2344), file_byte(0x2344));
    assert_int_equal(program_access(TEXT + 0x1000, ACCESS_EXEC), 0);
    assert_int_equal(program_put(TEXT, 1), ACCERR);
    assert_int_equal(byte_at(TEXT + 0x3e00), file_byte(0x2e00));
    assert_int_equal(byte_at(TEXT + 0x40ff), file_byte(0x30ff));
    assert_int_equal(program_access(TEXT + 0x4000, ACCESS_EXEC), ACCERR);
    assert_int_equal(program_access(TEXT + 0x9000, ACCESS_READ), MAPERR);
    assert_int_equal(space()->brk_start, TEXT + 0x9000);
}

static void bss_is_zero_from_its_first_byte(void **state)
{
    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    for (uint64_t at = TEXT + 0x4100; at < TEXT + 0x9000; at += 8)
        assert_int_equal(program_get(at), 0);
    assert_int_equal(byte_at(TEXT + 0x40ff), file_byte(0x30ff));
    assert_int_equal(program_put(TEXT + 0x4100, 1), 0);
    assert_int_equal(program_put(TEXT + 0x8ff8, 1), 0);
    /* The file itself is as it was. */
    assert_int_equal(((uint8_t *)frame_ptr(file->frames[3]))[0x100], file_byte(0x3100));
}

static void static_pie_goes_to_its_base(void **state)
{
    uint64_t ip, sp;

    (void)state;
    assert_int_equal(image(ordinary_program(ET_DYN, 0)), 0);
    assert_int_equal(byte_at(PIE_BASE), 0x7f);
    assert_int_equal(byte_at(PIE_BASE + 0x3e00), file_byte(0x2e00));
    assert_int_equal(space()->brk_start, PIE_BASE + 0x9000);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(ip, PIE_BASE + 0x1000);
}

static void alignment_of_pie_is_kept(void **state)
{
    (void)state;
    elf_start(&elf, ET_DYN, 0);
    elf_add(&elf, PT_LOAD, PF_R, 0, 0, 0x1000, 0x1000)->p_align = 1 << 21;
    assert_int_equal(image(elf_file(&elf, 0x1000)), 0);
    assert_int_equal(byte_at((PIE_BASE + (1 << 21) - 1) & -(1ull << 21)), 0x7f);
}

static void later_segments_cover_earlier_ones(void **state)
{
    (void)state;
    elf_start(&elf, ET_EXEC, TEXT);
    elf_add(&elf, PT_LOAD, PF_R, 0, TEXT, 0x3000, 0x3000);
    elf_add(&elf, PT_LOAD, PF_R | PF_W, 0x4000, TEXT + 0x1000, 0x1000, 0x1000);
    assert_int_equal(image(elf_file(&elf, 0x7000)), 0);
    assert_int_equal(byte_at(TEXT + 0x1005), file_byte(0x4005));
    assert_int_equal(byte_at(TEXT + 0x2005), file_byte(0x2005));
    assert_int_equal(program_put(TEXT + 0x1000, 1), 0);
    assert_int_equal(program_put(TEXT + 0x2000, 1), ACCERR);
}

static void truncated_files_raise_sigbus(void **state)
{
    (void)state;
    elf_start(&elf, ET_EXEC, TEXT);
    elf_add(&elf, PT_LOAD, PF_R | PF_W, 0, TEXT, 0x5000, 0x9000);
    assert_int_equal(image(elf_file(&elf, 0x1800)), 0);
    assert_int_equal(byte_at(TEXT + 0x17ff), file_byte(0x17ff));
    assert_int_equal(byte_at(TEXT + 0x1800), 0);
    assert_int_equal(program_access(TEXT + 0x2000, ACCESS_READ), BUSERR);
    assert_int_equal(byte_at(TEXT + 0x5000), 0);
}

static void expect_refusal(uint64_t address, uint64_t file_bytes, uint64_t memory_bytes, int expected)
{
    elf_start(&elf, ET_EXEC, TEXT);
    elf_add(&elf, PT_LOAD, PF_R | PF_W, 0, address, file_bytes, memory_bytes);
    assert_int_equal(image(elf_file(&elf, 0x1000)), expected);
    assert_int_equal(space()->vmas.count, 0);
    assert_null(space()->released);
}

static void impossible_images_leave_nothing(void **state)
{
    (void)state;
    expect_refusal(TEXT, 0x100, 1ull << 30, -ENOMEM);   /* more than all memory */
    expect_refusal(TEXT, 0x100, 1ull << 46, -ENOMEM);
    expect_refusal(TEXT, 0x100, USER_END, -EINVAL);
    expect_refusal(0, 0x100, 0x1000, -EINVAL);          /* below mmap_min_addr */
    expect_refusal(UTCB_AREA_START - K, 0x100, 0x2000, -EINVAL);
    elf_start(&elf, ET_EXEC, TEXT);
    assert_int_equal(image(elf_file(&elf, 0x1000)), -ENOEXEC);
    elf_start(&elf, ET_DYN, 0);
    elf_add(&elf, PT_LOAD, PF_R, 0, 0, 0x1000, 0x1000);
    elf_add(&elf, PT_LOAD, PF_R, 0, USER_END - 2 * K, 0x1000, 0x1000);
    assert_int_equal(image(elf_file(&elf, 0x1000)), -ENOMEM);
    assert_int_equal(space()->vmas.count, 0);
}

static void order_of_operations_is_checked(void **state)
{
    uint64_t ip, sp;

    (void)state;
    assert_int_equal(string(EXEC_ARGUMENT, "x"), -EINVAL);
    assert_int_equal(commit(&ip, &sp), -EINVAL);
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    assert_int_equal(image(file), -EBUSY);
    assert_int_equal(string(2, "x"), -EINVAL);
    assert_int_equal(mem_exec_string(&mem, SPACE_ID, 0, 1, "x", 1), 0);
    assert_int_equal(commit(&ip, &sp), -EINVAL);
    assert_int_equal(string(EXEC_ARGUMENT, "y"), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(commit(&ip, &sp), -EINVAL);
}

static void stack_must_not_hit_segments(void **state)
{
    uint64_t ip, sp;

    (void)state;
    elf_start(&elf, ET_EXEC, TEXT);
    elf_add(&elf, PT_LOAD, PF_R, 0, STACK_TOP - 8 * K, 0x1000, 0x1000);
    assert_int_equal(image(elf_file(&elf, 0x1000)), 0);
    assert_int_equal(commit(&ip, &sp), -ENOMEM);
}

/* ---- the stack ---------------------------------------------------------------------------- */

struct seen {
    char     arguments[8][64], environment[8][64];
    unsigned argument_count, environment_count;
    uint64_t aux[64];     /* by type, as far as they are small */
    uint64_t polyhedron;
    uint64_t end;         /* of the auxiliary vector */
};

static uint64_t read_strings(uint64_t at, char text[8][64], unsigned *count)
{
    uint64_t pointer;

    for (*count = 0; (pointer = program_get(at)); at += 8) {
        assert_in_range(*count, 0, 7);
        text_at(pointer, text[(*count)++]);
    }
    return at + 8;
}

static void read_stack(uint64_t sp, struct seen *seen)
{
    uint64_t at = sp + 8, type;

    memset(seen, 0, sizeof *seen);
    assert_int_equal(sp % 16, 0);
    at = read_strings(at, seen->arguments, &seen->argument_count);
    assert_int_equal(program_get(sp), seen->argument_count);
    at = read_strings(at, seen->environment, &seen->environment_count);
    for (; (type = program_get(at)); at += 16) {
        if (type == AT_POLYHEDRON)
            seen->polyhedron = program_get(at + 8);
        else
            seen->aux[type % 64] = program_get(at + 8);
    }
    seen->end = at + 16;
}

static void stack_is_as_on_linux(void **state)
{
    static const char *const arguments[] = { "prog", "", "two words" };
    struct seen seen;
    uint64_t ip, sp;
    char text[64];

    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(string(EXEC_ARGUMENT, arguments[i]), 0);
    assert_int_equal(string(EXEC_ENVIRONMENT, "A=1"), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(ip, TEXT + 0x1000);
    read_stack(sp, &seen);
    assert_int_equal(program_routed_faults + program_direct_faults, 0);
    assert_int_equal(seen.argument_count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(seen.arguments[i], arguments[i]);
    assert_int_equal(seen.environment_count, 1);
    assert_string_equal(seen.environment[0], "A=1");
    assert_int_equal(program_get(STACK_TOP - 8), 0);
    text_at(seen.aux[AT_EXECFN], text);
    assert_string_equal(text, "/bin/test");
    text_at(seen.aux[AT_PLATFORM], text);
    assert_string_equal(text, "x86_64");
    assert_true(seen.aux[AT_RANDOM] >= seen.end && seen.aux[AT_RANDOM] + 16 <= STACK_TOP);
    assert_true(program_get(seen.aux[AT_RANDOM]) != program_get(seen.aux[AT_RANDOM] + 8));
}

static void auxiliary_vector_tells_the_truth(void **state)
{
    struct seen seen;
    uint64_t ip, sp;

    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    read_stack(sp, &seen);
    assert_int_equal(seen.aux[AT_PAGESZ], K);
    assert_int_equal(seen.aux[AT_CLKTCK], 100);
    assert_int_equal(seen.aux[AT_PHDR], TEXT + 64);
    assert_int_equal(seen.aux[AT_PHENT], 56);
    assert_int_equal(seen.aux[AT_PHNUM], 2);
    assert_int_equal(seen.aux[AT_BASE], 0);
    assert_int_equal(seen.aux[AT_ENTRY], TEXT + 0x1000);
    assert_int_equal(seen.aux[AT_UID], 1);
    assert_int_equal(seen.aux[AT_EUID], 2);
    assert_int_equal(seen.aux[AT_GID], 3);
    assert_int_equal(seen.aux[AT_EGID], 4);
    assert_int_equal(seen.aux[AT_SECURE], 0);
    assert_int_equal(seen.aux[AT_HWCAP2], 2);
    assert_int_not_equal(seen.aux[AT_HWCAP], 0);
    assert_true(seen.aux[AT_MINSIGSTKSZ] >= 1024);
    assert_int_equal(seen.aux[AT_SYSINFO_EHDR], VDSO_START);
    assert_int_equal(seen.polyhedron, UTCB);
    /* Without arguments there is an empty one. */
    assert_int_equal(seen.argument_count, 1);
    assert_string_equal(seen.arguments[0], "");
}

static void vdso_is_there_and_safe(void **state)
{
    uint64_t ip, sp;
    char magic[4];

    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(program_read(VDSO_START, magic, 4), 0);
    assert_memory_equal(magic, ELFMAG, 4);
    assert_int_equal(program_access(VDSO_START + 0x800, ACCESS_EXEC), 0);
    assert_int_equal(program_put(VDSO_START, 1), ACCERR);
    assert_int_equal(program_put(VVAR_START, 1), ACCERR);
    assert_int_equal(call_mprotect(VVAR_START, K, PROT_READ | PROT_WRITE), -EACCES);
    assert_int_not_equal(program_get(VVAR_START + offsetof(struct vvar, multiplier)), 0);
    assert_int_equal(mem_realtime_offset(&mem, 12345), 0);
    assert_int_equal(program_get(VVAR_START + offsetof(struct vvar, realtime_offset_ns)), 12345);
    /* A breakpoint is the program's own. */
    assert_int_equal(call_mprotect(VDSO_START, K, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(program_put(VDSO_START, 0xcc), 0);
    program_end();
    assert_int_equal(mem_space_create(&mem, SPACE_ID + 1, host_space_create()), 0);
    program_pd = space_lookup(SPACE_ID + 1)->pager.pd;
    assert_int_equal(mem_space_destroy(&mem, SPACE_ID + 1, &ip, &(size_t){ 8 }), 0);
}

static void many_strings_in_pieces_arrive(void **state)
{
    static char text[3000];
    uint64_t ip, sp, at;
    char start[5] = { 0 };

    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < 300; i++) { /* 300 strings of 6003 bytes */
        char first[4] = { '0' + i / 100, '0' + i / 10 % 10, '0' + i % 10, 0 };

        assert_int_equal(mem_exec_string(&mem, SPACE_ID, EXEC_ENVIRONMENT, 1, first, 3), 0);
        assert_int_equal(mem_exec_string(&mem, SPACE_ID, EXEC_ENVIRONMENT, 1, text, 3000), 0);
        assert_int_equal(mem_exec_string(&mem, SPACE_ID, EXEC_ENVIRONMENT, 0, text, 3000), 0);
    }
    assert_int_equal(mem_exec_commit(&mem, SPACE_ID, 0, 0, 0, 0, 1, UTCB, LIMIT, "/p", &ip, &sp), 0);
    at = sp + 8 + 16; /* count, one empty argument, zero */
    for (unsigned i = 0; i < 300; i++, at += 8) {
        assert_int_equal(program_read(program_get(at), start, 4), 0);
        assert_int_equal(atoi(start), i);
        assert_int_equal(byte_at(program_get(at) + 6002), 'x');
        assert_int_equal(byte_at(program_get(at) + 6003), 0);
    }
    assert_int_equal(program_get(at), 0);
}

static void too_much_text_is_refused(void **state)
{
    static char text[3000];
    uint64_t ip, sp;
    int64_t result = 0;

    (void)state;
    memset(text, 'y', sizeof text);
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    for (unsigned i = 0; i < 50 && !result; i++)
        result = mem_exec_string(&mem, SPACE_ID, EXEC_ARGUMENT, 1, text, sizeof text);
    assert_int_equal(result, -E2BIG); /* one string of 128 KiB */
    assert_int_equal(mem_exec_string(&mem, SPACE_ID, EXEC_ARGUMENT, 0, text, 1), 0);
    for (unsigned i = 0; i < 700; i++)
        assert_int_equal(mem_exec_string(&mem, SPACE_ID, EXEC_ENVIRONMENT, 0, text, sizeof text), 0);
    assert_int_equal(commit(&ip, &sp), -E2BIG); /* a quarter of the stack's limit */
    result = 0;
    for (unsigned i = 0; i < 3000 && !result; i++)
        result = mem_exec_string(&mem, SPACE_ID, EXEC_ENVIRONMENT, 0, text, sizeof text);
    assert_int_equal(result, -E2BIG); /* all that is ever kept */
    assert_int_equal(mem_exec_string(&mem, SPACE_ID, EXEC_ARGUMENT, 0, "a\0b", 3), -EINVAL);
}

static void stack_grows_below_the_image(void **state)
{
    uint64_t ip, sp;

    (void)state;
    assert_int_equal(image(ordinary_program(ET_EXEC, TEXT)), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(program_put(sp - (1 << 20), 1), 0);
    assert_int_equal(program_put(STACK_TOP - LIMIT, 1), 0);
    assert_int_equal(program_access(STACK_TOP - LIMIT - 8, ACCESS_WRITE), MAPERR);
    assert_int_equal(program_access(sp, ACCESS_EXEC), ACCERR);
    assert_true(call_mmap(0, K, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS) <
                (int64_t)(STACK_TOP - LIMIT));
}

static void executable_stack_is_given(void **state)
{
    uint64_t ip, sp;

    (void)state;
    ordinary_program(ET_EXEC, TEXT);
    elf_add(&elf, PT_GNU_STACK, PF_R | PF_W | PF_X, 0, 0, 0, 0);
    assert_int_equal(image(elf_file(&elf, 0x7000)), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(program_access(sp, ACCESS_EXEC), 0);
}

/* ---- interpreter -------------------------------------------------------------------------- */

static void interpreter_runs_first(void **state)
{
    struct test_file *program = ordinary_program(ET_DYN, 0);
    struct test_file *loader = ordinary_program(ET_DYN, 0);
    struct seen seen;
    uint64_t ip, sp;

    (void)state;
    assert_int_equal(interpreter(loader), -EINVAL);
    assert_int_equal(image(program), 0);
    assert_int_equal(interpreter(loader), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    read_stack(sp, &seen);
    assert_int_equal(seen.aux[AT_ENTRY], PIE_BASE + 0x1000);
    assert_int_equal(ip, seen.aux[AT_BASE] + 0x1000);
    assert_true(seen.aux[AT_BASE] > (1ull << 46));
    assert_int_equal(byte_at(seen.aux[AT_BASE]), 0x7f);
    assert_int_equal(space()->brk_start, PIE_BASE + 0x9000);
    assert_int_equal(program_end(), 2);
}

static void bad_interpreters_leave_an_empty_space(void **state)
{
    struct test_file *program = ordinary_program(ET_DYN, 0), *loader;

    (void)state;
    elf_start(&elf, ET_REL, 0);
    loader = elf_file(&elf, 0x1000);
    assert_int_equal(image(program), 0);
    assert_int_equal(interpreter(loader), -ENOEXEC);
    assert_int_equal(space()->vmas.count, 0);
    assert_int_equal(program_end(), 1);
}

static void interpreter_path_is_reported(void **state)
{
    unsigned char head[ELF_HEAD_BYTES];
    uint64_t offset = 0, length = 0;
    struct test_file *program;
    size_t bytes;

    (void)state;
    ordinary_program(ET_DYN, 0);
    elf_add(&elf, PT_INTERP, PF_R, 0x300, 0x300, 28, 28);
    program = elf_file(&elf, 0x7000);
    bytes = head_of(program, head);
    assert_int_equal(mem_exec_image(&mem, SPACE_ID, program->id, program->bytes, 0, head, bytes,
                                    &offset, &length), 0);
    assert_int_equal(offset, 0x300);
    assert_int_equal(length, 28);
}

/* ---- a real program ----------------------------------------------------------------------- */

static void host_program_is_mapped_as_it_says(void **state)
{
    FILE *stream = fopen("/bin/busybox", "rb");
    static unsigned char head[ELF_HEAD_BYTES];
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)head;
    uint64_t offset, length, ip, sp, unused;
    size_t bytes;

    (void)state;
    if (!stream)
        skip();
    bytes = fread(head, 1, sizeof head, stream);
    if (bytes < sizeof head || header->e_type != ET_EXEC)
        skip();
    assert_int_equal(mem_exec_image(&mem, SPACE_ID, 77, 2 << 20, 0, head, bytes, &offset, &length), 0);
    assert_int_equal(string(EXEC_ARGUMENT, "busybox"), 0);
    assert_int_equal(commit(&ip, &sp), 0);
    assert_int_equal(ip, header->e_entry);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *entry = (const Elf64_Phdr *)(head + header->e_phoff) + i;
        const struct vma *vma = vma_find(&space()->vmas, entry->p_vaddr);

        if (entry->p_type != PT_LOAD)
            continue;
        assert_non_null(vma);
        assert_int_equal(!!(vma->prot & PROT_WRITE), !!(entry->p_flags & PF_W));
        assert_int_equal(!!(vma->prot & PROT_EXEC), !!(entry->p_flags & PF_X));
        assert_int_equal(vma->index + (entry->p_vaddr - vma->start) / K, entry->p_offset / K);
        assert_int_equal(mem_fault_in(&mem, SPACE_ID, entry->p_vaddr, 1, 0, &unused, &offset, &length,
                                      &(uint32_t){ 0 }, &(uint32_t){ 0 }), 1);
        assert_true(offset <= entry->p_offset / K && offset + length > entry->p_offset / K);
    }
    fclose(stream);
    assert_int_equal(program_end(), 1);
}

/* ---- out of memory ------------------------------------------------------------------------ */

/* What a program does from exec to its end. Returns 0, or -ENOMEM somewhere. */
static int64_t whole_life(struct test_file *program)
{
    uint64_t ip, sp;
    int64_t result = image(program);

    if (!result)
        result = string(EXEC_ARGUMENT, "a");
    if (!result)
        result = string(EXEC_ENVIRONMENT, "b");
    if (!result)
        result = commit(&ip, &sp);
    if (!result)
        result = program_put(TEXT + 0x4100, 1);
    if (!result)
        result = program_access(TEXT, ACCESS_EXEC);
    if (!result)
        result = program_put(sp - (1 << 20), 2);
    if (!result)
        result = call_brk(TEXT + 0x19000) == TEXT + 0x19000 ? 0 : -ENOMEM;
    if (!result)
        result = program_put(TEXT + 0x18000, 3);
    return result;
}

static int64_t mappings(struct test_file *program)
{
    uint64_t there = 0x10000000;
    int64_t result = call_mmap(there, 8 * K, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);

    if (result > 0)
        result = program_put(there + 2 * K, 4);
    if (!result)
        result = call_mprotect(there + K, K, PROT_READ);
    if (!result)
        result = call_munmap(there + 6 * K, K);
    if (!result)
        result = call_mremap(there + 2 * K, 2 * K, 2 * K, MREMAP_MAYMOVE | MREMAP_FIXED,
                             there + 40 * K);
    if (result > 0)
        result = program_get(there + 40 * K) == 4 ? 0 : -EIO;
    if (!result)
        result = call_mmap(there + 3 * K, 9 * K, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED);
    if (result > 0)
        result = program_put(there + 3 * K, 5);
    if (!result)
        result = call_madvise(there + 4 * K, K, MADV_DONTFORK);
    if (!result)
        result = file_mmap(program, there + 2 * K, K, 3, 7, MAP_PRIVATE | MAP_FIXED, 0);
    return result > 0 ? program_put(there + 2 * K, 5) : result;
}

/* Makes each allocation fail in turn; the teardown's checks hold after each. */
static void fail_everywhere(void **state, int64_t (*run)(struct test_file *))
{
    bool failed = true;

    for (unsigned number = 0; failed; number++) {
        struct test_file *program = ordinary_program(ET_EXEC, TEXT);
        int64_t result;

        assert_in_range(number, 0, 500);
        inject_at(number);
        result = run(program);
        failed = inject_off();
        assert_true(result == -ENOMEM || result == 0);
        assert_true(failed || result == 0);
        program_teardown(state);
        program_setup(state);
    }
}

static void memory_out_in_a_programs_life(void **state) { fail_everywhere(state, whole_life); }
static void memory_out_in_mappings(void **state) { fail_everywhere(state, mappings); }

static void spaces_need_memory(void **state)
{
    cap_sel_t pd = host_space_create();
    bool failed = true;

    (void)state;
    for (unsigned number = 0; failed; number++) {
        int64_t result;
        uint64_t files;
        size_t bytes = sizeof files;

        inject_at(number);
        result = mem_space_create(&mem, SPACE_ID + 1, pd);
        failed = inject_off();
        assert_int_equal(result, failed ? -ENOMEM : 0);
        if (!failed)
            assert_int_equal(mem_space_destroy(&mem, SPACE_ID + 1, &files, &bytes), 0);
    }
}

/* ---- damaged files ------------------------------------------------------------------------ */

static void damaged_programs_never_harm(void **state)
{
    unsigned accepted = 0;
    uint64_t offset, length, ip, sp;

    srand(4);
    for (unsigned i = 0; i < 4000; i++) {
        int64_t result;

        elf_start(&elf, rand() % 2 ? ET_EXEC : ET_DYN, TEXT);
        for (unsigned count = 1 + rand() % 6; count > 0; count--) {
            uint64_t address = rand() % 4 ? TEXT + rand() % 64 * 0x800 : (uint64_t)rand() << 24;
            uint64_t bytes = rand() % 0x8000;

            elf_add(&elf, rand() % 8 ? PT_LOAD : PT_GNU_STACK, rand() % 8, address % K, address, bytes,
                    bytes + (rand() % 2 ? rand() % 0x9000 : 0));
        }
        result = mem_exec_image(&mem, SPACE_ID, 5, 0x8000, 0, elf.head, sizeof elf.head, &offset,
                                &length);
        assert_true(result <= 0);
        if (result == 0 && (result = commit(&ip, &sp)) == 0)
            accepted++;
        assert_true(result == 0 || result == -EINVAL || result == -ENOMEM || result == -ENOEXEC);
        program_teardown(state);
        program_setup(state);
    }
    assert_in_range(accepted, 400, 4000);
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(segments_are_where_they_belong),
        PROGRAM_TEST(bss_is_zero_from_its_first_byte),
        PROGRAM_TEST(static_pie_goes_to_its_base),
        PROGRAM_TEST(alignment_of_pie_is_kept),
        PROGRAM_TEST(later_segments_cover_earlier_ones),
        PROGRAM_TEST(truncated_files_raise_sigbus),
        PROGRAM_TEST(impossible_images_leave_nothing),
        PROGRAM_TEST(order_of_operations_is_checked),
        PROGRAM_TEST(stack_must_not_hit_segments),
        PROGRAM_TEST(stack_is_as_on_linux),
        PROGRAM_TEST(auxiliary_vector_tells_the_truth),
        PROGRAM_TEST(vdso_is_there_and_safe),
        PROGRAM_TEST(many_strings_in_pieces_arrive),
        PROGRAM_TEST(too_much_text_is_refused),
        PROGRAM_TEST(stack_grows_below_the_image),
        PROGRAM_TEST(executable_stack_is_given),
        PROGRAM_TEST(interpreter_runs_first),
        PROGRAM_TEST(bad_interpreters_leave_an_empty_space),
        PROGRAM_TEST(interpreter_path_is_reported),
        PROGRAM_TEST(host_program_is_mapped_as_it_says),
        PROGRAM_TEST(memory_out_in_a_programs_life),
        PROGRAM_TEST(memory_out_in_mappings),
        PROGRAM_TEST(spaces_need_memory),
        PROGRAM_TEST(damaged_programs_never_harm),
    };

    return cmocka_run_group_tests_name("mem: program images", tests, NULL, NULL);
}
