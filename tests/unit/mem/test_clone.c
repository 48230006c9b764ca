/*
 * Clones of spaces: what is copied, what is shared, what is left out; what happens when
 * memory runs out in the middle; and random operations of several spaces against a model
 * of what each page of each of them holds.
 */
#include "program.h"

#include "inject.h"
#include "pager_model.h"
#include "servers/mem/frames.h"
#include "servers/mem/layout.h"
#include "servers/mem/space.h"

#include <abi/hypercall.h>
#include <asm/mman.h>
#include <asm/resource.h>
#include <asm/unistd.h>
#include <errno.h>
#include <gen/common_client.h>
#include <gen/mem_client.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <linux/mman.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define K      PAGE_BYTES
#define RW     (PROT_READ | PROT_WRITE)
#define RWX    (RW | PROT_EXEC)
#define ANON   (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define HERE   0x10000000ull
#define CHILD  (SPACE_ID + 1)
#define GRANDCHILD (SPACE_ID + 2)
#define MAPERR SIGNALLED(SIGSEGV, SEGV_MAPERR)
#define ACCERR SIGNALLED(SIGSEGV, SEGV_ACCERR)

static void map_here(uint64_t pages, unsigned flags)
{
    assert_int_equal(call_mmap(HERE, pages * K, RW, flags | MAP_FIXED), HERE);
}

static uint64_t get_in(uint32_t space, uint64_t address)
{
    program_switch(space);
    return program_get(address);
}

static void put_in(uint32_t space, uint64_t address, uint64_t value)
{
    program_switch(space);
    assert_int_equal(program_put(address, value), 0);
}

/* ---- private memory ----------------------------------------------------------------------- */

static void private_pages_part_when_written(void **state)
{
    uint64_t frames;

    (void)state;
    map_here(4, ANON);
    for (unsigned page = 0; page < 4; page++)
        put_in(SPACE_ID, HERE + page * K, page + 1);
    frames = frames_in_use();
    assert_int_equal(program_fork(CHILD), 0);
    assert_int_equal(frames_in_use(), frames);
    put_in(CHILD, HERE, 100);
    put_in(SPACE_ID, HERE + K, 200);
    assert_int_equal(frames_in_use(), frames + 2);
    assert_int_equal(get_in(SPACE_ID, HERE), 1);
    assert_int_equal(get_in(CHILD, HERE), 100);
    assert_int_equal(get_in(SPACE_ID, HERE + K), 200);
    assert_int_equal(get_in(CHILD, HERE + K), 2);
    assert_int_equal(get_in(CHILD, HERE + 3 * K), 4);
}

static void last_owner_writes_without_copy(void **state)
{
    uint64_t frames;

    (void)state;
    map_here(2, ANON);
    put_in(SPACE_ID, HERE, 1);
    frames = frames_in_use();
    assert_int_equal(program_fork(CHILD), 0);
    program_exit(CHILD);
    put_in(SPACE_ID, HERE, 2);
    assert_int_equal(frames_in_use(), frames);
    assert_int_equal(program_fork(CHILD), 0);
    put_in(SPACE_ID, HERE, 3);
    assert_int_equal(frames_in_use(), frames + 1);
    put_in(CHILD, HERE, 4);
    assert_int_equal(frames_in_use(), frames + 1);
    assert_int_equal(get_in(SPACE_ID, HERE), 3);
}

static void clones_need_no_faults_to_read(void **state)
{
    unsigned faults;

    (void)state;
    map_here(100, ANON);
    for (unsigned page = 0; page < 100; page += 3)
        put_in(SPACE_ID, HERE + page * K, page);
    faults = program_direct_faults + program_routed_faults;
    assert_int_equal(program_fork(CHILD), 0);
    for (unsigned page = 0; page < 100; page += 3)
        assert_int_equal(get_in(CHILD, HERE + page * K), page);
    assert_int_equal(program_direct_faults + program_routed_faults, faults);
    assert_int_equal(model_clone_calls(), 1);
}

