/*
 * The memory server over real IPC, without router, vfs and proc.
 */
#include "linux_thread.h"
#include "native_test.h"

#include <asm/unistd.h>
#include <errno.h>
#include <gen/common_client.h>
#include <gen/mem_client.h>
#include <lib/native/runtime.h>
#include <linux/mman.h>
#include <proto/mem_report.h>
#include <signal.h>
#include <string.h>

enum { SLOT = 3, SPACE = 7, OTHER_SPACE = 8, CLONE = 9, QUOTA_PAGES = 256, MANY_PAGES = 64 };
enum { TINY_QUOTA_PAGES = 12 }; /* not enough for page tables in many places */
#define NOWHERE 0x123456789000ull

static struct linux_thread thread;
static cap_sel_t space_pd;
static uint64_t area; /* a mapping of MANY_PAGES pages */

/* A protection domain without anything in it; SEL_NONE. */
static cap_sel_t pd_create_small(uint64_t quota_pages)
{
    cap_sel_t sel = cap_alloc(1);

    if (sel == SEL_NONE ||
        with_kernel_memory(hc_create_pd(sel, own_pd, quota_pages, 0)) != ST_OK)
        return SEL_NONE;
    return sel;
}

static cap_sel_t pd_create(void) { return pd_create_small(QUOTA_PAGES); }

static int64_t fault_in(uint32_t space, uint64_t address, uint64_t bytes, bool write,
                        uint32_t *signal)
{
    uint64_t file, index, pages;
    uint32_t code;

    return mem_fault_in(&thread.all, space, address, bytes,
                        FAULT_USER | (write ? FAULT_WRITE : 0), &file, &index, &pages, signal,
                        &code);
}

/* In the space to which the slot is bound. */
static int64_t mmap_anonymous(uint64_t bytes)
{
    return linux_call(&thread, __NR_mmap, 0, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0);
}

/* Copies a word to or from the space; false where the page is not so accessible. */
static bool word_copy(cap_sel_t pd, unsigned op, uint64_t address, uint64_t *word)
{
    uint64_t done;

    return hc_copy(pd, op, word, address, sizeof *word, &done) == ST_OK;
}

/* ---- the tests, in the order in which they run -------------------------------------- */

static const char *space_can_be_made(void)
{
    EXPECT(linux_thread_open(&thread, "mem", SLOT));
    space_pd = pd_create();
    EXPECT(space_pd != SEL_NONE);
    EXPECT(mem_space_create(&thread.all, SPACE, space_pd) == 0);
    EXPECT(common_slot_bind(&thread.all, SLOT, 1, SPACE) == 0);
    return NULL;
}

static const char *space_can_not_be_made_twice(void)
{
    EXPECT(mem_space_create(&thread.all, SPACE, space_pd) < 0);
    return NULL;
}

static const char *wrong_images_are_refused(void)
{
    static const char text[64] = "#!/bin/sh\n";
    uint64_t offset, bytes;

    EXPECT(mem_exec_image(&thread.all, SPACE, 1, sizeof text, 0, text, sizeof text, &offset,
                          &bytes) == -ENOEXEC);
    EXPECT(mem_exec_image(&thread.all, SPACE, 1, 0, 0, text, 0, &offset, &bytes) == -ENOEXEC);
    return NULL;
}

static const char *anonymous_memory_is_mapped(void)
{
    int64_t result = mmap_anonymous(MANY_PAGES * PAGE_BYTES);

    EXPECT(result > 0 && result % (int64_t)PAGE_BYTES == 0);
    area = (uint64_t)result;
    return NULL;
}

static const char *page_is_there_and_zero_after_fault_in(void)
{
    uint64_t word = 1;
    uint32_t signal;

    EXPECT(!word_copy(space_pd, COPY_FROM, area, &word));
    EXPECT(fault_in(SPACE, area, 8, true, &signal) == 0);
    EXPECT(word_copy(space_pd, COPY_FROM, area, &word) && word == 0);
    word = 42;
    EXPECT(word_copy(space_pd, COPY_TO, area, &word));
    word = 0;
    EXPECT(word_copy(space_pd, COPY_FROM, area, &word) && word == 42);
    return NULL;
}

