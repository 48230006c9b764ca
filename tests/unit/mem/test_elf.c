/*
 * The ELF parser: what is accepted, which errno the rest gets, and that nothing it is
 * given makes it read beyond the head or answer with segments outside of user space.
 */
#include "elf_builder.h"

#include "servers/mem/elf.h"
#include "servers/mem/layout.h"

#include <asm/mman.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MUTATIONS 300000u

static struct elf_builder elf;
static struct elf_image   image;

static int parse(void) { return elf_parse(elf.head, sizeof elf.head, &image); }

/* Text and data with bss, as linkers make them. */
static int setup(void **state)
{
    (void)state;
    elf_start(&elf, ET_EXEC, 0x401000);
    elf_add(&elf, PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x2345, 0x2345);
    elf_add(&elf, PT_LOAD, PF_R | PF_W, 0x2e00, 0x403e00, 0x300, 0x5000);
    elf_add(&elf, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
    return 0;
}

static void program_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse(), 0);
    assert_false(image.position_independent);
    assert_false(image.executable_stack);
    assert_int_equal(image.entry, 0x401000);
    assert_int_equal(image.headers, 0x400040);
    assert_int_equal(image.header_count, 3);
    assert_int_equal(image.header_bytes, 56);
    assert_int_equal(image.low, 0x400000);
    assert_int_equal(image.high, 0x409000);
    assert_int_equal(image.count, 2);
    assert_int_equal(image.segment[0].prot, PROT_READ | PROT_EXEC);
    assert_int_equal(image.segment[1].prot, PROT_READ | PROT_WRITE);
    assert_int_equal(image.segment[1].file_bytes, 0x300);
    assert_int_equal(image.segment[1].memory_bytes, 0x5000);
}

static void executable_stack_is_noticed(void **state)
{
    (void)state;
    elf_add(&elf, PT_GNU_STACK, PF_R | PF_W | PF_X, 0, 0, 0, 0);
    assert_int_equal(parse(), 0);
    assert_true(image.executable_stack);
}

static void interpreter_is_reported(void **state)
{
    (void)state;
    elf_add(&elf, PT_INTERP, PF_R, 0x318, 0x400318, 0x1c, 0x1c);
    elf_add(&elf, PT_INTERP, PF_R, 0x999, 0x400318, 0x1c, 0x1c);
    assert_int_equal(parse(), 0);
    assert_int_equal(image.interpreter_offset, 0x318);
    assert_int_equal(image.interpreter_bytes, 0x1c);
}

static void interpreter_of_silly_length_is_refused(void **state)
{
    Elf64_Phdr *entry = elf_add(&elf, PT_INTERP, PF_R, 0x318, 0, 1, 1);

    (void)state;
    assert_int_equal(parse(), -ENOEXEC);
    entry->p_filesz = 4097;
    assert_int_equal(parse(), -ENOEXEC);
}

static void expect_header_error(unsigned offset, unsigned char value)
{
    setup(NULL);
    elf.head[offset] = value;
    assert_int_equal(parse(), -ENOEXEC);
}

static void foreign_files_are_refused(void **state)
{
    (void)state;
    expect_header_error(0, 'M');
    expect_header_error(EI_CLASS, ELFCLASS32);
    expect_header_error(EI_DATA, ELFDATA2MSB);
    expect_header_error(offsetof(Elf64_Ehdr, e_machine), EM_386);
    expect_header_error(offsetof(Elf64_Ehdr, e_machine), 183); /* aarch64 */
    expect_header_error(offsetof(Elf64_Ehdr, e_type), ET_REL);
    expect_header_error(offsetof(Elf64_Ehdr, e_type), ET_CORE);
    expect_header_error(offsetof(Elf64_Ehdr, e_type), ET_NONE);
    expect_header_error(offsetof(Elf64_Ehdr, e_phentsize), 55);
    expect_header_error(offsetof(Elf64_Ehdr, e_phnum), 0);
    expect_header_error(offsetof(Elf64_Ehdr, e_phnum), 74);
}

static void headers_beyond_the_head_are_refused(void **state)
{
    static const uint64_t offsets[] = { ELF_HEAD_BYTES - 3 * 56 + 1, ELF_HEAD_BYTES, 1ull << 40,
                                        UINT64_MAX - 10 };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        elf_header(&elf)->e_phoff = offsets[i];
        assert_int_equal(parse(), -ENOEXEC);
    }
}

