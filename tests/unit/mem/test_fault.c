/*
 * Faults: private and shared file mappings, growing stacks, what is answered at once and
 * what needs the router; and random operations against a model of what each page holds.
 */
#include "program.h"

#include "pager_model.h"
#include "servers/mem/frames.h"
#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <abi/hypercall.h>
#include <abi/message.h>
#include <asm/mman.h>
#include <signal.h>
#include <asm/unistd.h>
#include <errno.h>
#include <gen/common_client.h>
#include <gen/mem_client.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <linux/mman.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define K    PAGE_BYTES
#define RW   (PROT_READ | PROT_WRITE)
#define RX   (PROT_READ | PROT_EXEC)
#define RWX  (RW | PROT_EXEC)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define HERE 0x10000000ull
#define MAPERR SIGNALLED(SIGSEGV, SEGV_MAPERR)
#define ACCERR SIGNALLED(SIGSEGV, SEGV_ACCERR)
#define BUSERR SIGNALLED(SIGBUS, BUS_ADRERR)

static struct space *space(void) { return space_lookup(SPACE_ID); }

static uint8_t byte_at(uint64_t address)
{
    uint8_t value = 0;

    assert_int_equal(program_read(address, &value, 1), 0);
    return value;
}

/* ---- anonymous memory --------------------------------------------------------------------- */

static void reads_share_one_frame_of_zeroes(void **state)
{
    uint64_t frames = frames_in_use();
    unsigned rights;

    (void)state;
    assert_int_equal(call_mmap(HERE, 100 * K, RW, ANON | MAP_FIXED), HERE);
    for (unsigned page = 0; page < 100; page++)
        assert_int_equal(program_get(HERE + page * K), 0);
    assert_int_equal(frames_in_use(), frames);
    assert_int_equal(program_put(HERE + 5 * K, 1), 0);
    assert_int_equal(frames_in_use(), frames + 1);
    assert_int_equal(model_lookup(program_pd, HERE + 6 * K, &rights), frame_zero());
    assert_int_equal(rights, MEM_R);
    assert_int_equal(program_get(HERE + 6 * K), 0);
}

static void faults_outside_of_user_space_are_refused(void **state)
{
    static const uint64_t addresses[] = { 0, USER_END - 1, USER_END, 1ull << 47, UINT64_MAX,
                                          UTCB_AREA_START, 0xffff800000000000 };

    (void)state;
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        assert_int_equal(program_access(addresses[i] & ~7ull, ACCESS_READ), MAPERR);
}

/* ---- stacks ------------------------------------------------------------------------------- */

static uint64_t stack_make(uint64_t limit)
{
    space()->limits.stack = limit;
    assert_int_equal(call_mmap(STACK_TOP - 4 * K, 4 * K, RW, ANON | MAP_FIXED | MAP_GROWSDOWN),
                     STACK_TOP - 4 * K);
    return STACK_TOP;
}

static void stack_grows_to_its_limit(void **state)
{
    uint64_t top = stack_make(64 * K);

    (void)state;
    assert_int_equal(program_put(top - 20 * K, 1), 0);
    assert_int_equal(space()->counts.total, 20);
    assert_int_equal(program_put(top - 64 * K, 2), 0);
    assert_int_equal(program_access(top - 64 * K - 8, ACCESS_WRITE), MAPERR);
    assert_int_equal(program_get(top - 20 * K), 1);
    assert_int_equal(space()->vmas.count, 1);
}

static void stack_keeps_away_from_what_is_below(void **state)
{
    uint64_t guard = STACK_GUARD_PAGES * K, top = stack_make(8 << 20);
    uint64_t below = top - 4 * K - guard - 8 * K;

    (void)state;
    assert_int_equal(call_mmap(below - K, K, RW, ANON | MAP_FIXED), below - K);
    assert_int_equal(program_put(top - 12 * K, 1), 0);
    assert_int_equal(program_access(top - 13 * K, ACCESS_WRITE), MAPERR);
    /* Inaccessible pages are a guard of their own. */
    assert_int_equal(call_mprotect(below - K, K, PROT_NONE), 0);
    assert_int_equal(program_put(top - 13 * K, 1), 0);
}

