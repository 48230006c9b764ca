/*
 * The boot archive: what it becomes, from good and from corrupt archives.
 */
#include "vfs_env.h"

#include <servers/vfs/archive.h>
#include <servers/vfs/process.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK 512u

/* ---- building archives -------------------------------------------------------------------- */

static struct {
    uint8_t bytes[256 * 1024] __attribute__((aligned(4096)));
    size_t  used;
} tar;

static void checksum_set(uint8_t *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (unsigned i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static uint8_t *add_header(char type, const char *name, const char *link, size_t size,
                           unsigned mode)
{
    uint8_t *header = tar.bytes + tar.used;

    memset(header, 0, BLOCK);
    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    snprintf((char *)header + 100, 8, "%07o", mode);
    snprintf((char *)header + 108, 8, "%07o", 1000u);
    snprintf((char *)header + 116, 8, "%07o", 100u);
    snprintf((char *)header + 124, 12, "%011zo", size);
    snprintf((char *)header + 136, 12, "%011o", 1234567890u);
    header[156] = (uint8_t)type;
    memcpy(header + 157, link, strlen(link) < 100 ? strlen(link) : 100);
    memcpy(header + 257, "ustar\00000", 8);
    checksum_set(header);
    tar.used += BLOCK;
    return header;
}

static void add_data(const void *data, size_t size)
{
    memset(tar.bytes + tar.used, 0, (size + BLOCK - 1) / BLOCK * BLOCK);
    memcpy(tar.bytes + tar.used, data, size);
    tar.used += (size + BLOCK - 1) / BLOCK * BLOCK;
}

static void add_file(const char *name, const char *text)
{
    add_header('0', name, "", strlen(text), 0644);
    add_data(text, strlen(text));
}

static void add_end(void)
{
    memset(tar.bytes + tar.used, 0, 2 * BLOCK);
    tar.used += 2 * BLOCK;
}

static void tar_begin(void) { memset(&tar, 0, sizeof tar); }

static void start(void) { env_start_with(0, tar.bytes, tar.used); }

static int teardown(void **state)
{
    (void)state;
    env_end();
    return 0;
}

/* ---- good ones ---------------------------------------------------------------------------- */

static void test_all_types(void **state)
{
    struct stat st;
    uint8_t    *header;

    (void)state;
    tar_begin();
    add_header('5', "./", "", 0, 0711);
    add_header('5', "./bin/", "", 0, 02750);
    add_file("./bin/tool", "#!/x\n");
    add_file("deep/er/and/deeper", "parents are made");
    add_header('1', "hard", "./bin/tool", 0, 0644);
    add_header('2', "soft", "bin/tool", 0, 0777);
    header = add_header('3', "dev/odd", "", 0, 0600);
    memcpy(header + 329, "0000012", 8);
    memcpy(header + 337, "0000003", 8);
    checksum_set(header);
    add_header('6', "fifo", "", 0, 0620);
    add_file("/absolute", "abs");
    add_end();
    start();
    assert_int_equal(do_stat("/").st_mode, S_IFDIR | 0711);
    st = do_stat("/bin");
    assert_int_equal(st.st_mode, S_IFDIR | 02750);
    assert_int_equal(st.st_uid, 1000);
    assert_int_equal(st.st_gid, 100);
    assert_int_equal(st.st_mtim.tv_sec, 1234567890);
    st = do_stat("/bin/tool");
    assert_int_equal(st.st_mode, S_IFREG | 0644);
    assert_int_equal(st.st_nlink, 2);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(st.st_mtim.tv_sec, 1234567890);
    assert_string_equal(file_text("/hard"), "#!/x\n");
    assert_string_equal(file_text("/soft"), "#!/x\n");
    assert_string_equal(file_text("/deep/er/and/deeper"), "parents are made");
    assert_int_equal(do_stat("/deep/er").st_mode, S_IFDIR | 0755);
    assert_int_equal(do_stat("/dev/odd").st_mode, S_IFCHR | 0600);
    assert_int_equal(do_stat("/dev/odd").st_rdev, 0xa03);
    assert_int_equal(do_stat("/fifo").st_mode, S_IFIFO | 0620);
    assert_string_equal(file_text("/absolute"), "abs");
    assert_int_equal(do_stat("/tmp").st_mode, S_IFDIR | 01777);
    assert_int_equal(do_stat("/dev/null").st_rdev, 0x103);
}

static void test_long_names(void **state)
{
    static char name[300], text[400];

    (void)state;
    tar_begin();
    memset(name, 'a', 149);
    memcpy(name + 100, "/", 1);
    add_header('L', "././@LongLink", "", strlen(name) + 1, 0);
    add_data(name, strlen(name) + 1);
    add_file("cut off", "by GNU");
    snprintf(text, sizeof text, "162 path=%s\n", name);
    text[strlen(text) - 2] = 'b';
    assert_int_equal(strlen(text), 159);
    memcpy(text, "159", 3);
    add_header('x', "PaxHeader", "", strlen(text), 0);
    add_data(text, strlen(text));
    add_file("cut off", "by pax");
    add_header('g', "global", "", 20, 0);
    add_data("20 comment=something", 20);
    add_header('K', "././@LongLink", "", 9, 0);
    add_data("the/link", 9);
    add_header('2', "link", "cut", 0, 0777);
    add_end();
    start();
    assert_string_equal(file_text(name), "by GNU");
    name[148] = 'b';
    assert_string_equal(file_text(name), "by pax");
    assert_int_equal(SYS(readlink, S("/link"), BUFFER, 100), 8);
    assert_memory_equal(user_at(BUFFER), "the/link", 8);
}

static void test_prefix_and_links_in_path(void **state)
{
    uint8_t *header;

    (void)state;
    tar_begin();
    header = add_header('0', "name", "", 3, 0644);
    memcpy(header + 345, "some/prefix", 11);
    checksum_set(header);
    add_data("yes", 3);
    add_header('5', "usr/bin", "", 0, 0755);
    add_header('2', "bin", "usr/bin", 0, 0777);
    add_file("bin/ls", "merged"); /* through the link */
    add_file("again", "first");
    add_file("again", "second"); /* the later one wins */
    add_end();
    start();
    assert_string_equal(file_text("/some/prefix/name"), "yes");
    assert_string_equal(file_text("/usr/bin/ls"), "merged");
    assert_string_equal(file_text("/again"), "second");
}

/* Data on page boundaries is not copied, and never written. */
static void test_borrowed_pages(void **state)
{
    static uint8_t data[2 * PAGE_BYTES + 100], before[sizeof data];
    uint64_t       frames;
    int64_t        fd;

    (void)state;
    memset(data, 'd', sizeof data);
    memcpy(before, data, sizeof data);
    tar_begin();
    tar.used = PAGE_BYTES - BLOCK;
    for (size_t at = 0; at < tar.used; at += BLOCK) { /* filler entries */
        size_t used = tar.used;

        tar.used = at;
        add_header('g', "filler", "", 0, 0);
        tar.used = used;
    }
    add_header('0', "f", "", sizeof data, 0644);
    assert_int_equal(tar.used % PAGE_BYTES, 0);
    add_data(data, sizeof data);
    add_end();
    frames = frames_in_use();
    start();
    fd = do_open("/f", O_RDWR);
    assert_int_equal(SYS(read, (uint64_t)fd, BUFFER, 100000), sizeof data);
    assert_memory_equal(user_at(BUFFER), data, sizeof data);
    assert_int_equal(frames_in_use(), frames);
    assert_int_equal(SYS(pwrite64, (uint64_t)fd, S("X"), 1, 5000), 1);
    assert_int_equal(frames_in_use(), frames + 1);
    assert_memory_equal(tar.bytes + PAGE_BYTES, before, sizeof before);
    assert_int_equal(do_stat("/f").st_blocks, 24);
}

/* ---- corrupt ones ------------------------------------------------------------------------- */

static void test_bad_entries(void **state)
{
    uint8_t *header;

    (void)state;
    tar_begin();
    add_file("good", "1");
    add_file("../outside", "2");
    add_file("a/../../outside", "2");
    header = add_header('0', "bad sum", "", 0, 0644);
    header[0] ^= 1;
    header = add_header('0', "bad number", "", 0, 0644);
    memcpy(header + 124, "9abc", 4);
    checksum_set(header);
    add_header('1', "hard to nothing", "nothing", 0, 0644);
    add_header('2', "empty link", "", 0, 0777);
    add_file("good/below a file", "3");
    add_header('x', "bad pax", "", 10, 0);
    add_data("nonsense..", 10);
    add_file("after", "4");
    add_end();
    start();
    assert_string_equal(file_text("/good"), "1");
    assert_string_equal(file_text("/after"), "4");
    assert_null(file_text("/outside"));
    assert_null(file_text("/bad sum"));
}

static void test_truncated(void **state)
{
    (void)state;
    tar_begin();
    add_file("whole", "all of it");
    add_header('0', "cut", "", 100000, 0644);
    add_data("only this", 9);
    start();
    assert_string_equal(file_text("/whole"), "all of it");
    assert_null(file_text("/cut"));
}

static void test_empty_and_garbage(void **state)
{
    (void)state;
    tar_begin();
    start();
    assert_int_equal(do_stat("/dev").st_nlink, 2);
    env_end();
    memset(tar.bytes, 0xa5, sizeof tar.bytes);
    tar.used = sizeof tar.bytes;
    start();
    assert_int_equal(do_stat("/dev").st_nlink, 2);
}

/* Any bytes of a good archive may be wrong. */
static void test_random_damage(void **state)
{
    static uint8_t good[sizeof tar.bytes];
    size_t         used;

    (void)state;
    tar_begin();
    add_header('5', "d", "", 0, 0755);
    add_file("d/f", "some text");
    add_header('x', "pax", "", 14, 0);
    add_data("14 path=d/pax\n", 14);
    add_file("x", "more");
    add_header('L', "long", "", 6, 0);
    add_data("d/long", 6);
    add_file("y", "most");
    add_header('1', "h", "d/f", 0, 0644);
    add_header('2', "s", "d/f", 0, 0777);
    add_end();
    used = tar.used;
    memcpy(good, tar.bytes, used);
    srand(1);
    for (unsigned round = 0; round < 2000; round++) {
        memcpy(tar.bytes, good, used);
        for (unsigned i = 0; i < 3; i++)
            tar.bytes[(unsigned)rand() % used] = (uint8_t)rand();
        for (size_t at = 0; at < used; at += BLOCK) /* headers stay believable */
            if (tar.bytes[at + 257] == 'u' && round % 2)
                checksum_set(tar.bytes + at);
        tar.used = round % 3 ? used : (unsigned)rand() % used;
        env_start_with(0, tar.bytes, tar.used);
        env_end();
    }
    start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_types, teardown),
        cmocka_unit_test_teardown(test_long_names, teardown),
        cmocka_unit_test_teardown(test_prefix_and_links_in_path, teardown),
        cmocka_unit_test_teardown(test_borrowed_pages, teardown),
        cmocka_unit_test_teardown(test_bad_entries, teardown),
        cmocka_unit_test_teardown(test_truncated, teardown),
        cmocka_unit_test_teardown(test_empty_and_garbage, teardown),
        cmocka_unit_test_teardown(test_random_damage, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