static void truncated_heads_are_refused(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 64 + 3 * 56; bytes++) {
        void *head = malloc(bytes ? bytes : 1);

        memcpy(head, elf.head, bytes);
        assert_int_equal(elf_parse(head, bytes, &image), -ENOEXEC);
        free(head);
    }
}

static void expect_segment(uint64_t offset, uint64_t address, uint64_t file_bytes,
                           uint64_t memory_bytes, int expected)
{
    setup(NULL);
    elf_add(&elf, PT_LOAD, PF_R, offset, address, file_bytes, memory_bytes);
    assert_int_equal(parse(), expected);
}

static void impossible_segments_are_refused(void **state)
{
    (void)state;
    expect_segment(0, 0x500000, 0x1000, 0xfff, -EINVAL);             /* more in file than memory */
    expect_segment(0, 0x500000, 0, 1ull << 47, -EINVAL);             /* larger than user space */
    expect_segment(0, 0x500000, 0, UINT64_MAX, -EINVAL);
    expect_segment(0, USER_END - 0x1000, 0x1000, 0x2000, -EINVAL);   /* beyond user space */
    expect_segment(0, UINT64_MAX - 0xfff, 0x1000, 0x2000, -EINVAL);  /* wraps round */
    expect_segment(0, 0xffff800000000000, 0x1000, 0x1000, -EINVAL);  /* kernel */
    expect_segment(0x10, 0x500000, 0x1000, 0x1000, -EINVAL);         /* address and offset */
    expect_segment(UINT64_MAX - 0xfff, 0x500000, 0x1000, 0x1000, -EINVAL);
    expect_segment(1ull << 62, 0x500000, 0x1000, 0x1000, 0);         /* SIGBUS when touched */
    expect_segment(0x10, 0x500000, 0, 0x1000, 0);                    /* only zeroes */
    expect_segment(0, 0x500000, 0, 0, 0);                            /* nothing */
}

static void library_without_segments_is_refused(void **state)
{
    (void)state;
    elf_start(&elf, ET_DYN, 0);
    elf_add(&elf, PT_NOTE, PF_R, 0, 0, 0, 0);
    assert_int_equal(parse(), -EINVAL);
}

static void check_image(void)
{
    assert_in_range(image.count, 0, ELF_MAX_SEGMENTS);
    assert_true(image.high <= USER_END && image.low <= image.high);
    for (unsigned i = 0; i < image.count; i++) {
        const struct elf_segment *segment = &image.segment[i];

        assert_true(layout_is_user(segment->address, segment->memory_bytes));
        assert_true(segment->file_bytes <= segment->memory_bytes);
        assert_true(segment->address >= image.low);
        assert_true(segment->address + segment->memory_bytes <= image.high);
    }
}

static void random_damage_is_survived(void **state)
{
    static const uint64_t values[] = { 0, 1, 0xfff, 0x1000, 1ull << 31, 1ull << 47, 1ull << 63,
                                       UINT64_MAX };
    unsigned accepted = 0;

    srand(2);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        size_t end = 64 + 3 * 56;
        int result;

        setup(state);
        for (int changes = 1 + rand() % 4; changes > 0; changes--) {
            if (rand() % 2)
                elf.head[rand() % end] = rand();
            else
                memcpy(elf.head + rand() % (end / 8) * 8, &values[rand() % 8], 8);
        }
        result = parse();
        assert_true(result == 0 || result == -ENOEXEC || result == -EINVAL);
        if (result == 0)
            check_image();
        accepted += result == 0;
    }
    assert_in_range(accepted, MUTATIONS / 100, MUTATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(program_is_read, setup),
        cmocka_unit_test_setup(executable_stack_is_noticed, setup),
        cmocka_unit_test_setup(interpreter_is_reported, setup),
        cmocka_unit_test_setup(interpreter_of_silly_length_is_refused, setup),
        cmocka_unit_test_setup(foreign_files_are_refused, setup),
        cmocka_unit_test_setup(headers_beyond_the_head_are_refused, setup),
        cmocka_unit_test_setup(truncated_heads_are_refused, setup),
        cmocka_unit_test_setup(impossible_segments_are_refused, setup),
        cmocka_unit_test_setup(library_without_segments_is_refused, setup),
        cmocka_unit_test_setup(random_damage_is_survived, setup),
    };

    return cmocka_run_group_tests_name("mem: ELF", tests, NULL, NULL);
}
