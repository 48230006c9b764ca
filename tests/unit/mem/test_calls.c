/*
 * mmap, munmap, mprotect, brk, mremap, madvise, mincore, msync, mlock: what they do and
 * which errno they answer.
 */
#include "program.h"

#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <abi/hypercall.h>
#include <asm/mman.h>
#include <signal.h>
#include <asm/unistd.h>
#include <errno.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <linux/mman.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define K    PAGE_BYTES
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define HERE 0x10000000ull
#define MAPERR SIGNALLED(SIGSEGV, SEGV_MAPERR)
#define ACCERR SIGNALLED(SIGSEGV, SEGV_ACCERR)

static struct space *space(void) { return space_lookup(SPACE_ID); }
static unsigned vma_count(void) { return space()->vmas.count; }

static void map_here(uint64_t pages, unsigned prot)
{
    assert_int_equal(call_mmap(HERE, pages * K, prot, ANON | MAP_FIXED), HERE);
}

/* ---- mmap --------------------------------------------------------------------------------- */

static void mmap_gives_zeroed_memory_downwards(void **state)
{
    int64_t first = call_mmap(0, 3 * K, RW, ANON), second = call_mmap(0, K - 7, RW, ANON);

    (void)state;
    assert_int_equal(first, space()->mmap_base - 3 * K);
    assert_int_equal(second, first - K);
    assert_int_equal(vma_count(), 1);
    assert_int_equal(program_get(first + 8), 0);
    assert_int_equal(program_put(first + 8, 42), 0);
    assert_int_equal(program_get(first + 8), 42);
    assert_int_equal(program_routed_faults, 0);
    assert_int_equal(program_access(first + 3 * K, ACCESS_READ), MAPERR);
}

