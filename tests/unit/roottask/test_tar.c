/* The archive reader, also on archives that are damaged. */
#include <roottask/tar.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct archive {
    uint8_t *bytes; /* exactly as long as used, so that ASan sees every overrun */
    size_t used;
};

static void archive_free(struct archive *archive)
{
    free(archive->bytes);
    *archive = (struct archive){ 0 };
}

static uint8_t *blocks_add(struct archive *archive, size_t bytes)
{
    uint8_t *added;

    archive->bytes = realloc(archive->bytes, archive->used + bytes);
    added = archive->bytes + archive->used;
    memset(added, 0, bytes);
    archive->used += bytes;
    return added;
}

static void checksum_set(uint8_t *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (unsigned i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static uint8_t *header_add(struct archive *archive, const char *name, char type, size_t size)
{
    uint8_t *header = blocks_add(archive, 512);

    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    snprintf((char *)header + 124, 12, "%011zo", size);
    header[156] = (uint8_t)type;
    memcpy(header + 257, "ustar\00000", 8);
    checksum_set(header);
    return header;
}

static void file_add(struct archive *archive, const char *name, char type, const char *content)
{
    size_t size = strlen(content);

    header_add(archive, name, type, size);
    memcpy(blocks_add(archive, (size + 511) / 512 * 512), content, size);
}

static void end_add(struct archive *archive) { blocks_add(archive, 1024); }

static void finds_files(void **state)
{
    struct archive archive = { 0 };
    struct tar_entry entry;
    struct tar tar;

    (void)state;
    file_add(&archive, "./a/", '5', "");
    file_add(&archive, "./a/one", '0', "first");
    file_add(&archive, "two", '\0', "second");
    end_add(&archive);
    tar_open(&tar, archive.bytes, archive.used);
    assert_int_equal(tar_find(&tar, "a/one", &entry), TAR_OK);
    assert_int_equal(entry.bytes, 5);
    assert_memory_equal(archive.bytes + entry.offset, "first", 5);
    assert_int_equal(tar_find(&tar, "two", &entry), TAR_OK);
    assert_int_equal(tar_find(&tar, "three", &entry), TAR_NO_FILE);
    assert_int_equal(tar_find(&tar, "a/", &entry), TAR_NO_FILE);
    archive_free(&archive);
}

static void last_of_a_name_counts(void **state)
{
    struct archive archive = { 0 };
    struct tar_entry entry;
    struct tar tar;

    (void)state;
    file_add(&archive, "f", '0', "old");
    file_add(&archive, "f", '0', "newer");
    end_add(&archive);
    tar_open(&tar, archive.bytes, archive.used);
    assert_int_equal(tar_find(&tar, "f", &entry), TAR_OK);
    assert_int_equal(entry.bytes, 5);
    archive_free(&archive);
}

static void skips_extended_headers_and_applies_long_names(void **state)
{
    struct archive archive = { 0 };
    struct tar_entry entry;
    struct tar tar;
    char name[301];

    (void)state;
    memset(name, 'n', 300);
    name[300] = '\0';
    file_add(&archive, "pax", 'x', "20 comment=alignment\n");
    file_add(&archive, "pax", 'g', "20 comment=alignment\n");
    file_add(&archive, "././@LongLink", 'L', name);
    file_add(&archive, "nnn", '0', "content");
    end_add(&archive);
    tar_open(&tar, archive.bytes, archive.used);
    assert_int_equal(tar_next(&tar, &entry), TAR_OK);
    assert_string_equal(entry.name, name);
    assert_int_equal(entry.bytes, 7);
    assert_int_equal(tar_next(&tar, &entry), TAR_END);
    archive_free(&archive);
}

static void joins_prefix_and_name(void **state)
{
    struct archive archive = { 0 };
    struct tar_entry entry;
    struct tar tar;
    uint8_t *header;

    (void)state;
    header = header_add(&archive, "name", '0', 0);
    memcpy(header + 345, "usr/share", 9);
    checksum_set(header);
    end_add(&archive);
    tar_open(&tar, archive.bytes, archive.used);
    assert_int_equal(tar_next(&tar, &entry), TAR_OK);
    assert_string_equal(entry.name, "usr/share/name");
    archive_free(&archive);
}

static void reads_base_256_sizes(void **state)
{
    struct archive archive = { 0 };
    struct tar_entry entry;
    struct tar tar;
    uint8_t *header;

    (void)state;
    header = header_add(&archive, "f", '0', 0);
    memset(header + 124, 0, 12);
    header[124] = 0x80;
    header[135] = 9;
    checksum_set(header);
    memcpy(blocks_add(&archive, 512), "ninebytes", 9);
    end_add(&archive);
    tar_open(&tar, archive.bytes, archive.used);
    assert_int_equal(tar_next(&tar, &entry), TAR_OK);
    assert_int_equal(entry.bytes, 9);
    archive_free(&archive);
}

static enum tar_status walk(const struct archive *archive, uint64_t *at)
{
    struct tar_entry entry;
    struct tar tar;
    enum tar_status status;

    tar_open(&tar, archive->bytes, archive->used);
    do
        status = tar_next(&tar, &entry);
    while (status == TAR_OK);
    *at = tar.at;
    return status;
}

static void names_the_bad_header(void **state)
{
    struct archive archive = { 0 };
    uint64_t at;

    (void)state;
    file_add(&archive, "good", '0', "x");
    file_add(&archive, "bad", '0', "y");
    end_add(&archive);
    archive.bytes[1024 + 10] ^= 1;
    assert_int_equal(walk(&archive, &at), TAR_BAD_CHECKSUM);
    assert_int_equal(at, 1024);
    archive_free(&archive);
}

static void refuses_sizes_beyond_the_end(void **state)
{
    struct archive archive = { 0 };
    uint8_t *header;
    uint64_t at;

    (void)state;
    header_add(&archive, "huge", '0', 077777777777);
    end_add(&archive);
    assert_int_equal(walk(&archive, &at), TAR_BAD_SIZE);
    header = archive.bytes;
    memset(header + 124, 0xff, 12);
    header[124] = 0x80;
    checksum_set(header);
    assert_int_equal(walk(&archive, &at), TAR_BAD_FORMAT);
    memset(header + 124, 'z', 12);
    checksum_set(header);
    assert_int_equal(walk(&archive, &at), TAR_BAD_FORMAT);
    archive_free(&archive);
}

static void refuses_what_is_not_ustar(void **state)
{
    struct archive archive = { 0 };
    uint64_t at;

    (void)state;
    header_add(&archive, "f", '0', 0);
    memset(archive.bytes + 257, 0, 8);
    checksum_set(archive.bytes);
    end_add(&archive);
    assert_int_equal(walk(&archive, &at), TAR_BAD_FORMAT);
    archive_free(&archive);
}

static void refuses_names_that_are_too_long(void **state)
{
    struct archive archive = { 0 };
    char name[TAR_NAME_BYTES + 1];
    uint64_t at;

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    file_add(&archive, "././@LongLink", 'L', name);
    file_add(&archive, "nnn", '0', "content");
    end_add(&archive);
    assert_int_equal(walk(&archive, &at), TAR_BAD_NAME);
    archive_free(&archive);
}

/* Cut at any length: never an overrun, and "whole" only with an end marker. */
static void finds_truncation_at_every_length(void **state)
{
    struct archive whole = { 0 };
    size_t content;

    (void)state;
    file_add(&whole, "a", '0', "content");
    file_add(&whole, "././@LongLink", 'L', "long");
    file_add(&whole, "b", '0', "more content");
    content = whole.used;
    end_add(&whole);
    for (size_t length = 0; length < whole.used; length += 64) {
        struct archive cut = { malloc(length ? length : 1), length };
        uint64_t at;
        enum tar_status status;

        memcpy(cut.bytes, whole.bytes, length);
        status = walk(&cut, &at);
        if (length < content + 512)
            assert_true(status == TAR_TRUNCATED || status == TAR_BAD_SIZE);
        else
            assert_int_equal(status, TAR_END);
        free(cut.bytes);
    }
    archive_free(&whole);
}

/* Every single byte damaged: no crash, no endless loop. */
static void survives_any_damaged_byte(void **state)
{
    struct archive archive = { 0 };
    uint64_t at;

    (void)state;
    file_add(&archive, "a", '0', "content");
    file_add(&archive, "././@LongLink", 'L', "long");
    file_add(&archive, "b", '0', "more content");
    end_add(&archive);
    for (size_t i = 0; i < archive.used; i++) {
        archive.bytes[i] ^= 0xff;
        (void)walk(&archive, &at);
        archive.bytes[i] ^= 0xff;
    }
    assert_int_equal(walk(&archive, &at), TAR_END);
    archive_free(&archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_files),
        cmocka_unit_test(last_of_a_name_counts),
        cmocka_unit_test(skips_extended_headers_and_applies_long_names),
        cmocka_unit_test(joins_prefix_and_name),
        cmocka_unit_test(reads_base_256_sizes),
        cmocka_unit_test(names_the_bad_header),
        cmocka_unit_test(refuses_sizes_beyond_the_end),
        cmocka_unit_test(refuses_what_is_not_ustar),
        cmocka_unit_test(refuses_names_that_are_too_long),
        cmocka_unit_test(finds_truncation_at_every_length),
        cmocka_unit_test(survives_any_damaged_byte),
    };

    return cmocka_run_group_tests_name("roottask/tar", tests, NULL, NULL);
}