static void large_empty_areas_cost_nothing(void **state)
{
    (void)state;
    assert_int_equal(call_mmap(HERE, 1ull << 30, RW, ANON | MAP_FIXED | MAP_NORESERVE), HERE);
    assert_int_equal(program_fork(CHILD), 0);
    assert_int_equal(model_clone_calls(), 0);
    put_in(SPACE_ID, HERE + 70 * K, 1);
    put_in(SPACE_ID, HERE + 5000 * K, 2);
    assert_int_equal(program_fork(GRANDCHILD), 0);
    assert_int_equal(model_clone_calls(), 2);
    assert_int_equal(get_in(GRANDCHILD, HERE + 5000 * K), 2);
    assert_int_equal(get_in(CHILD, HERE + 5000 * K), 0);
}

/* Copies by the kernel see the page tables as programs do: a page that is shared for now
 * is not writable there before fault_in has made it so. */
static void kernel_copies_need_write_access(void **state)
{
    unsigned rights;
    uint64_t file, index, pages;
    uint32_t signal, code;

    (void)state;
    map_here(1, ANON);
    put_in(SPACE_ID, HERE, 1);
    model_lookup(program_pd, HERE, &rights);
    assert_int_equal(rights, MEM_R | MEM_W);
    assert_int_equal(program_fork(CHILD), 0);
    model_lookup(program_pd, HERE, &rights);
    assert_int_equal(rights, MEM_R);
    assert_int_equal(mem_fault_in(&mem, SPACE_ID, HERE, 8, FAULT_USER | FAULT_WRITE, &file, &index,
                                  &pages, &signal, &code), 0);
    model_lookup(program_pd, HERE, &rights);
    assert_int_equal(rights, MEM_R | MEM_W);
    program_switch(CHILD);
    model_lookup(program_pd, HERE, &rights);
    assert_int_equal(rights, MEM_R);
}

static void heap_stack_and_limits_are_inherited(void **state)
{
    const struct space *parent = space_lookup(SPACE_ID), *child;

    (void)state;
    assert_int_equal(mem_space_limits(&mem, SPACE_ID, 1 << 30, 1 << 29, 64 * K), 0);
    space_lookup(SPACE_ID)->brk_start = space_lookup(SPACE_ID)->brk = HERE;
    assert_int_equal(call_brk(HERE + 3 * K), HERE + 3 * K);
    put_in(SPACE_ID, HERE, 1);
    assert_int_equal(call_mmap(STACK_TOP - 4 * K, 4 * K, RW, ANON | MAP_FIXED | MAP_GROWSDOWN),
                     STACK_TOP - 4 * K);
    assert_int_equal(program_fork(CHILD), 0);
    child = space_lookup(CHILD);
    program_switch(CHILD);
    assert_int_equal(call_brk(0), HERE + 3 * K);
    assert_int_equal(call_brk(HERE + 5 * K), HERE + 5 * K);
    assert_int_equal(program_put(STACK_TOP - 64 * K, 1), 0);
    assert_int_equal(program_access(STACK_TOP - 65 * K, ACCESS_WRITE), MAPERR);
    assert_memory_equal(&child->limits, &parent->limits, sizeof child->limits);
    assert_int_equal(parent->brk, HERE + 3 * K);
    assert_int_equal(parent->counts.stack, 4);
    assert_int_equal(child->counts.stack, 64);
}

/* ---- shared memory ------------------------------------------------------------------------ */

static void shared_memory_stays_shared(void **state)
{
    (void)state;
    map_here(4, SHARED);
    put_in(SPACE_ID, HERE, 1);
    assert_int_equal(program_fork(CHILD), 0);
    put_in(CHILD, HERE, 2);
    put_in(CHILD, HERE + 2 * K, 3); /* touched by nobody before the fork */
    assert_int_equal(get_in(SPACE_ID, HERE), 2);
    assert_int_equal(get_in(SPACE_ID, HERE + 2 * K), 3);
    program_switch(CHILD);
    assert_int_equal(program_fork(GRANDCHILD), 0);
    program_exit(SPACE_ID);
    program_exit(CHILD);
    assert_int_equal(get_in(GRANDCHILD, HERE + 2 * K), 3);
}

