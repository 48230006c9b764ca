/*
 * RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK; and what the operations for /proc tell: figures and
 * areas of a space.
 */
#include "program.h"

#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <asm/mman.h>
#include <asm/resource.h>
#include <asm/unistd.h>
#include <errno.h>
#include <gen/mem_client.h>
#include <linux/mman.h>
#include <proto/mem_report.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define K      PAGE_BYTES
#define RW     (PROT_READ | PROT_WRITE)
#define RX     (PROT_READ | PROT_EXEC)
#define RWX    (RW | PROT_EXEC)
#define ANON   (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define HERE   0x10000000ull
#define NONE   RLIM_INFINITY
#define MAPERR SIGNALLED(SIGSEGV, SEGV_MAPERR)

static struct space *space(void) { return space_lookup(SPACE_ID); }

static void set_limits(uint64_t as, uint64_t data, uint64_t stack)
{
    assert_int_equal(mem_space_limits(&mem, SPACE_ID, as, data, stack), 0);
}

static void map_here(uint64_t pages, unsigned prot, unsigned flags)
{
    assert_int_equal(call_mmap(HERE, pages * K, prot, flags | MAP_FIXED), HERE);
}

/* ---- limits ------------------------------------------------------------------------------- */

static void address_space_is_limited(void **state)
{
    (void)state;
    set_limits(10 * K, NONE, NONE);
    map_here(8, PROT_NONE, ANON);
    assert_int_equal(call_mmap(0, 3 * K, PROT_READ, SHARED), -ENOMEM);
    assert_true(call_mmap(0, 2 * K, PROT_READ, SHARED) > 0);
    assert_int_equal(call_mremap(HERE, 8 * K, 9 * K, MREMAP_MAYMOVE, 0), -ENOMEM);
    map_here(8, RW, ANON); /* replaces as much as it needs */
    assert_int_equal(call_munmap(HERE, K), 0);
    assert_true(call_mmap(0, K, RW, ANON) > 0);
    assert_int_equal(mem_space_limits(&mem, SPACE_ID + 1, NONE, NONE, NONE), -ESRCH);
}

static void data_is_limited(void **state)
{
    (void)state;
    set_limits(NONE, 6 * K, NONE);
    assert_true(call_mmap(0, 100 * K, PROT_READ, ANON) > 0);
    assert_true(call_mmap(0, 100 * K, RW, SHARED) > 0);
    map_here(5, RW, ANON);
    assert_int_equal(call_mmap(0, 2 * K, RW, ANON), -ENOMEM);
    assert_int_equal(call_mmap(HERE + 5 * K, 4 * K, PROT_READ, ANON | MAP_FIXED), HERE + 5 * K);
    assert_int_equal(call_mprotect(HERE + 5 * K, 2 * K, RW), -ENOMEM);
    assert_int_equal(call_mprotect(HERE + 5 * K, K, RW), 0);
    assert_int_equal(call_mprotect(HERE, 6 * K, RWX), 0); /* is data already */
    assert_int_equal(space()->counts.data, 6);
    assert_int_equal(call_mremap(HERE, 3 * K, 4 * K, MREMAP_MAYMOVE, 0), -ENOMEM);
    assert_int_equal(call_mprotect(HERE, 6 * K, PROT_READ), 0);
    assert_int_equal(space()->counts.data, 0);
    assert_true(call_mmap(0, 6 * K, RW, ANON) > 0);
}

static void heap_is_data(void **state)
{
    (void)state;
    space()->brk_start = space()->brk = HERE;
    space()->marks.data_start = 0x5000;
    space()->marks.data_end = 0x5000 + 2 * K;
    set_limits(NONE, 6 * K, NONE);
    assert_int_equal(call_brk(HERE + 4 * K), HERE + 4 * K);
    assert_int_equal(call_brk(HERE + 4 * K + 1), HERE + 4 * K);
    assert_int_equal(call_brk(HERE + 3 * K), HERE + 3 * K);
}

static void stack_is_limited(void **state)
{
    uint64_t low = STACK_TOP - 4 * K;

    (void)state;
    set_limits(12 * K, NONE, 16 * K);
    assert_int_equal(call_mmap(low, 4 * K, RW, ANON | MAP_FIXED | MAP_GROWSDOWN), low);
    assert_int_equal(program_put(STACK_TOP - 12 * K, 1), 0);
    assert_int_equal(program_access(STACK_TOP - 13 * K, ACCESS_WRITE), MAPERR); /* RLIMIT_AS */
    set_limits(NONE, K, 16 * K);
    assert_int_equal(program_put(STACK_TOP - 16 * K, 1), 0); /* is no data */
    assert_int_equal(program_access(STACK_TOP - 17 * K, ACCESS_WRITE), MAPERR);
    assert_int_equal(space()->counts.stack, 16);
}

/* ---- figures ------------------------------------------------------------------------------ */

static void take_figures(uint64_t figures[MEM_FIGURES])
{
    size_t bytes = MEM_FIGURES * sizeof figures[0];

    assert_int_equal(mem_space_stat(&mem, SPACE_ID, figures, &bytes), 0);
    assert_int_equal(bytes, MEM_FIGURES * sizeof figures[0]);
}