static const char *fault_in_serves_a_whole_range(void)
{
    uint64_t word;
    uint32_t signal;

    EXPECT(fault_in(SPACE, area, MANY_PAGES * PAGE_BYTES, true, &signal) == 0);
    for (uint64_t page = 1; page < MANY_PAGES; page++)
        EXPECT(word_copy(space_pd, COPY_FROM, area + page * PAGE_BYTES, &word) && word == 0);
    return NULL;
}

static const char *access_to_nothing_is_a_segmentation_fault(void)
{
    uint32_t signal = 0;

    EXPECT(fault_in(SPACE, NOWHERE, 1, false, &signal) == -EFAULT);
    EXPECT(signal == SIGSEGV);
    EXPECT(fault_in(SPACE, USER_END, 1, false, &signal) == -EFAULT);
    EXPECT(fault_in(SPACE, 0xffffffff80000000ull, 1, false, &signal) == -EFAULT);
    return NULL;
}

static const char *protection_holds(void)
{
    uint64_t word = 1;
    uint32_t signal;

    EXPECT(linux_call(&thread, __NR_mprotect, area, PAGE_BYTES, PROT_READ) == 0);
    EXPECT(!word_copy(space_pd, COPY_TO, area, &word));
    EXPECT(fault_in(SPACE, area, 8, true, &signal) == -EFAULT);
    EXPECT(word_copy(space_pd, COPY_FROM, area, &word) && word == 42);
    EXPECT(linux_call(&thread, __NR_mprotect, area + 1, PAGE_BYTES, PROT_READ) == -EINVAL);
    return NULL;
}

static const char *unmapped_memory_is_gone(void)
{
    uint64_t word;
    uint32_t signal;

    EXPECT(linux_call(&thread, __NR_munmap, area, 2 * PAGE_BYTES) == 0);
    EXPECT(!word_copy(space_pd, COPY_FROM, area, &word));
    EXPECT(fault_in(SPACE, area, 1, false, &signal) == -EFAULT);
    EXPECT(linux_call(&thread, __NR_munmap, area + 1, PAGE_BYTES) == -EINVAL);
    return NULL;
}

static const char *unknown_spaces_are_refused(void)
{
    uint8_t released[2048];
    size_t bytes = sizeof released;
    uint32_t signal;

    EXPECT(fault_in(SPACE + 100, area, 1, false, &signal) < 0);
    EXPECT(mem_space_destroy(&thread.all, SPACE + 100, released, &bytes) < 0);
    return NULL;
}

/* Makes a space, touches a megabyte in it, and ends it. */
static const char *come_and_go(void)
{
    uint8_t released[2048];
    size_t bytes = sizeof released;
    cap_sel_t pd = pd_create();
    uint32_t signal;
    int64_t at;

    EXPECT(pd != SEL_NONE);
    EXPECT(mem_space_create(&thread.all, OTHER_SPACE, pd) == 0);
    EXPECT(common_slot_bind(&thread.all, SLOT, 1, OTHER_SPACE) == 0);
    at = mmap_anonymous(1 << 20);
    EXPECT(at > 0);
    EXPECT(fault_in(OTHER_SPACE, (uint64_t)at, 1 << 20, true, &signal) == 0);
    EXPECT(common_slot_bind(&thread.all, SLOT, 0, 0) == 0);
    EXPECT(mem_space_destroy(&thread.all, OTHER_SPACE, released, &bytes) == 0);
    EXPECT(bytes == 0);
    ipc_cap_drop(pd);
    return NULL;
}

/* ---- clones ------------------------------------------------------------------------- */

static int64_t clone_end(cap_sel_t pd)
{
    uint8_t released[64];
    size_t bytes = sizeof released;
    int64_t result = mem_space_destroy(&thread.all, CLONE, released, &bytes);

    ipc_cap_drop(pd);
    return bytes == 0 ? result : -EINVAL;
}