static void moved_shared_memory_stays_shared(void **state)
{
    (void)state;
    map_here(4, SHARED);
    put_in(SPACE_ID, HERE + K, 1);
    assert_int_equal(program_fork(CHILD), 0);
    program_switch(CHILD);
    assert_int_equal(call_mremap(HERE + K, 2 * K, 3 * K, MREMAP_MAYMOVE | MREMAP_FIXED,
                                 2 * HERE), 2 * HERE);
    assert_int_equal(call_munmap(HERE, 4 * K), 0);
    put_in(SPACE_ID, HERE + 2 * K, 7);
    assert_int_equal(get_in(CHILD, 2 * HERE), 1);
    assert_int_equal(get_in(CHILD, 2 * HERE + K), 7);
    put_in(CHILD, 2 * HERE + 2 * K, 8); /* page 3 of the memory */
    assert_int_equal(get_in(SPACE_ID, HERE + 3 * K), 8);
    /* Old size 0: a second view of the same memory. */
    assert_int_equal(call_mremap(HERE, 0, K, MREMAP_MAYMOVE, 0) > 0, 1);
}

static void second_view_of_shared_memory(void **state)
{
    int64_t view;

    (void)state;
    map_here(3, SHARED);
    view = call_mremap(HERE + K, 0, 2 * K, MREMAP_MAYMOVE, 0);
    assert_true(view > 0);
    assert_int_equal(program_fork(CHILD), 0);
    put_in(CHILD, view, 5);
    assert_int_equal(get_in(SPACE_ID, HERE + K), 5);
    assert_int_equal(get_in(SPACE_ID, view), 5);
    assert_int_equal(call_munmap(HERE, 3 * K), 0);
    assert_int_equal(get_in(SPACE_ID, view), 5);
}

/* ---- files -------------------------------------------------------------------------------- */

static void file_references_return_with_the_last_space(void **state)
{
    struct test_file *file = file_create(NULL, 3 * K);
    uint64_t word;

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 3 * K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    word = program_get(HERE);
    assert_int_equal(program_fork(CHILD), 0);
    put_in(CHILD, HERE, 1);
    assert_int_equal(get_in(SPACE_ID, HERE), word);
    program_switch(SPACE_ID);
    assert_int_equal(call_munmap(HERE, 3 * K), 0);
    assert_int_equal(files_released(), 0);
    assert_int_equal(program_access(HERE, ACCESS_READ), MAPERR);
    program_switch(CHILD);
    assert_int_equal(program_read(HERE + 2 * K, &word, sizeof word), 0);
    assert_int_equal(program_exit(CHILD), 1);
}

static void file_pages_are_known_to_clones(void **state)
{
    struct test_file *file = file_create(NULL, 40 * K);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 40 * K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 0), HERE);
    assert_int_equal(program_fork(CHILD), 0);
    program_switch(CHILD);
    assert_int_equal(program_access(HERE, ACCESS_READ), 0);
    program_switch(SPACE_ID);
    program_routed_faults = 0;
    assert_int_equal(program_access(HERE, ACCESS_READ), 0);
    assert_int_equal(program_routed_faults, 0);
}

static void shared_file_writes_are_seen_by_all(void **state)
{
    struct test_file *file = file_create(NULL, 2 * K);

    (void)state;
    assert_int_equal(file_mmap(file, HERE, 2 * K, RW, RW, MAP_SHARED | MAP_FIXED, 0), HERE);
    assert_int_equal(program_fork(CHILD), 0);
    put_in(CHILD, HERE + 8, 99);
    assert_int_equal(get_in(SPACE_ID, HERE + 8), 99);
    assert_int_equal(((uint64_t *)frame_ptr(file->frames[0]))[1], 99);
}