static void mmap_keeps_away_from_stacks(void **state)
{
    uint64_t guard = STACK_GUARD_PAGES * K, top = HERE + 0x10000000;

    (void)state;
    assert_int_equal(call_mmap(top, K, RW, ANON | MAP_FIXED | MAP_GROWSDOWN), top);
    assert_int_not_equal(call_mmap(top - K, K, RW, ANON), top - K);
    assert_int_equal(call_mmap(top - guard - K, K, RW, ANON), top - guard - K);
}

/* ---- private file mappings ---------------------------------------------------------------- */

static void private_file_pages_are_read_from_the_file(void **state)
{
    struct test_file *file = file_create(NULL, 3 * K + 100);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 5 * K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(byte_at(HERE + K + 77), file_byte(K + 77));
    assert_int_equal(program_routed_faults, 1);
    assert_int_equal(byte_at(HERE + 3 * K + 99), file_byte(3 * K + 99));
    assert_int_equal(byte_at(HERE + 3 * K + 100), 0);
    assert_int_equal(program_routed_faults, 1); /* the other pages came with the first */
    assert_int_equal(program_access(HERE + 4 * K, ACCESS_READ), BUSERR);
    assert_int_equal(program_put(HERE, 1), ACCERR);
    assert_int_equal(program_access(HERE, ACCESS_EXEC), ACCERR);
}

