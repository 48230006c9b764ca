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
#include <signal.h>
#include <string.h>

enum { SLOT = 3, SPACE = 7, OTHER_SPACE = 8, QUOTA_PAGES = 256, MANY_PAGES = 64 };
#define NOWHERE 0x123456789000ull

static struct linux_thread thread;
static cap_sel_t space_pd;
static uint64_t area; /* a mapping of MANY_PAGES pages */

/* A protection domain without anything in it; SEL_NONE. */
static cap_sel_t pd_create(void)
{
    cap_sel_t sel = cap_alloc(1);

    if (sel == SEL_NONE ||
        with_kernel_memory(hc_create_pd(sel, own_pd, QUOTA_PAGES, 0)) != ST_OK)
        return SEL_NONE;
    return sel;
}

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

static const char *end_of_a_space_frees_all(void)
{
    uint64_t frames[2], heap[2], objects[2];
    const char *wrong = come_and_go(); /* what is allocated once is there now */

    for (int i = 0; i < 2 && !wrong; i++) {
        EXPECT(common_usage(&thread.all, &frames[i], &heap[i], &objects[i]) == 0);
        if (i == 0)
            wrong = come_and_go();
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
        NATIVE_TEST(end_of_a_space_frees_all),
    };

    (void)startup;
    native_tests_run(tests, sizeof tests / sizeof tests[0]);
}