/* ---- madvise ------------------------------------------------------------------------------ */

static void advice_for_clones_is_taken(void **state)
{
    uint64_t frames;

    (void)state;
    map_here(6, ANON);
    for (unsigned page = 0; page < 6; page++)
        put_in(SPACE_ID, HERE + page * K, page + 1);
    assert_int_equal(call_madvise(HERE + K, K, MADV_DONTFORK), 0);
    assert_int_equal(call_madvise(HERE + 3 * K, 2 * K, MADV_WIPEONFORK), 0);
    frames = frames_in_use();
    assert_int_equal(program_fork(CHILD), 0);
    program_switch(CHILD);
    assert_int_equal(program_get(HERE), 1);
    assert_int_equal(program_access(HERE + K, ACCESS_READ), MAPERR);
    assert_int_equal(program_get(HERE + 2 * K), 3);
    assert_int_equal(program_get(HERE + 3 * K), 0);
    assert_int_equal(program_get(HERE + 5 * K), 6);
    assert_int_equal(space_lookup(CHILD)->counts.total, 5);
    put_in(CHILD, HERE + 4 * K, 50);
    assert_int_equal(frames_in_use(), frames + 1);
    /* The advice stays with the child. */
    assert_int_equal(program_fork(GRANDCHILD), 0);
    assert_int_equal(get_in(GRANDCHILD, HERE + 4 * K), 0);
    for (unsigned page = 0; page < 6; page++)
        assert_int_equal(get_in(SPACE_ID, HERE + page * K), page + 1);
    /* What was left out is the parent's alone, and so was never made read-only. */
    put_in(SPACE_ID, HERE + K, 9);
    assert_int_equal(frames_in_use(), frames + 1);
}

/* ---- processes that share a space --------------------------------------------------------- */

static void shared_space_ends_with_its_last_user(void **state)
{
    uint64_t released[4];
    size_t bytes = sizeof released;

    (void)state;
    map_here(1, ANON);
    put_in(SPACE_ID, HERE, 1);
    assert_int_equal(mem_space_share(&mem, SPACE_ID), 0);
    assert_int_equal(mem_space_destroy(&mem, SPACE_ID, released, &bytes), 0);
    assert_int_equal(program_get(HERE), 1);
    assert_int_equal(mem_space_share(&mem, SPACE_ID + 5), -ESRCH);
}

/* With a second thread, mappings are made before mem lets go of its lock. */
static void threads_get_their_pages_as_well(void **state)
{
    uint64_t maps;

    (void)state;
    map_here(2, ANON);
    host_slot(&mem_server, 20, 120, SPACE_ID);
    assert_int_equal(space_lookup(SPACE_ID)->threads, 2);
    maps = model_map_calls();
    put_in(SPACE_ID, HERE, 1);
    assert_int_equal(program_routed_faults, 0);
    assert_int_equal(model_map_calls(), maps + 1);
    assert_int_equal(program_fork(CHILD), 0);
    put_in(SPACE_ID, HERE, 2);
    assert_int_equal(get_in(CHILD, HERE), 1);
    assert_int_equal(common_slot_destroy(&mem, 20), 0);
    assert_int_equal(space_lookup(SPACE_ID)->threads, 1);
}

/* ---- errors ------------------------------------------------------------------------------- */

static void wrong_clones_are_refused(void **state)
{
    cap_sel_t pd = host_space_create();

    (void)state;
    assert_int_equal(mem_space_clone(&mem, SPACE_ID + 7, CHILD, pd), -ESRCH);
    assert_int_equal(mem_space_clone(&mem, SPACE_ID, SPACE_ID, pd), -EEXIST);
    assert_int_equal(mem_space_clone(&mem, SPACE_ID, 0, pd), -EINVAL);
    assert_int_equal(mem_space_clone(&mem, SPACE_ID, CHILD, SEL_NONE), -EINVAL);
    assert_int_equal(space_count(), 1);
    ipc_cap_drop(pd);
}

#define AREAS 5u
#define AREA_PAGES 130u