static bool word_put(uint32_t space, cap_sel_t pd, uint64_t address, uint64_t word)
{
    uint32_t signal;

    return fault_in(space, address, 8, true, &signal) == 0 && word_copy(pd, COPY_TO, address, &word);
}

static bool word_is(cap_sel_t pd, uint64_t address, uint64_t expected)
{
    uint64_t word = ~expected;

    return word_copy(pd, COPY_FROM, address, &word) && word == expected;
}

static const char *clone_parts_when_written(void)
{
    uint64_t at = area + 8 * PAGE_BYTES, word = 8;
    cap_sel_t pd = pd_create();

    EXPECT(pd != SEL_NONE);
    EXPECT(word_put(SPACE, space_pd, at, 7));
    EXPECT(mem_space_clone(&thread.all, SPACE, CLONE, pd) == 0);
    EXPECT(word_is(pd, at, 7)); /* without a fault */
    EXPECT(!word_copy(pd, COPY_TO, at, &word));
    EXPECT(!word_copy(space_pd, COPY_TO, at, &word));
    EXPECT(word_put(SPACE, space_pd, at, 8));
    EXPECT(word_is(pd, at, 7));
    EXPECT(word_put(CLONE, pd, at, 9));
    EXPECT(word_is(space_pd, at, 8));
    EXPECT(clone_end(pd) == 0);
    return NULL;
}

static const char *shared_memory_stays_shared(void)
{
    int64_t at = linux_call(&thread, __NR_mmap, 0, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, UINT64_MAX, 0);
    cap_sel_t pd = pd_create();
    uint32_t signal;

    EXPECT(pd != SEL_NONE && at > 0);
    EXPECT(word_put(SPACE, space_pd, (uint64_t)at, 1));
    EXPECT(mem_space_clone(&thread.all, SPACE, CLONE, pd) == 0);
    EXPECT(word_put(CLONE, pd, (uint64_t)at, 2));
    EXPECT(word_put(CLONE, pd, (uint64_t)at + PAGE_BYTES, 3));
    EXPECT(word_is(space_pd, (uint64_t)at, 2));
    EXPECT(fault_in(SPACE, (uint64_t)at + PAGE_BYTES, 1, false, &signal) == 0);
    EXPECT(word_is(space_pd, (uint64_t)at + PAGE_BYTES, 3));
    EXPECT(clone_end(pd) == 0);
    return NULL;
}

/* Touches memory in so many places that a copy of the page tables exceeds the quota. */
static const char *clone_without_memory_leaves_the_parent_as_it_was(void)
{
    uint64_t apart = 1ull << 30, first = 1ull << 40, usage[2], heap, objects;
    cap_sel_t pd = pd_create_small(TINY_QUOTA_PAGES);

    EXPECT(pd != SEL_NONE);
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t at = first + i * apart;

        EXPECT(linux_call(&thread, __NR_mmap, at, PAGE_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0) == (int64_t)at);
        EXPECT(word_put(SPACE, space_pd, at, i));
    }
    EXPECT(common_usage(&thread.all, &usage[0], &heap, &objects) == 0);
    EXPECT(mem_space_clone(&thread.all, SPACE, CLONE, pd) == -ENOMEM);
    EXPECT(mem_space_clone(&thread.all, SPACE, CLONE, pd) == -ENOMEM);
    for (uint64_t i = 0; i < 8; i++) {
        EXPECT(word_is(space_pd, first + i * apart, i));
        EXPECT(word_put(SPACE, space_pd, first + i * apart, i + 1));
    }
    EXPECT(common_usage(&thread.all, &usage[1], &heap, &objects) == 0);
    EXPECT(usage[0] == usage[1]);
    ipc_cap_drop(pd);
    EXPECT(linux_call(&thread, __NR_munmap, first, 8 * apart) == 0);
    return NULL;
}