static void figures_add_up(void **state)
{
    struct test_file *file = file_create(NULL, 20 * K);
    uint64_t figures[MEM_FIGURES];
    size_t bytes = sizeof figures;

    (void)state;
    map_here(10, RW, ANON);
    assert_int_equal(call_mmap(HERE + 10 * K, 3 * K, RW, SHARED | MAP_FIXED), HERE + 10 * K);
    assert_int_equal(file_mmap(file, HERE + 100 * K, 20 * K, RX, RWX, MAP_PRIVATE | MAP_FIXED, 0),
                     HERE + 100 * K);
    for (unsigned page = 0; page < 4; page++)
        assert_int_equal(program_put(HERE + page * K, 1), 0);
    assert_int_equal(program_access(HERE + 5 * K, ACCESS_READ), 0); /* zeroes don't count */
    assert_int_equal(program_put(HERE + 11 * K, 1), 0);
    assert_int_equal(program_access(HERE + 100 * K, ACCESS_READ), 0);
    assert_int_equal(call_mprotect(HERE + 100 * K, 2 * K, RW), 0);
    assert_int_equal(program_put(HERE + 100 * K, 1), 0);
    take_figures(figures);
    assert_int_equal(figures[MEM_TOTAL], 33);
    assert_int_equal(figures[MEM_DATA], 12);
    assert_int_equal(figures[MEM_EXEC], 18);
    assert_int_equal(figures[MEM_STACK], 0);
    assert_int_equal(figures[MEM_RSS_ANON], 5);
    assert_int_equal(figures[MEM_RSS_SHMEM], 1);
    assert_int_equal(figures[MEM_RSS_FILE], file->supplied - 1);
    assert_in_range(figures[MEM_FAULTS], 7, 20);
    assert_int_equal(call_munmap(HERE, 10 * K), 0);
    take_figures(figures);
    assert_int_equal(figures[MEM_TOTAL], 23);
    assert_int_equal(figures[MEM_TOTAL_PEAK], 33);
    assert_int_equal(figures[MEM_ANON_PEAK], 5);
    assert_int_equal(figures[MEM_RSS_ANON], 1);
    assert_int_equal(mem_space_stat(&mem, SPACE_ID + 1, figures, &bytes), -ESRCH);
}

/* ---- areas -------------------------------------------------------------------------------- */

static int64_t take_areas(uint64_t from, struct mem_area areas[MEM_AREAS_MAX])
{
    size_t bytes = MEM_AREAS_MAX * sizeof areas[0];
    int64_t count = mem_maps(&mem, SPACE_ID, from, areas, &bytes);

    if (count >= 0)
        assert_int_equal(bytes, (size_t)count * sizeof areas[0]);
    return count;
}

static void areas_are_as_mapped(void **state)
{
    struct test_file *file = file_create(NULL, 20 * K);
    struct mem_area areas[MEM_AREAS_MAX];

    (void)state;
    space()->brk_start = space()->brk = HERE;
    assert_int_equal(call_brk(HERE + 2 * K), HERE + 2 * K);
    assert_int_equal(file_mmap(file, 2 * HERE, 4 * K, RX, RWX, MAP_PRIVATE | MAP_FIXED, 3 * K),
                     2 * HERE);
    assert_int_equal(call_mmap(3 * HERE, K, PROT_NONE, ANON | MAP_FIXED), 3 * HERE);
    assert_int_equal(call_mmap(4 * HERE, K, RW, SHARED | MAP_FIXED), 4 * HERE);
    space()->marks.stack_start = STACK_TOP - 8;
    assert_int_equal(call_mmap(STACK_TOP - K, K, RW, ANON | MAP_FIXED | MAP_GROWSDOWN),
                     STACK_TOP - K);
    assert_int_equal(take_areas(0, areas), 5);
    assert_int_equal(areas[0].start, HERE);
    assert_int_equal(areas[0].end, HERE + 2 * K);
    assert_int_equal(areas[0].name, MEM_AREA_HEAP);
    assert_int_equal(areas[0].prot, RW);
    assert_int_equal(areas[1].file, file->id);
    assert_int_equal(areas[1].offset, 3 * K);
    assert_int_equal(areas[1].name, MEM_AREA_PLAIN);
    assert_int_equal(areas[2].prot, PROT_NONE);
    assert_int_equal(areas[2].shared, 0);
    assert_int_equal(areas[3].name, MEM_AREA_SHARED);
    assert_int_equal(areas[3].shared, 1);
    assert_int_equal(areas[4].name, MEM_AREA_STACK);
    assert_int_equal(take_areas(2 * HERE + 1, areas), 4);
    assert_int_equal(areas[0].start, 2 * HERE);
    assert_int_equal(take_areas(USER_END, areas), 0);
}

static void many_areas_come_in_pieces(void **state)
{
    struct mem_area areas[MEM_AREAS_MAX];
    uint64_t from = 0;
    unsigned total = 0;
    int64_t count;
    size_t bytes = sizeof areas;

    (void)state;
    map_here(300, RW, ANON);
    for (unsigned page = 1; page < 300; page += 2)
        assert_int_equal(call_mprotect(HERE + page * K, K, PROT_READ), 0);
    do {
        count = take_areas(from, areas);
        for (int64_t i = 0; i < count; i++, total++)
            assert_int_equal(areas[i].start, HERE + total * K);
        from = HERE + total * K;
    } while (count == MEM_AREAS_MAX);
    assert_int_equal(total, 300);
    assert_int_equal(mem_maps(&mem, SPACE_ID + 1, 0, areas, &bytes), -ESRCH);
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(address_space_is_limited),
        PROGRAM_TEST(data_is_limited),
        PROGRAM_TEST(heap_is_data),
        PROGRAM_TEST(stack_is_limited),
        PROGRAM_TEST(figures_add_up),
        PROGRAM_TEST(areas_are_as_mapped),
        PROGRAM_TEST(many_areas_come_in_pieces),
    };

    return cmocka_run_group_tests_name("mem: limits and reports", tests, NULL, NULL);
}