static uint64_t area(unsigned number) { return HERE + number * 1024 * K; }

/* A space with something of everything. */
static void build_parent(const struct test_file *file)
{
    for (unsigned i = 0; i < AREAS; i++)
        assert_int_equal(call_mmap(area(i), AREA_PAGES * K, RW,
                                   (i == 1 ? SHARED : ANON) | MAP_FIXED), area(i));
    assert_int_equal(file_mmap(file, area(2), 4 * K, RW, RWX, MAP_PRIVATE | MAP_FIXED, 0), area(2));
    assert_int_equal(call_madvise(area(3), 2 * K, MADV_DONTFORK), 0);
    assert_int_equal(call_madvise(area(4), 2 * K, MADV_WIPEONFORK), 0);
    for (unsigned i = 0; i < AREAS; i++)
        for (unsigned page = 0; page < AREA_PAGES; page += 5)
            assert_int_equal(program_put(area(i) + page * K, i * 1000 + page), 0);
}

/* Everything is there, and nothing is shared with anybody else. */
static void check_parent(uint64_t frames)
{
    program_switch(SPACE_ID);
    for (unsigned i = 0; i < AREAS; i++)
        for (unsigned page = 0; page < AREA_PAGES; page += 5) {
            assert_int_equal(program_get(area(i) + page * K), i * 1000 + page);
            assert_int_equal(program_put(area(i) + page * K, i * 1000 + page), 0);
        }
    assert_int_equal(frames_in_use(), frames);
}

static void clone_fails_without_a_trace(void **state)
{
    struct test_file *file = file_create(NULL, 4 * K);
    uint64_t frames, mapped, number = 0;
    unsigned caps;
    int64_t result;

    (void)state;
    build_parent(file);
    frames = frames_in_use();
    mapped = model_mapped_pages();
    caps = host_caps_in_use();
    do {
        inject_at(number++);
        result = program_fork(CHILD);
        if (!inject_off())
            break;
        assert_int_equal(result, -ENOMEM);
        assert_int_equal(space_count(), 1);
        assert_int_equal(model_mapped_pages(), mapped);
        assert_int_equal(host_caps_in_use(), caps);
        check_parent(frames);
    } while (true);
    assert_int_equal(result, 0);
    assert_true(number > 15);
    assert_int_equal(get_in(CHILD, area(0) + 5 * K), 5);
    program_exit(CHILD);
    check_parent(frames);
}

/* ---- random operations -------------------------------------------------------------------- */

#define PAGES      80u
#define ROUNDS     50000u
#define MAX_CELLS  200000u
#define FILE_PAGES 20u
#define TARGET_GAP 3u

struct page_model {
    bool     mapped, dontfork, wipe;
    unsigned prot;
    uint64_t value, fresh; /* private: what it holds; what it held before it was written to */
    unsigned cell;         /* shared: index in cells; 0: private */
};

static struct page_model model[SPACES][PAGES];
static uint64_t cells[MAX_CELLS]; /* what shared pages hold */
static unsigned cell_count;
static bool     alive[SPACES];
static struct test_file *random_file;
static struct page_model *mine; /* pages of the current space */

static uint64_t at(unsigned page) { return HERE + page * K; }

static void pick_range(unsigned *from, unsigned *to)
{
    *from = rand() % PAGES;
    *to = *from + 1 + rand() % 10;
    if (*to > PAGES)
        *to = PAGES;
}

static void do_mmap(unsigned from, unsigned to)
{
    unsigned prot = rand() % 4 ? RW : rand() % 8, first = rand() % (FILE_PAGES - 10);
    unsigned kind = rand() % 3;
    int64_t result = kind == 0 ? file_mmap(random_file, at(from), (to - from) * K, prot, RWX,
                                           MAP_PRIVATE | MAP_FIXED, first * K)
                               : call_mmap(at(from), (to - from) * K, prot,
                                           (kind == 1 ? SHARED : ANON) | MAP_FIXED);

    assert_int_equal(result, at(from));
    for (unsigned page = from; page < to; page++) {
        struct page_model new = { .mapped = true, .prot = prot };

        if (kind == 0)
            memcpy(&new.fresh, frame_ptr(random_file->frames[first + page - from]), 8);
        if (kind == 1) {
            new.cell = ++cell_count;
            assert_in_range(cell_count, 1, MAX_CELLS - 1);
        }
        new.value = new.fresh;
        mine[page] = new;
    }
}