static const char *space_with_two_users_ends_twice(void)
{
    cap_sel_t pd = pd_create();
    uint8_t released[64];
    size_t bytes = sizeof released;

    EXPECT(pd != SEL_NONE);
    EXPECT(mem_space_clone(&thread.all, SPACE, CLONE, pd) == 0);
    EXPECT(mem_space_share(&thread.all, CLONE) == 0);
    EXPECT(mem_space_destroy(&thread.all, CLONE, released, &bytes) == 0);
    EXPECT(clone_end(pd) == 0);
    EXPECT(mem_space_share(&thread.all, CLONE) == -ESRCH);
    return NULL;
}

/* ---- figures ------------------------------------------------------------------------ */

static const char *limits_hold_and_figures_tell(void)
{
    uint64_t figures[MEM_FIGURES];
    struct mem_area areas[MEM_AREAS_MAX];
    size_t bytes = sizeof figures;

    EXPECT(mem_space_stat(&thread.all, SPACE, figures, &bytes) == 0 && bytes == sizeof figures);
    EXPECT(figures[MEM_RSS_ANON] > 0 && figures[MEM_RSS_ANON] <= figures[MEM_TOTAL]);
    EXPECT(mem_space_limits(&thread.all, SPACE, figures[MEM_TOTAL] * PAGE_BYTES, UINT64_MAX,
                            UINT64_MAX) == 0);
    EXPECT(mmap_anonymous(PAGE_BYTES) == -ENOMEM);
    EXPECT(mem_space_limits(&thread.all, SPACE, UINT64_MAX, UINT64_MAX, UINT64_MAX) == 0);
    EXPECT(mmap_anonymous(PAGE_BYTES) > 0);
    bytes = sizeof areas;
    EXPECT(mem_maps(&thread.all, SPACE, 0, areas, &bytes) > 0);
    EXPECT(bytes % sizeof areas[0] == 0 && areas[0].start < areas[0].end);
    return NULL;
}

/* ---- the end ------------------------------------------------------------------------ */

static const char *clone_and_go(void)
{
    cap_sel_t pd = pd_create();

    EXPECT(pd != SEL_NONE);
    EXPECT(mem_space_clone(&thread.all, SPACE, CLONE, pd) == 0);
    EXPECT(clone_end(pd) == 0);
    return come_and_go();
}

static const char *end_of_a_space_frees_all(void)
{
    uint64_t frames[2], heap[2], objects[2];
    const char *wrong = clone_and_go(); /* what is allocated once is there now */

    for (int i = 0; i < 2 && !wrong; i++) {
        EXPECT(common_usage(&thread.all, &frames[i], &heap[i], &objects[i]) == 0);
        if (i == 0)
            wrong = clone_and_go();
    }
    if (wrong)
        return wrong;
    EXPECT(frames[0] == frames[1]);
    EXPECT(heap[0] == heap[1]);
    EXPECT(objects[0] == objects[1]);
    return NULL;
}

int native_main(const struct startup *startup)
{
    static const struct native_test tests[] = {
        NATIVE_TEST(space_can_be_made),
        NATIVE_TEST(space_can_not_be_made_twice),
        NATIVE_TEST(wrong_images_are_refused),
        NATIVE_TEST(anonymous_memory_is_mapped),
        NATIVE_TEST(page_is_there_and_zero_after_fault_in),
        NATIVE_TEST(fault_in_serves_a_whole_range),
        NATIVE_TEST(access_to_nothing_is_a_segmentation_fault),
        NATIVE_TEST(protection_holds),
        NATIVE_TEST(unmapped_memory_is_gone),
        NATIVE_TEST(unknown_spaces_are_refused),
        NATIVE_TEST(clone_parts_when_written),
        NATIVE_TEST(shared_memory_stays_shared),
        NATIVE_TEST(clone_without_memory_leaves_the_parent_as_it_was),
        NATIVE_TEST(space_with_two_users_ends_twice),
        NATIVE_TEST(limits_hold_and_figures_tell),
        NATIVE_TEST(end_of_a_space_frees_all),
    };

    (void)startup;
    native_tests_run(tests, sizeof tests / sizeof tests[0]);
}
