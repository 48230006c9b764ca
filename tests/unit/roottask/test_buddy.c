/* The allocator of frames, on an arena of the host. */
#include <roottask/buddy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define ARENA_BYTES (64ull << 20)
#define OWNER       3

/* The arena appears at window + physical address; base: of its first byte. */
static uint8_t *arena_make(struct buddy *buddy, phys_t base)
{
    uint8_t *arena =
        mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(arena, MAP_FAILED);
    buddy_init(buddy, (uintptr_t)arena - base);
    return arena;
}

static void arena_free(uint8_t *arena) { munmap(arena, ARENA_BYTES); }

static void gives_aligned_blocks_and_takes_them_back(void **state)
{
    struct buddy buddy;
    uint8_t *arena = arena_make(&buddy, 0x1000000);
    uint64_t frames = buddy_add(&buddy, 0x1000000, ARENA_BYTES);

    (void)state;
    assert_int_equal(buddy.frames_free, frames);
    for (unsigned order = 0; order <= 13; order++) {
        phys_t phys = buddy_alloc(&buddy, order, OWNER);

        assert_int_not_equal(phys, 0);
        assert_int_equal(phys % (PAGE_BYTES << order), 0);
        assert_int_equal(buddy.frames_free, frames - (1ull << order));
        assert_true(buddy_owns(&buddy, phys, order, OWNER));
        assert_true(buddy_free(&buddy, phys, order, OWNER));
    }
    assert_int_equal(buddy.frames_free, frames);
    assert_int_equal(buddy_alloc(&buddy, 14, OWNER), 0); /* 64 MiB less the state */
    arena_free(arena);
}

static void refuses_blocks_that_it_did_not_give(void **state)
{
    struct buddy buddy;
    uint8_t *arena = arena_make(&buddy, 0x1000000);
    phys_t phys;

    (void)state;
    buddy_add(&buddy, 0x1000000, ARENA_BYTES);
    phys = buddy_alloc(&buddy, 3, OWNER);
    assert_false(buddy_free(&buddy, phys, 2, OWNER));
    assert_false(buddy_free(&buddy, phys, 3, OWNER + 1));
    assert_false(buddy_free(&buddy, phys + PAGE_BYTES, 0, OWNER));
    assert_false(buddy_free(&buddy, phys + 8, 3, OWNER));
    assert_false(buddy_free(&buddy, 0, 0, OWNER));
    assert_false(buddy_free(&buddy, 0x1000000, 0, OWNER)); /* the state itself */
    assert_false(buddy_free(&buddy, 0x1000000 + ARENA_BYTES, 0, OWNER));
    assert_false(buddy_free(&buddy, ~0ull << PAGE_SHIFT, 0, OWNER));
    assert_true(buddy_free(&buddy, phys, 3, OWNER));
    assert_false(buddy_free(&buddy, phys, 3, OWNER));
    arena_free(arena);
}

static void gives_every_frame_once(void **state)
{
    struct buddy buddy;
    uint8_t *arena = arena_make(&buddy, 0x1000000);
    uint64_t frames = buddy_add(&buddy, 0x1000800, 512 * PAGE_BYTES), count = 0;
    phys_t phys, last = 0;

    (void)state;
    assert_int_equal(frames, 510); /* two half pages and one of state less */
    while ((phys = buddy_alloc(&buddy, 0, OWNER)) != 0) {
        uint8_t *page = arena + (phys - 0x1000000);

        assert_int_equal(page[100], 0); /* not given before */
        page[100] = 1;
        count++;
        last = phys;
    }
    assert_int_equal(count, frames);
    assert_int_equal(buddy.frames_free, 0);
    assert_true(buddy_free(&buddy, last, 0, OWNER));
    assert_int_equal(buddy_alloc(&buddy, 0, OWNER), last);
    arena_free(arena);
}

static void keeps_zones_apart(void **state)
{
    struct buddy buddy;
    uint8_t *arena = arena_make(&buddy, 0);
    uint64_t frames;
    phys_t blocks[2];

    (void)state;
    frames = buddy_add(&buddy, 0, 16 * PAGE_BYTES); /* without page 0, one of state */
    assert_int_equal(frames, 14);
    frames += buddy_add(&buddy, 16 * PAGE_BYTES, 17 * PAGE_BYTES);
    assert_int_equal(frames, 30);
    assert_int_equal(buddy_add(&buddy, 64 * PAGE_BYTES, PAGE_BYTES), 0);
    assert_int_equal(buddy_add(&buddy, 64 * PAGE_BYTES + 1, PAGE_BYTES), 0);
    blocks[0] = buddy_alloc(&buddy, 3, OWNER);
    blocks[1] = buddy_alloc(&buddy, 3, OWNER);
    assert_int_not_equal(blocks[0], 0);
    assert_int_not_equal(blocks[1], 0);
    assert_true(buddy_free(&buddy, blocks[0], 3, OWNER));
    assert_true(buddy_free(&buddy, blocks[1], 3, OWNER));
    assert_int_equal(buddy.frames_free, 30);
    arena_free(arena);
}

/* A long random history ends where it began, and blocks never overlap. */
static void survives_a_random_history(void **state)
{
    struct buddy buddy;
    uint8_t *arena = arena_make(&buddy, 0x1000000);
    uint64_t frames = buddy_add(&buddy, 0x1003000, ARENA_BYTES - 0x5000);
    struct {
        phys_t phys;
        unsigned order;
    } held[256] = { 0 };

    (void)state;
    srand(1);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = (unsigned)rand() % 256;
        uint8_t *memory;

        if (held[i].phys) {
            memory = arena + (held[i].phys - 0x1000000);
            assert_int_equal(memory[0], i);
            assert_int_equal(memory[(PAGE_BYTES << held[i].order) - 1], i);
            assert_true(buddy_free(&buddy, held[i].phys, held[i].order, OWNER));
            held[i].phys = 0;
            continue;
        }
        held[i].order = (unsigned)rand() % 9;
        held[i].phys = buddy_alloc(&buddy, held[i].order, OWNER);
        if (!held[i].phys)
            continue;
        memory = arena + (held[i].phys - 0x1000000);
        memory[0] = memory[(PAGE_BYTES << held[i].order) - 1] = (uint8_t)i;
    }
    for (unsigned i = 0; i < 256; i++)
        if (held[i].phys)
            assert_true(buddy_free(&buddy, held[i].phys, held[i].order, OWNER));
    assert_int_equal(buddy.frames_free, frames);
    assert_int_not_equal(buddy_alloc(&buddy, 12, OWNER), 0); /* all has grown together */
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_aligned_blocks_and_takes_them_back),
        cmocka_unit_test(refuses_blocks_that_it_did_not_give),
        cmocka_unit_test(gives_every_frame_once),
        cmocka_unit_test(keeps_zones_apart),
        cmocka_unit_test(survives_a_random_history),
    };

    return cmocka_run_group_tests_name("roottask/buddy", tests, NULL, NULL);
}
