/* The loader of native programs refuses whatever is not exactly one. */
#include <abi/hypercall.h>
#include <linux/elf.h>
#include <roottask/calendar.h>
#include <roottask/elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOW  0x10000ull
#define HIGH 0x10000000ull

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment[3];
    uint8_t fill[0x2000 - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr)];
};

static void image_make(struct image *image)
{
    memset(image, 0, sizeof *image);
    memcpy(image->header.e_ident, ELFMAG, SELFMAG);
    image->header.e_ident[EI_CLASS] = ELFCLASS64;
    image->header.e_ident[EI_DATA] = ELFDATA2LSB;
    image->header.e_type = ET_EXEC;
    image->header.e_machine = EM_X86_64;
    image->header.e_phoff = offsetof(struct image, segment);
    image->header.e_phentsize = sizeof(Elf64_Phdr);
    image->header.e_phnum = 3;
    image->header.e_entry = 0x400200;
    image->segment[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
                                      .p_flags = PF_R | PF_X,
                                      .p_offset = 0,
                                      .p_vaddr = 0x400000,
                                      .p_filesz = 0x1000,
                                      .p_memsz = 0x1000 };
    image->segment[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
                                      .p_flags = PF_R | PF_W,
                                      .p_offset = 0x1234,
                                      .p_vaddr = 0x402234,
                                      .p_filesz = 0x100,
                                      .p_memsz = 0x5000 };
    image->segment[2] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
}

/* From a copy of exactly that length, so that ASan sees every overrun. */
static const char *read_cut(const struct image *image, size_t bytes, struct elf_image *out)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);
    const char *why;

    memcpy(copy, image, bytes);
    why = elf_read(out, copy, bytes, LOW, HIGH);
    free(copy);
    return why;
}

static const char *read_whole(const struct image *image)
{
    struct elf_image out;

    return read_cut(image, sizeof *image, &out);
}

static void accepts_a_good_image(void **state)
{
    struct image image;
    struct elf_image out;

    (void)state;
    image_make(&image);
    assert_null(read_cut(&image, sizeof image, &out));
    assert_int_equal(out.entry, 0x400200);
    assert_int_equal(out.segment_count, 2);
    assert_int_equal(out.segments[0].rights, MEM_R | MEM_X);
    assert_int_equal(out.segments[1].rights, MEM_R | MEM_W);
    assert_int_equal(out.segments[1].memory_bytes, 0x5000);
}

static void refuses_truncated_files(void **state)
{
    struct image image;
    struct elf_image out;

    (void)state;
    image_make(&image);
    for (size_t bytes = 0; bytes < 0x1334; bytes++)
        assert_non_null(read_cut(&image, bytes, &out));
    assert_null(read_cut(&image, 0x1334, &out));
}

#define REFUSES(change, words)                                                                     \
    do {                                                                                           \
        struct image image;                                                                        \
        const char *why;                                                                           \
        image_make(&image);                                                                        \
        change;                                                                                    \
        why = read_whole(&image);                                                                  \
        assert_non_null(why);                                                                      \
        assert_non_null(strstr(why, words));                                                       \
    } while (0)

static void refuses_foreign_files(void **state)
{
    (void)state;
    REFUSES(image.header.e_ident[0] = '#', "not an ELF");
    REFUSES(image.header.e_ident[EI_CLASS] = ELFCLASS32, "64-bit");
    REFUSES(image.header.e_ident[EI_DATA] = ELFDATA2MSB, "little-endian");
    REFUSES(image.header.e_machine = EM_AARCH64, "another machine");
    REFUSES(image.header.e_type = ET_DYN, "ET_EXEC");
    REFUSES(image.header.e_phentsize = 32, "unknown size");
    REFUSES(image.header.e_phnum = 0xffff, "program headers reach");
    REFUSES(image.header.e_phoff = ~0ull, "program headers reach");
    REFUSES(image.segment[2].p_type = PT_INTERP, "dynamically");
    REFUSES(image.header.e_entry = 0x402234, "entry point");
    REFUSES(image.header.e_phnum = 0, "entry point");
}

static void refuses_bad_segments(void **state)
{
    (void)state;
    REFUSES(image.segment[0].p_offset = ~0ull, "beyond the end");
    REFUSES(image.segment[0].p_filesz = ~0ull, "beyond the end");
    REFUSES(image.segment[0].p_memsz = 1, "larger in the file");
    REFUSES(image.segment[1].p_memsz = ~0ull, "outside the range");
    REFUSES(image.segment[1].p_vaddr = 0x234, "outside the range");
    REFUSES(image.segment[1].p_vaddr = ~0ull << 12 | 0x234, "outside the range");
    REFUSES(image.segment[1].p_memsz = 1ull << 30, "outside the range");
    REFUSES(image.segment[1].p_vaddr += 8, "within the page");
    REFUSES(image.segment[1].p_vaddr = 0x400234, "overlap");
    REFUSES(image.segment[1].p_vaddr = 0x3ff234, "overlap");
    REFUSES(image.segment[1].p_flags = PF_R | PF_W | PF_X, "writable and executable");
}

static void survives_any_damaged_header_byte(void **state)
{
    struct image image;

    (void)state;
    image_make(&image);
    for (size_t i = 0; i < offsetof(struct image, fill); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            ((uint8_t *)&image)[i] ^= (uint8_t)(1 << bit);
            (void)read_whole(&image);
            ((uint8_t *)&image)[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_null(read_whole(&image));
}

static void counts_days(void **state)
{
    (void)state;
    assert_int_equal(calendar_seconds(1970, 1, 1, 0, 0, 0), 0);
    assert_int_equal(calendar_seconds(2000, 2, 29, 23, 59, 59), 951868799);
    assert_int_equal(calendar_seconds(2024, 3, 1, 0, 0, 0), 1709251200);
    assert_int_equal(calendar_seconds(2100, 3, 1, 12, 30, 15), 4107587415);
    assert_int_equal(calendar_seconds(2024, 13, 1, 0, 0, 0), 0);
    assert_int_equal(calendar_seconds(2165, 165, 165, 165, 165, 165), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_a_good_image),
        cmocka_unit_test(refuses_truncated_files),
        cmocka_unit_test(refuses_foreign_files),
        cmocka_unit_test(refuses_bad_segments),
        cmocka_unit_test(survives_any_damaged_header_byte),
        cmocka_unit_test(counts_days),
    };

    return cmocka_run_group_tests_name("roottask/elf", tests, NULL, NULL);
}