static void mmap_refuses_what_linux_refuses(void **state)
{
    (void)state;
    assert_int_equal(call_mmap(0, 0, RW, ANON), -EINVAL);
    assert_int_equal(call_mmap(0, UINT64_MAX, RW, ANON), -ENOMEM);
    assert_int_equal(call_mmap(0, USER_END + K, PROT_NONE, ANON), -ENOMEM);
    assert_int_equal(call_mmap(0, K, RW, MAP_ANONYMOUS), -EINVAL);
    assert_int_equal(call_mmap(0, K, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE), -EINVAL);
    assert_int_equal(call_mmap(0, K, RW, MAP_ANONYMOUS | MAP_SHARED | MAP_GROWSDOWN), -EINVAL);
    assert_int_equal(call_mmap(0, K, RW, ANON | MAP_HUGETLB), -ENOMEM);
    assert_int_equal(call_mmap(HERE + 1, K, RW, ANON | MAP_FIXED), -EINVAL);
    assert_int_equal(call_mmap(0, K, RW, ANON | MAP_FIXED), -EPERM);
    assert_int_equal(call_mmap(USER_END, K, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(call_mmap(USER_END - K, 2 * K, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(call_mmap(0xffffffff80000000, K, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(program_call(__NR_mmap, 0, K, RW, ANON, -1ull, 1), -EINVAL);
    assert_int_equal(vma_count(), 0);
}

static void mmap_takes_hints_where_free(void **state)
{
    (void)state;
    assert_int_equal(call_mmap(HERE + 123, K, RW, ANON), HERE);
    assert_int_not_equal(call_mmap(HERE, K, RW, ANON), HERE);
    assert_int_equal(call_mmap(K + 1, K, RW, ANON), USER_LOW);
    assert_true(call_mmap(UINT64_MAX, K, RW, ANON) > 0);
    assert_true(call_mmap(UTCB_AREA_START, K, RW, ANON) < (int64_t)space()->mmap_base);
}

static void fixed_replaces_and_noreplace_does_not(void **state)
{
    (void)state;
    map_here(4, RW);
    assert_int_equal(program_put(HERE + K, 1), 0);
    assert_int_equal(call_mmap(HERE + K, K, RW, ANON | MAP_FIXED_NOREPLACE), -EEXIST);
    assert_int_equal(program_get(HERE + K), 1);
    assert_int_equal(call_mmap(HERE + K, K, RW, ANON | MAP_FIXED), HERE + K);
    assert_int_equal(program_get(HERE + K), 0);
    assert_int_equal(call_mmap(HERE + 4 * K, K, RW, ANON | MAP_FIXED_NOREPLACE), HERE + 4 * K);
    assert_int_equal(vma_count(), 1);
    assert_int_equal(space()->counts.total, 5);
}

static void utcbs_are_never_mapped_over(void **state)
{
    (void)state;
    assert_int_equal(call_mmap(UTCB_AREA_START, K, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(call_mmap(UTCB_AREA_START - K, 2 * K, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(call_mmap(UTCB_AREA_END - K, 2 * K, RW, ANON | MAP_FIXED), -ENOMEM);
    assert_int_equal(call_mmap(UTCB_AREA_END, K, RW, ANON | MAP_FIXED), UTCB_AREA_END);
    assert_int_equal(call_mprotect(UTCB_AREA_START, K, PROT_NONE), -ENOMEM);
    assert_int_equal(call_munmap(UTCB_AREA_START - K, UTCB_AREA_BYTES + 2 * K), 0);
    assert_int_equal(vma_count(), 0);
}

static void low_memory_is_given_on_demand(void **state)
{
    int64_t address = call_mmap(0, K, RW, ANON | MAP_32BIT);

    (void)state;
    assert_int_equal(address, LOW32_START);
    assert_int_equal(call_mmap(0, K, RW, ANON | MAP_32BIT), LOW32_START + K);
    assert_int_equal(call_mmap(0, LOW32_END - LOW32_START, PROT_NONE, ANON | MAP_32BIT), -ENOMEM);
}

static void more_than_all_memory_needs_noreserve(void **state)
{
    uint64_t bytes = (RAM_PAGES + 1) * K;

    (void)state;
    assert_int_equal(call_mmap(0, bytes, RW, ANON), -ENOMEM);
    assert_int_equal(call_mmap(0, bytes, RW, MAP_SHARED | MAP_ANONYMOUS), -ENOMEM);
    assert_true(call_mmap(0, bytes - K, RW, ANON) > 0);
    assert_true(call_mmap(0, bytes, RW, ANON | MAP_NORESERVE) > 0);
    assert_int_equal(call_mmap(HERE, bytes, PROT_NONE, ANON | MAP_FIXED), HERE);
    assert_int_equal(call_mprotect(HERE, bytes, RW), -ENOMEM);
    assert_int_equal(call_mprotect(HERE, bytes, PROT_READ), 0);
    assert_true(call_mmap(0, 1ull << 45, PROT_NONE, ANON) > 0);
}

static void populate_leaves_no_faults(void **state)
{
    int64_t address = call_mmap(0, 20 * K, RW, ANON | MAP_POPULATE);

    (void)state;
    for (unsigned page = 0; page < 20; page++)
        assert_int_equal(program_put(address + page * K, page), 0);
    assert_int_equal(program_direct_faults + program_routed_faults, 0);
    assert_true(call_mmap(0, K, PROT_NONE, ANON | MAP_POPULATE) > 0);
}

static void shared_memory_stays_with_its_object(void **state)
{
    (void)state;
    assert_int_equal(call_mmap(HERE, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), HERE);
    assert_int_equal(program_put(HERE + 2 * K, 5), 0);
    assert_int_equal(call_madvise(HERE, 4 * K, MADV_DONTNEED), 0);
    assert_int_equal(program_get(HERE + 2 * K), 5);
    assert_int_equal(call_munmap(HERE + K, K), 0);
    assert_int_equal(program_get(HERE + 2 * K), 5);
    assert_int_equal(program_put(HERE + 3 * K, 6), 0);
    assert_int_equal(vma_count(), 2);
}

/* ---- munmap ------------------------------------------------------------------------------- */

static void munmap_makes_holes(void **state)
{
    (void)state;
    map_here(5, RW);
    for (unsigned page = 0; page < 5; page++)
        assert_int_equal(program_put(HERE + page * K, page + 1), 0);
    assert_int_equal(call_munmap(HERE + 2 * K, 1), 0);
    assert_int_equal(vma_count(), 2);
    assert_int_equal(space()->counts.total, 4);
    assert_int_equal(program_access(HERE + 2 * K, ACCESS_READ), MAPERR);
    assert_int_equal(program_get(HERE + K), 2);
    assert_int_equal(program_get(HERE + 3 * K), 4);
    assert_int_equal(call_munmap(HERE - K, 8 * K), 0);
    assert_int_equal(call_munmap(HERE - K, 8 * K), 0);
    assert_int_equal(space()->pages.count, 0);
}

static void munmap_refuses_what_linux_refuses(void **state)
{
    (void)state;
    assert_int_equal(call_munmap(HERE + 1, K), -EINVAL);
    assert_int_equal(call_munmap(HERE, 0), -EINVAL);
    assert_int_equal(call_munmap(HERE, UINT64_MAX), -EINVAL);
    assert_int_equal(call_munmap(USER_END, K), -EINVAL);
    assert_int_equal(call_munmap(0, USER_END), 0);
    assert_int_equal(call_munmap(0xffffffff80000000, K), -EINVAL);
}

/* ---- mprotect ----------------------------------------------------------------------------- */

static void mprotect_takes_and_gives_rights(void **state)
{
    (void)state;
    map_here(4, RW);
    assert_int_equal(program_put(HERE + K, 7), 0);
    assert_int_equal(call_mprotect(HERE + K, 2 * K, PROT_READ), 0);
    assert_int_equal(vma_count(), 3);
    assert_int_equal(program_get(HERE + K), 7);
    assert_int_equal(program_put(HERE + K, 8), ACCERR);
    assert_int_equal(program_access(HERE + K, ACCESS_EXEC), ACCERR);
    assert_int_equal(call_mprotect(HERE + K, 2 * K, PROT_NONE), 0);
    assert_int_equal(program_access(HERE + K, ACCESS_READ), ACCERR);
    assert_int_equal(call_mprotect(HERE + K, 2 * K, RW), 0);
    assert_int_equal(vma_count(), 1);
    assert_int_equal(program_get(HERE + K), 7);
    assert_int_equal(program_put(HERE + K, 9), 0);
    assert_int_equal(call_mprotect(HERE, K, PROT_EXEC), 0);
    assert_int_equal(program_access(HERE, ACCESS_EXEC), 0);
}

static void mprotect_refuses_what_linux_refuses(void **state)
{
    (void)state;
    map_here(2, RW);
    assert_int_equal(call_mprotect(HERE + 1, K, RW), -EINVAL);
    assert_int_equal(call_mprotect(HERE, 0, RW), 0);
    assert_int_equal(call_mprotect(HERE, UINT64_MAX - K, RW), -ENOMEM);
    assert_int_equal(call_mprotect(HERE, K, 0x80), -EINVAL);
    assert_int_equal(call_mprotect(HERE, K, PROT_GROWSDOWN | PROT_GROWSUP), -EINVAL);
    assert_int_equal(call_mprotect(HERE, K, RW | PROT_GROWSDOWN), -EINVAL);
    assert_int_equal(program_put(HERE, 1), 0);
    assert_int_equal(call_mprotect(HERE + 2 * K, K, RW), -ENOMEM);
    assert_int_equal(call_mprotect(HERE + K, 3 * K, PROT_READ), -ENOMEM);
    assert_int_equal(program_put(HERE + K, 1), ACCERR); /* it took effect up to the hole */
}

/* ---- brk ---------------------------------------------------------------------------------- */

static void heap_grows_and_shrinks(void **state)
{
    uint64_t start = HERE + 0x123;

    (void)state;
    space()->brk_start = space()->brk = start;
    assert_int_equal(call_brk(0), start);
    assert_int_equal(call_brk(start - 1), start);
    assert_int_equal(call_brk(start + 3 * K), start + 3 * K);
    assert_int_equal(program_put(HERE + 3 * K, 1), 0);
    assert_int_equal(program_access(HERE + 4 * K, ACCESS_READ), MAPERR);
    assert_int_equal(call_brk(start + 5 * K), start + 5 * K);
    assert_int_equal(vma_count(), 1);
    assert_int_equal(call_brk(start + K), start + K);
    assert_int_equal(program_access(HERE + 3 * K, ACCESS_READ), MAPERR);
    assert_int_equal(call_brk(start), start);
    assert_int_equal(vma_count(), 0); /* the page that it begins in belongs to the program */
    assert_int_equal(call_brk(start + 1), start + 1);
}

static void heap_stops_at_what_is_in_the_way(void **state)
{
    (void)state;
    space()->brk_start = space()->brk = HERE;
    assert_int_equal(call_mmap(HERE + 8 * K, K, RW, ANON | MAP_FIXED), HERE + 8 * K);
    assert_int_equal(call_brk(HERE + 7 * K), HERE + 7 * K);
    assert_int_equal(call_brk(HERE + 8 * K), HERE + 7 * K);
    assert_int_equal(call_brk(HERE + 9 * K), HERE + 7 * K);
    assert_int_equal(call_brk(HERE + (RAM_PAGES + 20) * K), HERE + 7 * K);
    assert_int_equal(call_brk(UINT64_MAX), HERE + 7 * K);
    assert_int_equal(call_brk(UTCB_AREA_START + 1), HERE + 7 * K);
}

/* ---- mremap ------------------------------------------------------------------------------- */

static void mremap_resizes_in_place(void **state)
{
    (void)state;
    map_here(2, RW);
    assert_int_equal(program_put(HERE + K, 3), 0);
    assert_int_equal(call_mremap(HERE, 2 * K, 6 * K, 0, 0), HERE);
    assert_int_equal(program_put(HERE + 5 * K, 4), 0);
    assert_int_equal(call_mremap(HERE, 6 * K, 2 * K, 0, 0), HERE);
    assert_int_equal(program_access(HERE + 2 * K, ACCESS_READ), MAPERR);
    assert_int_equal(program_get(HERE + K), 3);
    assert_int_equal(call_mremap(HERE, 2 * K, 2 * K, 0, 0), HERE);
    assert_int_equal(vma_count(), 1);
}

static void mremap_moves_when_it_may(void **state)
{
    int64_t to;

    (void)state;
    map_here(3, RW);
    assert_int_equal(call_mmap(HERE + 3 * K, K, PROT_READ, ANON | MAP_FIXED), HERE + 3 * K);
    assert_int_equal(program_put(HERE + K, 11), 0);
    assert_int_equal(program_put(HERE + 2 * K, 12), 0);
    assert_int_equal(call_mremap(HERE + K, 2 * K, 4 * K, 0, 0), -ENOMEM);
    to = call_mremap(HERE + K, 2 * K, 4 * K, MREMAP_MAYMOVE, 0);
    assert_true(to > 0 && to != (int64_t)(HERE + K));
    assert_int_equal(program_get(to), 11);
    assert_int_equal(program_get(to + K), 12);
    assert_int_equal(program_get(to + 3 * K), 0);
    assert_int_equal(program_access(HERE + K, ACCESS_READ), MAPERR);
    assert_int_equal(program_access(HERE, ACCESS_READ), 0);
    assert_int_equal(space()->counts.total, 6);
}

static void mremap_to_a_fixed_place_replaces(void **state)
{
    uint64_t there = HERE + 100 * K;

    (void)state;
    map_here(3, RW);
    assert_int_equal(program_put(HERE + K, 21), 0);
    assert_int_equal(call_mmap(there, 3 * K, RW, ANON | MAP_FIXED), there);
    assert_int_equal(program_put(there + K, 22), 0);
    assert_int_equal(call_mremap(HERE, 3 * K, 2 * K, MREMAP_MAYMOVE | MREMAP_FIXED, there), there);
    assert_int_equal(program_get(there + K), 21);
    assert_int_equal(program_access(HERE + 2 * K, ACCESS_READ), MAPERR);
    assert_int_equal(program_get(there + 2 * K), 0);
    assert_int_equal(space()->counts.total, 3);
}

static void mremap_can_leave_the_old_range(void **state)
{
    int64_t to;

    (void)state;
    map_here(2, RW);
    assert_int_equal(program_put(HERE, 31), 0);
    to = call_mremap(HERE, 2 * K, 2 * K, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    assert_true(to > 0);
    assert_int_equal(program_get(to), 31);
    assert_int_equal(program_get(HERE), 0);
}

static void mremap_of_nothing_duplicates_shared_memory(void **state)
{
    int64_t to;

    (void)state;
    assert_int_equal(call_mmap(HERE, 2 * K, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), HERE);
    to = call_mremap(HERE + K, 0, K, MREMAP_MAYMOVE, 0);
    assert_true(to > 0);
    assert_int_equal(program_put(to, 41), 0);
    assert_int_equal(program_get(HERE + K), 41);
}

static void mremap_refuses_what_linux_refuses(void **state)
{
    (void)state;
    map_here(4, RW);
    assert_int_equal(call_mremap(HERE + 1, K, K, 0, 0), -EINVAL);
    assert_int_equal(call_mremap(HERE, K, 0, 0, 0), -EINVAL);
    assert_int_equal(call_mremap(HERE, K, K, 0x80, 0), -EINVAL);
    assert_int_equal(call_mremap(HERE, K, K, MREMAP_FIXED, HERE), -EINVAL);
    assert_int_equal(call_mremap(HERE, K, 2 * K, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), -EINVAL);
    assert_int_equal(call_mremap(HERE, 2 * K, 2 * K, MREMAP_MAYMOVE | MREMAP_FIXED, HERE + K),
                     -EINVAL);
    assert_int_equal(call_mremap(HERE, K, K, MREMAP_MAYMOVE | MREMAP_FIXED, HERE + 9 * K + 1),
                     -EINVAL);
    assert_int_equal(call_mremap(HERE, K, K, MREMAP_MAYMOVE | MREMAP_FIXED, USER_END), -EINVAL);
    assert_int_equal(call_mremap(HERE, K, K, MREMAP_MAYMOVE | MREMAP_FIXED, UTCB_AREA_START),
                     -EINVAL);
    assert_int_equal(call_mremap(HERE + 9 * K, K, K, 0, 0), -EFAULT);
    assert_int_equal(call_mremap(HERE + 3 * K, 2 * K, 3 * K, MREMAP_MAYMOVE, 0), -EFAULT);
    assert_int_equal(call_mremap(HERE, 0, K, MREMAP_MAYMOVE, 0), -EINVAL);
    assert_int_equal(call_mremap(HERE, K, (RAM_PAGES + 9) * K, MREMAP_MAYMOVE, 0), -ENOMEM);
    assert_int_equal(call_mremap(HERE, K, USER_END, MREMAP_MAYMOVE, 0), -ENOMEM);
    assert_int_equal(vma_count(), 1);
}

/* ---- madvise ------------------------------------------------------------------------------ */

static void dontneed_gives_zeroes_again(void **state)
{
    static const int advices[] = { MADV_DONTNEED, MADV_FREE };

    (void)state;
    map_here(3, RW);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(program_put(HERE + K, 9), 0);
        assert_int_equal(call_madvise(HERE + K, K, advices[i]), 0);
        assert_int_equal(program_get(HERE + K), 0);
    }
}

static void harmless_advice_is_taken(void **state)
{
    static const int advices[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
                                   MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP,
                                   MADV_COLD, MADV_PAGEOUT, MADV_MERGEABLE, MADV_UNMERGEABLE };

    (void)state;
    map_here(3, RW);
    assert_int_equal(program_put(HERE + K, 9), 0);
    for (unsigned i = 0; i < sizeof advices / sizeof advices[0]; i++)
        assert_int_equal(call_madvise(HERE, 3 * K, advices[i]), 0);
    assert_int_equal(program_get(HERE + K), 9);
    assert_int_equal(vma_count(), 1);
}

static void advice_for_forks_is_kept(void **state)
{
    (void)state;
    map_here(3, RW);
    assert_int_equal(call_madvise(HERE + K, K, MADV_DONTFORK), 0);
    assert_int_equal(call_madvise(HERE + K, K, MADV_WIPEONFORK), 0);
    assert_int_equal(vma_count(), 3);
    assert_int_equal(vma_find(&space()->vmas, HERE + K)->flags, VMA_DONTFORK | VMA_WIPEONFORK);
    assert_int_equal(call_madvise(HERE, 3 * K, MADV_DOFORK), 0);
    assert_int_equal(call_madvise(HERE, 3 * K, MADV_KEEPONFORK), 0);
    assert_int_equal(vma_count(), 1);
}

static void madvise_refuses_what_linux_refuses(void **state)
{
    (void)state;
    map_here(2, RW);
    assert_int_equal(call_mmap(HERE + 4 * K, K, RW, ANON | MAP_FIXED), HERE + 4 * K);
    assert_int_equal(call_madvise(HERE + 1, K, MADV_DONTNEED), -EINVAL);
    assert_int_equal(call_madvise(HERE, K, 999), -EINVAL);
    assert_int_equal(call_madvise(HERE, -1ull, MADV_DONTNEED), -EINVAL);
    assert_int_equal(call_madvise(HERE, 0, MADV_DONTNEED), 0);
    assert_int_equal(call_madvise(HERE, K, MADV_HWPOISON), -EPERM);
    assert_int_equal(call_madvise(HERE, K, MADV_REMOVE), -EINVAL);
    assert_int_equal(call_madvise(HERE + 8 * K, K, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(program_put(HERE, 1), 0);
    assert_int_equal(program_put(HERE + 4 * K, 1), 0);
    assert_int_equal(call_madvise(HERE, 5 * K, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(program_get(HERE), 0); /* but it took effect on both sides of the hole */
    assert_int_equal(program_get(HERE + 4 * K), 0);
}

static void removed_pages_of_shared_memory_are_zero(void **state)
{
    uint64_t frames;
    int64_t view;

    (void)state;
    assert_int_equal(call_mmap(HERE, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), HERE);
    for (unsigned page = 0; page < 4; page++)
        assert_int_equal(program_put(HERE + page * K, page + 1), 0);
    frames = frames_in_use();
    assert_int_equal(call_madvise(HERE + K, 2 * K, MADV_REMOVE), 0);
    assert_int_equal(frames_in_use(), frames - 2);
    assert_int_equal(program_get(HERE), 1);
    assert_int_equal(program_get(HERE + 2 * K), 0);
    assert_int_equal(program_get(HERE + 3 * K), 4);
    view = call_mremap(HERE, 0, 4 * K, MREMAP_MAYMOVE, 0);
    assert_true(view > 0);
    assert_int_equal(call_madvise(HERE, K, MADV_REMOVE), 0);
    assert_int_equal(program_get(view), 0);
    assert_int_equal(program_get(view + 3 * K), 4);
    assert_int_equal(call_mprotect(HERE, 4 * K, PROT_READ), 0);
    assert_int_equal(call_madvise(HERE, K, MADV_REMOVE), -EACCES);
}

static void populating_advice_faults_in(void **state)
{
    (void)state;
    map_here(3, RW);
    assert_int_equal(call_mmap(HERE + 3 * K, K, PROT_READ, ANON | MAP_FIXED), HERE + 3 * K);
    assert_int_equal(call_madvise(HERE, 3 * K, MADV_POPULATE_WRITE), 0);
    assert_int_equal(call_madvise(HERE, 4 * K, MADV_POPULATE_READ), 0);
    for (unsigned page = 0; page < 3; page++)
        assert_int_equal(program_put(HERE + page * K, 1), 0);
    assert_int_equal(program_direct_faults, 0);
    assert_int_equal(call_madvise(HERE, 4 * K, MADV_POPULATE_WRITE), -EFAULT);
    assert_int_equal(call_madvise(HERE, 5 * K, MADV_POPULATE_READ), -ENOMEM);
}

/* ---- mincore, msync, mlock ---------------------------------------------------------------- */

static void mincore_tells_what_is_there(void **state)
{
    uint64_t vector = 0x20000000;
    unsigned char *seen;

    (void)state;
    host_region_add(program_pd, vector, K, MEM_R | MEM_W, false);
    seen = host_memory(program_pd, vector);
    map_here(600, RW);
    assert_int_equal(program_put(HERE + K, 1), 0);
    assert_int_equal(program_put(HERE + 500 * K, 1), 0);
    memset(seen, 0xee, K);
    assert_int_equal(call_mincore(HERE, 600 * K - 5, vector), 0);
    for (unsigned page = 0; page < 600; page++)
        assert_int_equal(seen[page], page == 1 || page == 500);
    assert_int_equal(seen[600], 0xee);
    assert_int_equal(call_mincore(HERE + 1, K, vector), -EINVAL);
    assert_int_equal(call_mincore(HERE, 601 * K, vector), -ENOMEM);
    assert_int_equal(call_mincore(USER_END, K, vector), -ENOMEM);
    assert_int_equal(call_mincore(HERE, K, 0x30000000), -EFAULT);
    assert_int_equal(call_mincore(HERE, 600 * K, vector + K - 100), -EFAULT);
    assert_int_equal(call_mincore(HERE, 0, 0), 0);
}

static void msync_checks_its_arguments(void **state)
{
    (void)state;
    map_here(2, RW);
    assert_int_equal(call_msync(HERE, 2 * K, MS_SYNC), 0);
    assert_int_equal(call_msync(HERE, 2 * K, MS_ASYNC | MS_INVALIDATE), 0);
    assert_int_equal(call_msync(HERE, 2 * K, MS_ASYNC | MS_SYNC), -EINVAL);
    assert_int_equal(call_msync(HERE, 2 * K, 64), -EINVAL);
    assert_int_equal(call_msync(HERE + 1, K, MS_SYNC), -EINVAL);
    assert_int_equal(call_msync(HERE, 3 * K, MS_SYNC), -ENOMEM);
    assert_int_equal(call_msync(HERE, UINT64_MAX - K, MS_SYNC), -ENOMEM);
    assert_int_equal(call_msync(HERE, UINT64_MAX, MS_SYNC), 0); /* rounds up to nothing */
    assert_int_equal(call_msync(HERE, 0, MS_SYNC), 0);
}

static void mlock_brings_pages_in(void **state)
{
    (void)state;
    map_here(3, RW);
    assert_int_equal(program_call(__NR_mlock, HERE + 5, 2 * K, 0, 0, 0, 0), 0);
    for (unsigned page = 0; page < 3; page++)
        assert_int_equal(program_put(HERE + page * K, 1), 0);
    assert_int_equal(program_direct_faults, 0);
    assert_int_equal(program_call(__NR_mlock, HERE, 4 * K, 0, 0, 0, 0), -ENOMEM);
    assert_int_equal(program_call(__NR_mlock, HERE, -1ull - K, 0, 0, 0, 0), -EINVAL);
    assert_int_equal(program_call(__NR_mlock, HERE, -1ull, 0, 0, 0, 0), 0);
    assert_int_equal(program_call(__NR_munlock, HERE, 3 * K, 0, 0, 0, 0), 0);
    assert_int_equal(program_call(__NR_mlock2, HERE, K, MLOCK_ONFAULT, 0, 0, 0), 0);
    assert_int_equal(program_call(__NR_mlock2, HERE, K, 2, 0, 0, 0), -EINVAL);
}

static void mlockall_brings_everything_in(void **state)
{
    int64_t later;

    (void)state;
    /* It pauses by asking for pages that are there. */
    host_region_add(program_pd, HERE, 1008 * K, MEM_R | MEM_W, true);
    map_here(3, RW);
    assert_int_equal(call_mmap(HERE + 8 * K, 1000 * K, RW, ANON | MAP_FIXED), HERE + 8 * K);
    assert_int_equal(call_mmap(HERE + 4 * K, K, PROT_NONE, ANON | MAP_FIXED), HERE + 4 * K);
    assert_int_equal(program_call(__NR_mlockall, 0, 0, 0, 0, 0, 0), -EINVAL);
    assert_int_equal(program_call(__NR_mlockall, 8, 0, 0, 0, 0, 0), -EINVAL);
    assert_int_equal(program_call(__NR_mlockall, MCL_ONFAULT, 0, 0, 0, 0, 0), -EINVAL);
    assert_int_equal(program_call(__NR_mlockall, MCL_CURRENT | MCL_FUTURE, 0, 0, 0, 0, 0), 0);
    program_direct_faults = program_routed_faults = 0;
    later = call_mmap(0, K, RW, ANON);
    assert_int_equal(program_put(HERE, 1), 0);
    assert_int_equal(program_put(HERE + 1007 * K, 1), 0);
    assert_int_equal(program_put(later, 1), 0);
    assert_int_equal(program_direct_faults + program_routed_faults, 0);
    assert_int_equal(program_call(__NR_munlockall, 0, 0, 0, 0, 0, 0), 0);
    later = call_mmap(0, K, RW, ANON);
    assert_int_equal(program_put(later, 1), 0);
    assert_int_equal(program_direct_faults, 1);
}

static void too_many_vmas_are_refused(void **state)
{
    uint64_t pages = 2 * (uint64_t)VMA_COUNT_MAX, page = 0;

    (void)state;
    assert_int_equal(call_mmap(HERE, pages * K, PROT_NONE, ANON | MAP_FIXED), HERE);
    for (; vma_count() < VMA_COUNT_MAX - 1; page += 2)
        assert_int_equal(call_mprotect(HERE + (page + 1) * K, K, PROT_READ), 0);
    assert_int_equal(call_mprotect(HERE + (pages - 9) * K, K, PROT_READ), -ENOMEM);
    assert_int_equal(call_munmap(HERE + (pages - 9) * K, K), 0);
    assert_int_equal(call_munmap(HERE + (pages - 19) * K, K), -ENOMEM);
    assert_int_equal(call_mmap(0x90000000, K, RW, ANON | MAP_FIXED), -ENOMEM);
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(mmap_gives_zeroed_memory_downwards),
        PROGRAM_TEST(mmap_refuses_what_linux_refuses),
        PROGRAM_TEST(mmap_takes_hints_where_free),
        PROGRAM_TEST(fixed_replaces_and_noreplace_does_not),
        PROGRAM_TEST(utcbs_are_never_mapped_over),
        PROGRAM_TEST(low_memory_is_given_on_demand),
        PROGRAM_TEST(more_than_all_memory_needs_noreserve),
        PROGRAM_TEST(populate_leaves_no_faults),
        PROGRAM_TEST(shared_memory_stays_with_its_object),
        PROGRAM_TEST(munmap_makes_holes),
        PROGRAM_TEST(munmap_refuses_what_linux_refuses),
        PROGRAM_TEST(mprotect_takes_and_gives_rights),
        PROGRAM_TEST(mprotect_refuses_what_linux_refuses),
        PROGRAM_TEST(heap_grows_and_shrinks),
        PROGRAM_TEST(heap_stops_at_what_is_in_the_way),
        PROGRAM_TEST(mremap_resizes_in_place),
        PROGRAM_TEST(mremap_moves_when_it_may),
        PROGRAM_TEST(mremap_to_a_fixed_place_replaces),
        PROGRAM_TEST(mremap_can_leave_the_old_range),
        PROGRAM_TEST(mremap_of_nothing_duplicates_shared_memory),
        PROGRAM_TEST(mremap_refuses_what_linux_refuses),
        PROGRAM_TEST(dontneed_gives_zeroes_again),
        PROGRAM_TEST(harmless_advice_is_taken),
        PROGRAM_TEST(advice_for_forks_is_kept),
        PROGRAM_TEST(madvise_refuses_what_linux_refuses),
        PROGRAM_TEST(removed_pages_of_shared_memory_are_zero),
        PROGRAM_TEST(populating_advice_faults_in),
        PROGRAM_TEST(mincore_tells_what_is_there),
        PROGRAM_TEST(msync_checks_its_arguments),
        PROGRAM_TEST(mlock_brings_pages_in),
        PROGRAM_TEST(mlockall_brings_everything_in),
        PROGRAM_TEST(too_many_vmas_are_refused),
    };

    return cmocka_run_group_tests_name("mem: Linux calls", tests, NULL, NULL);
}