static void file_that_grew_is_asked_again(void **state)
{
    struct test_file *file = file_create(NULL, 2 * K);

    (void)state;
    file->frame_count = 1;
    assert_int_equal(file_mmap(file, HERE, 2 * K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(program_access(HERE + K, ACCESS_READ), BUSERR);
    assert_int_equal(program_access(HERE + K, ACCESS_READ), BUSERR);
    file->frame_count = 2;
    assert_int_equal(program_access(HERE + K, ACCESS_READ), 0);
}

static void private_writes_stay_private(void **state)
{
    struct test_file *file = file_create(NULL, 2 * K);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 2 * K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(program_put(HERE + 16, 0x1122334455667788), 0);
    assert_int_equal(program_get(HERE + 16), 0x1122334455667788);
    assert_int_equal(byte_at(HERE + 24), file_byte(24));
    assert_int_equal(((uint8_t *)frame_ptr(file->frames[0]))[16], file_byte(16));
    assert_int_equal(call_madvise(HERE, 2 * K, MADV_DONTNEED), 0);
    assert_int_equal(byte_at(HERE + 16), file_byte(16));
}

static void written_after_read_is_copied(void **state)
{
    struct test_file *file = file_create(NULL, K);
    unsigned rights;

    (void)state;
    assert_int_equal(file_mmap(file, HERE, K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(byte_at(HERE), file_byte(0));
    assert_int_equal(model_lookup(program_pd, HERE, &rights), file->frames[0]);
    assert_int_equal(rights, MEM_R);
    assert_int_equal(program_put(HERE + 8, 1), 0);
    assert_int_not_equal(model_lookup(program_pd, HERE, &rights), file->frames[0]);
    assert_int_equal(byte_at(HERE), file_byte(0));
    assert_int_equal(program_routed_faults, 1);
}

static void offsets_and_splits_find_the_right_page(void **state)
{
    struct test_file *file = file_create(NULL, 40 * K);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 30 * K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 5 * K),
                     HERE);
    assert_int_equal(call_munmap(HERE + 3 * K, 2 * K), 0);
    assert_int_equal(call_mprotect(HERE + 20 * K, K, RW), 0);
    for (unsigned page = 0; page < 30; page++)
        if (page != 3 && page != 4)
            assert_int_equal(byte_at(HERE + page * K + 9), file_byte((page + 5) * K + 9));
    assert_int_equal(call_mprotect(HERE + 20 * K, K, PROT_READ), 0);
    assert_int_equal(space()->vmas.count, 2);
    assert_int_equal(file->supplied, 28);
}

static void many_pages_come_with_few_faults(void **state)
{
    struct test_file *file = file_create(NULL, 64 * K);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 64 * K, RX, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    for (unsigned page = 0; page < 64; page++)
        assert_int_equal(program_access(HERE + page * K, ACCESS_EXEC), 0);
    assert_int_equal(program_routed_faults, 64 / FAULT_AROUND_PAGES);
    assert_int_equal(program_direct_faults, 0);
}

static void references_come_back_with_the_last_mapping(void **state)
{
    struct test_file *file = file_create(NULL, 4 * K);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 4 * K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(byte_at(HERE), file_byte(0));
    assert_int_equal(call_munmap(HERE + K, K), 0);
    assert_int_equal(files_released(), 0);
    assert_int_equal(call_munmap(HERE, K), 0);
    assert_int_equal(files_released(), 0);
    assert_int_equal(call_munmap(HERE, 4 * K), 0);
    assert_int_equal(files_released(), 1);
    assert_int_equal(file_mmap(file, HERE, K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(program_end(), 1);
}

static void munmap_tells_the_router_of_released_files(void **state)
{
    struct test_file *file = file_create(NULL, K);
    uint64_t arg[6] = { HERE, K };

    (void)state;
    assert_int_equal(file_mmap(file, HERE, K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(host_call(&mem_server, 3, __NR_munmap, CALL_FIRST, arg).word[0], FOLLOW_FILES);
    assert_int_equal(files_released(), 1);
    assert_int_equal(host_call(&mem_server, 3, __NR_munmap, CALL_FIRST, arg).word[0], FOLLOW_NONE);
}

static void more_references_than_fit_come_in_pieces(void **state)
{
    struct test_file *file = file_create(NULL, K);

    (void)state;
    for (unsigned i = 0; i < 600; i++)
        assert_int_equal(file_mmap(file, HERE + i * K, K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0),
                         HERE + i * K);
    assert_int_equal(program_end(), 600);
}

/* ---- shared file mappings ----------------------------------------------------------------- */

static void shared_writes_reach_the_file(void **state)
{
    struct test_file *file = file_create(NULL, 2 * K);
    uint64_t there = HERE + 16 * K;

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 2 * K, RW, RWX, MAP_SHARED | MAP_FIXED, 0), HERE);
    assert_int_equal(file_mmap(file, there, 2 * K, PROT_READ, PROT_READ, MAP_SHARED | MAP_FIXED, 0),
                     there);
    assert_int_equal(program_put(HERE + K, 99), 0);
    assert_int_equal(((uint64_t *)frame_ptr(file->frames[1]))[0], 99);
    assert_int_equal(program_get(there + K), 99);
    assert_int_equal(call_mprotect(there, K, RW), -EACCES);
    assert_int_equal(call_munmap(HERE, 2 * K), 0);
    assert_int_equal(((uint64_t *)frame_ptr(file->frames[1]))[0], 99);
}

static void file_mappings_are_checked(void **state)
{
    struct test_file *file = file_create(NULL, K);

    (void)state;
    assert_int_equal(file_mmap(file, 0, 0, PROT_READ, RWX, MAP_PRIVATE, 0), -EINVAL);
    assert_int_equal(file_mmap(file, 0, K, PROT_READ, RWX, MAP_PRIVATE, 77), -EINVAL);
    assert_int_equal(file_mmap(file, 0, K, PROT_READ, RWX, 0, 0), -EINVAL);
    assert_int_equal(file_mmap(file, 0, K, RW, PROT_READ, MAP_SHARED, 0), -EINVAL);
    assert_int_equal(file_mmap(file, 0, K, PROT_READ, RWX, MAP_PRIVATE, UINT64_MAX - K + 1),
                     -EOVERFLOW);
    assert_int_equal(file_mmap(file, USER_END, K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0),
                     -ENOMEM);
    assert_true(file_mmap(file, 0, K, PROT_READ, RWX, MAP_SHARED_VALIDATE, 0) > 0);
    assert_int_equal(program_end(), 1);
}

static void zero_file_is_anonymous_memory(void **state)
{
    static const struct test_file zero = { .id = 0 };

    (void)state;
    assert_int_equal(file_mmap(&zero, HERE, 2 * K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 5 * K), HERE);
    assert_int_equal(program_get(HERE), 0);
    assert_int_equal(program_put(HERE, 1), 0);
    assert_int_equal(file_mmap(&zero, HERE, 2 * K, RW, RW, MAP_SHARED | MAP_FIXED, 5 * K), HERE);
    assert_int_equal(program_get(HERE), 0);
    assert_int_equal(program_put(HERE + K, 1), 0);
    assert_int_equal(files_released(), 0);
}

static void moved_file_mappings_keep_their_pages(void **state)
{
    struct test_file *file = file_create(NULL, 8 * K);
    int64_t to;

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 4 * K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 2 * K), HERE);
    assert_int_equal(program_put(HERE + 2 * K, 5), 0);
    assert_int_equal(call_mmap(HERE + 4 * K, K, PROT_NONE, ANON | MAP_FIXED), HERE + 4 * K);
    to = call_mremap(HERE + K, 3 * K, 5 * K, MREMAP_MAYMOVE, 0);
    assert_true(to > 0);
    assert_int_equal(byte_at(to), file_byte(3 * K));
    assert_int_equal(program_get(to + K), 5);
    assert_int_equal(byte_at(to + 4 * K), file_byte(7 * K));
    assert_int_equal(byte_at(HERE), file_byte(2 * K));
}

/* ---- fault_in ----------------------------------------------------------------------------- */

static int64_t fault_in(uint64_t address, uint64_t bytes, uint32_t code, uint32_t *signal)
{
    uint64_t file, index, pages;
    uint32_t detail;

    return mem_fault_in(&mem, SPACE_ID, address, bytes, code, &file, &index, &pages, signal,
                        &detail);
}

static void fault_in_takes_ranges(void **state)
{
    uint32_t signal;

    (void)state;
    assert_int_equal(call_mmap(HERE, 200 * K, RW, ANON | MAP_FIXED), HERE);
    assert_int_equal(fault_in(HERE + 5, 3 * K, FAULT_WRITE, &signal), 0);
    assert_int_equal(model_mapped_pages(), 4);
    assert_int_equal(fault_in(HERE, UINT64_MAX, FAULT_WRITE, &signal), 0);
    assert_int_equal(fault_in(HERE, 200 * K, FAULT_WRITE, &signal), 0);
    assert_int_equal(model_mapped_pages(), FAULT_IN_PAGES);
    assert_int_equal(fault_in(HERE + 199 * K, 2 * K, FAULT_WRITE, &signal), 0);
    assert_int_equal(fault_in(HERE + 200 * K, K, FAULT_WRITE, &signal), -EFAULT);
    assert_int_equal(signal, SIGSEGV);
    assert_int_equal(fault_in(UINT64_MAX - 5, 100, 0, &signal), -EFAULT);
    assert_int_equal(fault_in(HERE, 0, 0, &signal), 0);
}

static void unknown_spaces_are_refused(void **state)
{
    uint64_t frame = K, word;
    uint32_t code;
    size_t bytes = sizeof word;

    (void)state;
    assert_int_equal(mem_fault_in(&mem, 99, HERE, 1, 0, &word, &word, &word, &code, &code), -ESRCH);
    assert_int_equal(mem_file_supply(&mem, 99, 1, 0, &frame, 8), -ESRCH);
    assert_int_equal(mem_file_supply(&mem, SPACE_ID, 1, 0, &frame, 8), -ESRCH);
    assert_int_equal(mem_space_destroy(&mem, 99, &word, &bytes), -ESRCH);
    assert_int_equal(mem_space_create(&mem, SPACE_ID, host_space_create()), -EEXIST);
    assert_int_equal(mem_space_create(&mem, 0, host_space_create()), -EINVAL);
    assert_int_equal(mem_mmap_file(&mem, 99, 0, K, PROT_READ, RWX, MAP_PRIVATE, 0, 1, 1), -ESRCH);
    assert_int_equal(common_slot_bind(&mem, 3, 100, 99), -ESRCH);
}

static void supplies_are_checked(void **state)
{
    struct test_file *file = file_create(NULL, K);
    uint64_t frames[2] = { 0, 0x1001 };

    (void)state;
    assert_int_equal(file_mmap(file, HERE, K, PROT_READ, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(mem_file_supply(&mem, SPACE_ID, file->id, 0, frames, 8), -EINVAL);
    assert_int_equal(mem_file_supply(&mem, SPACE_ID, file->id, 0, frames + 1, 8), -EINVAL);
    assert_int_equal(mem_file_supply(&mem, SPACE_ID, file->id, 0, frames, 7), -EINVAL);
    assert_int_equal(mem_file_supply(&mem, SPACE_ID, file->id, UINT64_MAX, file->frames, 8), -EINVAL);
}

/* ---- random operations -------------------------------------------------------------------- */

#define PAGES 96u
#define FILE_PAGES 40u
#define ROUNDS 60000u

struct page_model {
    bool     mapped;
    unsigned prot;
    uint64_t value, fresh; /* what it holds; what it held before it was written to */
};

static struct page_model model[PAGES];
static struct test_file *random_file;

static uint64_t at(unsigned page) { return HERE + page * K; }

static void pick_range(unsigned *from, unsigned *to)
{
    *from = rand() % PAGES;
    *to = *from + 1 + rand() % 12;
    if (*to > PAGES)
        *to = PAGES;
}

static bool all_mapped(unsigned from, unsigned to)
{
    for (unsigned page = from; page < to; page++)
        if (!model[page].mapped)
            return false;
    return true;
}

static void do_mmap(unsigned from, unsigned to)
{
    unsigned prot = rand() % 8, first = rand() % (FILE_PAGES - 12);
    bool is_file = rand() % 3 == 0;
    int64_t result = is_file ? file_mmap(random_file, at(from), (to - from) * K, prot, RWX,
                                         MAP_PRIVATE | MAP_FIXED, first * K)
                             : call_mmap(at(from), (to - from) * K, prot, ANON | MAP_FIXED);

    assert_int_equal(result, at(from));
    for (unsigned page = from; page < to; page++) {
        uint64_t value = 0;

        if (is_file)
            memcpy(&value, frame_ptr(random_file->frames[first + page - from]), sizeof value);
        model[page] = (struct page_model){ true, prot, value, value };
    }
}

static void do_munmap(unsigned from, unsigned to)
{
    assert_int_equal(call_munmap(at(from), (to - from) * K), 0);
    memset(&model[from], 0, (to - from) * sizeof model[0]);
}

static void do_mprotect(unsigned from, unsigned to)
{
    unsigned prot = rand() % 8;
    bool fine = all_mapped(from, to);

    assert_int_equal(call_mprotect(at(from), (to - from) * K, prot), fine ? 0 : -ENOMEM);
    for (unsigned page = from; page < to && model[page].mapped; page++)
        model[page].prot = prot; /* up to the first hole */
}

static void do_dontneed(unsigned from, unsigned to)
{
    bool fine = all_mapped(from, to);

    assert_int_equal(call_madvise(at(from), (to - from) * K, MADV_DONTNEED), fine ? 0 : -ENOMEM);
    for (unsigned page = from; page < to; page++)
        model[page].value = model[page].fresh;
}

static void do_mremap(unsigned from, unsigned to)
{
    unsigned pages = to - from, target = rand() % (PAGES - pages + 1);
    int64_t result = call_mremap(at(from), pages * K, pages * K, MREMAP_MAYMOVE | MREMAP_FIXED,
                                 at(target));
    struct page_model moved[PAGES];

    if (target < to && from < target + pages) {
        assert_true(result == -EINVAL || (result == -EFAULT && !model[from].mapped));
        return;
    }
    if (result == -EFAULT) /* more than one VMA, or none */
        return;
    assert_int_equal(result, at(target));
    memcpy(moved, &model[from], pages * sizeof moved[0]);
    memset(&model[from], 0, pages * sizeof model[0]);
    memcpy(&model[target], moved, pages * sizeof moved[0]);
}

static void do_accesses(unsigned from, unsigned to)
{
    for (unsigned page = from; page < to; page++) {
        struct page_model *expected = &model[page];
        uint64_t value = 0;
        int denied = expected->mapped ? ACCERR : MAPERR;
        bool readable = expected->mapped && expected->prot;

        if (rand() % 2) {
            uint64_t fresh = rand();
            bool writable = readable && expected->prot & PROT_WRITE;

            assert_int_equal(program_put(at(page), fresh), writable ? 0 : denied);
            if (writable)
                expected->value = fresh;
        }
        assert_int_equal(program_read(at(page), &value, sizeof value), readable ? 0 : denied);
        assert_int_equal(program_access(at(page), ACCESS_EXEC),
                         expected->mapped && expected->prot & PROT_EXEC ? 0 : denied);
        if (readable)
            assert_int_equal(value, expected->value);
    }
}

/* What the model of page tables has must be what the space allows. */
static void check_tables(void)
{
    uint64_t total = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        unsigned rights;

        total += model[page].mapped;
        if (!model_lookup(program_pd, at(page), &rights))
            continue;
        assert_true(model[page].mapped);
        assert_int_equal(rights & ~prot_to_rights(model[page].prot), 0);
    }
    assert_int_equal(space()->counts.total, total);
}

static void random_operations_match_the_model(void **state)
{
    static void (*const operations[])(unsigned, unsigned) = {
        do_mmap, do_mmap, do_munmap, do_mprotect, do_mprotect, do_dontneed, do_mremap,
        do_accesses, do_accesses, do_accesses,
    };

    (void)state;
    srand(3);
    memset(model, 0, sizeof model);
    random_file = file_create(NULL, FILE_PAGES * K);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned from, to;

        pick_range(&from, &to);
        operations[rand() % (sizeof operations / sizeof operations[0])](from, to);
        check_tables();
        if (round % 64 == 0)
            files_released();
    }
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(reads_share_one_frame_of_zeroes),
        PROGRAM_TEST(faults_outside_of_user_space_are_refused),
        PROGRAM_TEST(stack_grows_to_its_limit),
        PROGRAM_TEST(stack_keeps_away_from_what_is_below),
        PROGRAM_TEST(mmap_keeps_away_from_stacks),
        PROGRAM_TEST(private_file_pages_are_read_from_the_file),
        PROGRAM_TEST(file_that_grew_is_asked_again),
        PROGRAM_TEST(private_writes_stay_private),
        PROGRAM_TEST(written_after_read_is_copied),
        PROGRAM_TEST(offsets_and_splits_find_the_right_page),
        PROGRAM_TEST(many_pages_come_with_few_faults),
        PROGRAM_TEST(references_come_back_with_the_last_mapping),
        PROGRAM_TEST(munmap_tells_the_router_of_released_files),
        PROGRAM_TEST(more_references_than_fit_come_in_pieces),
        PROGRAM_TEST(shared_writes_reach_the_file),
        PROGRAM_TEST(file_mappings_are_checked),
        PROGRAM_TEST(zero_file_is_anonymous_memory),
        PROGRAM_TEST(moved_file_mappings_keep_their_pages),
        PROGRAM_TEST(fault_in_takes_ranges),
        PROGRAM_TEST(unknown_spaces_are_refused),
        PROGRAM_TEST(supplies_are_checked),
        PROGRAM_TEST(random_operations_match_the_model),
    };

    return cmocka_run_group_tests_name("mem: faults", tests, NULL, NULL);
}