static void do_munmap(unsigned from, unsigned to)
{
    assert_int_equal(call_munmap(at(from), (to - from) * K), 0);
    memset(&mine[from], 0, (to - from) * sizeof mine[0]);
}

static void do_mprotect(unsigned from, unsigned to)
{
    unsigned prot = rand() % 2 ? RW : rand() % 8;

    (void)!call_mprotect(at(from), (to - from) * K, prot);
    for (unsigned page = from; page < to && mine[page].mapped; page++)
        mine[page].prot = prot; /* up to the first hole */
}

static void do_dontneed(unsigned from, unsigned to)
{
    (void)!call_madvise(at(from), (to - from) * K, MADV_DONTNEED);
    for (unsigned page = from; page < to; page++)
        mine[page].value = mine[page].fresh;
}

static bool is_wipeable(const struct page_model *page)
{
    return page->mapped && !page->cell && !page->fresh;
}

/* One page at a time, so that errors are simple. */
static void do_fork_advice(unsigned from, unsigned to)
{
    static const int advices[] = { MADV_DONTFORK, MADV_DOFORK, MADV_DOFORK, MADV_WIPEONFORK,
                                   MADV_KEEPONFORK };
    int advice = advices[rand() % 5];

    (void)to;
    if (!mine[from].mapped || (advice == MADV_WIPEONFORK && !is_wipeable(&mine[from])))
        return;
    if (advice == MADV_WIPEONFORK && call_madvise(at(from), K, advice) == -EINVAL)
        return; /* a page of a file whose first word is 0 */
    if (advice != MADV_WIPEONFORK)
        assert_int_equal(call_madvise(at(from), K, advice), 0);
    if (advice == MADV_DONTFORK || advice == MADV_DOFORK)
        mine[from].dontfork = advice == MADV_DONTFORK;
    else
        mine[from].wipe = advice == MADV_WIPEONFORK;
}

static void do_mremap(unsigned from, unsigned to)
{
    unsigned pages = to - from, target = rand() % (PAGES - pages + 1);
    struct page_model moved[PAGES];
    int64_t result;

    if (target < to && from < target + pages)
        return;
    result = call_mremap(at(from), pages * K, pages * K, MREMAP_MAYMOVE | MREMAP_FIXED, at(target));
    if (result == -EFAULT) /* more than one VMA, or none */
        return;
    assert_int_equal(result, at(target));
    memcpy(moved, &mine[from], pages * sizeof moved[0]);
    memset(&mine[from], 0, pages * sizeof mine[0]);
    memcpy(&mine[target], moved, pages * sizeof moved[0]);
}

static void access_page(struct page_model *page, uint64_t address)
{
    uint64_t *expected = page->cell ? &cells[page->cell] : &page->value, fresh = rand(), value;
    int denied = page->mapped ? ACCERR : MAPERR;
    bool readable = page->mapped && page->prot, writable = readable && page->prot & PROT_WRITE;

    if (rand() % 2) {
        assert_int_equal(program_put(address, fresh), writable ? 0 : denied);
        if (writable)
            *expected = fresh;
    }
    assert_int_equal(program_read(address, &value, sizeof value), readable ? 0 : denied);
    if (readable)
        assert_int_equal(value, *expected);
}

static void do_accesses(unsigned from, unsigned to)
{
    for (unsigned page = from; page < to; page++)
        access_page(&mine[page], at(page));
}

static unsigned any_space(bool is_alive)
{
    unsigned first = rand() % SPACES;

    for (unsigned i = 0; i < SPACES; i++)
        if (alive[(first + i) % SPACES] == is_alive)
            return (first + i) % SPACES;
    return SPACES;
}

static void do_fork(unsigned from, unsigned to)
{
    unsigned child = any_space(false);

    (void)to;
    if (child == SPACES)
        return;
    inject_at(rand() % 2 ? (uint64_t)from : UINT64_MAX);
    if (program_fork(SPACE_ID + child) < 0) {
        assert_true(inject_off());
        return;
    }
    assert_false(inject_off());
    alive[child] = true;
    memcpy(model[child], mine, sizeof model[child]);
    for (unsigned page = 0; page < PAGES; page++) {
        if (mine[page].dontfork)
            memset(&model[child][page], 0, sizeof model[child][page]);
        else if (mine[page].wipe)
            model[child][page].value = 0;
    }
}

static void do_exit(unsigned from, unsigned to)
{
    unsigned space = any_space(true);

    (void)from;
    (void)to;
    if (space == 0 || &model[space][0] == mine)
        return;
    program_exit(SPACE_ID + space);
    alive[space] = false;
    memset(model[space], 0, sizeof model[space]);
}

static void check_space(unsigned space)
{
    uint64_t total = 0, data = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        const struct page_model *expected = &model[space][page];
        unsigned rights;

        total += expected->mapped;
        data += expected->mapped && expected->prot & PROT_WRITE && !expected->cell;
        if (!model_lookup(space_lookup(SPACE_ID + space)->pager.pd, at(page), &rights))
            continue;
        assert_true(expected->mapped);
        assert_int_equal(rights & ~prot_to_rights(expected->prot), 0);
    }
    assert_int_equal(space_lookup(SPACE_ID + space)->counts.total, total);
    assert_int_equal(space_lookup(SPACE_ID + space)->counts.data, data);
}

static void random_families_match_the_model(void **state)
{
    static void (*const operations[])(unsigned, unsigned) = {
        do_mmap,     do_munmap,   do_mprotect, do_dontneed, do_fork_advice,
        do_mremap,   do_accesses, do_accesses, do_accesses, do_accesses,
        do_fork,     do_exit,
    };

    (void)state;
    srand(11);
    random_file = file_create(NULL, FILE_PAGES * K);
    alive[0] = true;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned space = any_space(true), from, to;

        program_switch(SPACE_ID + space);
        mine = model[space];
        pick_range(&from, &to);
        operations[rand() % (sizeof operations / sizeof operations[0])](from, to);
        check_space(space);
        if (alive[space] && round % 64 == 0) {
            program_switch(SPACE_ID + space);
            files_released();
        }
    }
}

#define PROGRAM_TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(private_pages_part_when_written),
        PROGRAM_TEST(last_owner_writes_without_copy),
        PROGRAM_TEST(clones_need_no_faults_to_read),
        PROGRAM_TEST(large_empty_areas_cost_nothing),
        PROGRAM_TEST(kernel_copies_need_write_access),
        PROGRAM_TEST(heap_stack_and_limits_are_inherited),
        PROGRAM_TEST(shared_memory_stays_shared),
        PROGRAM_TEST(moved_shared_memory_stays_shared),
        PROGRAM_TEST(second_view_of_shared_memory),
        PROGRAM_TEST(file_references_return_with_the_last_space),
        PROGRAM_TEST(file_pages_are_known_to_clones),
        PROGRAM_TEST(shared_file_writes_are_seen_by_all),
        PROGRAM_TEST(advice_for_clones_is_taken),
        PROGRAM_TEST(shared_space_ends_with_its_last_user),
        PROGRAM_TEST(threads_get_their_pages_as_well),
        PROGRAM_TEST(wrong_clones_are_refused),
        PROGRAM_TEST(clone_fails_without_a_trace),
        PROGRAM_TEST(random_families_match_the_model),
    };

    return cmocka_run_group_tests_name("mem: clones", tests, NULL, NULL);
}
