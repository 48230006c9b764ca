/*
 * Mappings: HC_MAP, HC_PROTECT, HC_MAP_PHYS. What a PD has is seen by HC_COPY from
 * it, which walks the page tables, and by a thread in it, which uses the TLB.
 */
#include "env.h"

#include <string.h>

#define THERE 0x200000000ull /* a multiple of 2 MiB */
enum { BIG = 512, MARK = 0x5a };

static cap_sel_t pd;
static uint64_t *source;

static void setup(void)
{
    pd = pd_empty(PD_QUOTA);
    source = pages_new(8);
    for (unsigned i = 0; i < 8; i++)
        source[i * 512] = MARK + i;
}

static enum status map(void *from, vaddr_t to, uint64_t pages, unsigned rights, unsigned flags)
{
    return hc_map(ROOT_SEL_PD, (vaddr_t)from, pd, to, pages, rights, flags, NULL);
}

/* The first word of a page of pd; 0: none. */
static uint64_t word_at(vaddr_t va)
{
    uint64_t word = 0, done;

    return hc_copy(pd, COPY_FROM, &word, va, 8, &done) == ST_OK ? word : 0;
}

static bool writable(vaddr_t va)
{
    uint64_t word = word_at(va), done;

    return hc_copy(pd, COPY_TO, &word, va, 8, &done) == ST_OK;
}

static void test_rights(void)
{
    setup();
    need_ok(map(source, THERE, 2, MEM_R | MEM_W, 0));
    need_ok(map(source, THERE + 0x2000, 2, MEM_R, 0));
    check(writable(THERE));
    check(!writable(THERE + 0x2000));
    check_eq(word_at(THERE + 0x3000), MARK + 1);
    need_ok(hc_protect(pd, THERE, 1, MEM_R | MEM_X));
    check(!writable(THERE));
    check(writable(THERE + 0x1000));
    need_ok(hc_protect(pd, THERE, 2, MEM_R | MEM_W)); /* gives nothing back */
    check(!writable(THERE));
    /* Reading only is passed on as such. */
    need_ok(hc_map(pd, THERE, pd, THERE + 0x10000, 1, MEM_R | MEM_W, 0, NULL));
    check(!writable(THERE + 0x10000));
    need_ok(hc_protect(pd, THERE, 2, 0));
    check_eq(word_at(THERE), 0);
    check_eq(word_at(THERE + 0x2000), MARK);
}

static void test_cow(void)
{
    char *page = pages_new(2);
    uint64_t done;

    setup();
    page[0] = 1;
    need_ok(hc_map(SEL_SELF, (vaddr_t)page, pd, THERE, 2, MEM_R | MEM_W, 0, NULL));
    check(writable(THERE));
    need_ok(hc_map(pd, THERE, pd, THERE + 0x10000, 1, MEM_R | MEM_W, MAP_COW, &done));
    check_eq(done, 1);
    check(!writable(THERE));
    check(!writable(THERE + 0x10000));
    check(writable(THERE + 0x1000));
    check_eq(word_at(THERE + 0x10000), 1);
    page[0] = 2; /* our own mapping is not concerned */
    check_eq(word_at(THERE), 2);
}

static void test_holes(void)
{
    uint64_t done;

    setup();
    need_ok(map(source, THERE, 1, MEM_R, 0));
    need_ok(map(source + 3 * 512, THERE + 0x3000, 1, MEM_R, 0));
    check_eq(hc_map(pd, THERE, pd, THERE + 0x10000, 4, MEM_R, 0, &done), ST_FAULT);
    check_eq(done, 1);
    check_eq(word_at(THERE + 0x13000), 0);
    check_eq(hc_map(pd, THERE, pd, THERE + 0x20000, 4, MEM_R, MAP_SPARSE, &done), ST_OK);
    check_eq(done, 4);
    check_eq(word_at(THERE + 0x20000), MARK);
    check_eq(word_at(THERE + 0x21000), 0);
    check_eq(word_at(THERE + 0x23000), MARK + 3);
    check_eq(hc_map(pd, 0x7000, pd, 0x8000, 1, MEM_R, 0, &done), ST_FAULT);
    check_eq(done, 0);
}

/* What is mapped is replaced; what a hole meets stays. */
static void test_replace(void)
{
    setup();
    need_ok(map(source, THERE, 4, MEM_R, 0));
    need_ok(map(source + 4 * 512, THERE + 0x1000, 1, MEM_R | MEM_W, 0));
    check_eq(word_at(THERE), MARK);
    check_eq(word_at(THERE + 0x1000), MARK + 4);
    check_eq(word_at(THERE + 0x2000), MARK + 2);
    check(writable(THERE + 0x1000));
    need_ok(hc_map(pd, 0x7000, pd, THERE, 4, MEM_R, MAP_SPARSE, NULL));
    check_eq(word_at(THERE + 0x2000), MARK + 2);
}

/* Ranges of one PD that overlap, up and down. */
static void test_overlap(void)
{
    setup();
    need_ok(map(source, THERE, 8, MEM_R, 0));
    need_ok(hc_map(pd, THERE + 0x1000, pd, THERE, 7, MEM_R, 0, NULL));
    for (uint64_t i = 0; i < 7; i++)
        check_eq(word_at(THERE + i * PAGE_BYTES), MARK + i + 1);
    need_ok(hc_map(pd, THERE, pd, THERE, 8, MEM_R, 0, NULL)); /* onto itself */
    check_eq(word_at(THERE + 0x7000), MARK + 7);
}

/* ---- 2 MiB pages ---------------------------------------------------------------------------- */

static uint64_t *big;

static void setup_big(void)
{
    setup();
    big = big_page_new();
    for (uint64_t i = 0; i < BIG; i++)
        big[i * 512] = 0x10000 + i;
}

/* All pages of the range have their numbers. */
static void check_big(vaddr_t va, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (!check_eq(word_at(va + i * PAGE_BYTES), 0x10000 + first + i))
            return;
}

static void test_big(void)
{
    uint64_t used;

    setup_big();
    used = pd_used(pd);
    need_ok(map(big, THERE, BIG, MEM_R | MEM_W, 0));
    check_eq(pd_used(pd), used + 2); /* tables for it, none of 4 KiB pages */
    check_big(THERE, 0, BIG);
    need_ok(hc_protect(pd, THERE, BIG, MEM_R));
    check(!writable(THERE + 0x5000));
    check_eq(pd_used(pd), used + 2);
    need_ok(hc_protect(pd, THERE, BIG, 0));
    check_eq(word_at(THERE), 0);
    check_eq(word_at(THERE + 511 * PAGE_BYTES), 0);
}

static void test_big_split(void)
{
    setup_big();
    need_ok(map(big, THERE, BIG, MEM_R | MEM_W, 0));
    need_ok(hc_protect(pd, THERE + 7 * PAGE_BYTES, 1, MEM_R));
    check_big(THERE, 0, BIG);
    check(!writable(THERE + 7 * PAGE_BYTES));
    check(writable(THERE + 6 * PAGE_BYTES));
    check(writable(THERE + 8 * PAGE_BYTES));
    need_ok(hc_protect(pd, THERE + 100 * PAGE_BYTES, 300, 0));
    check_big(THERE, 0, 100);
    check_eq(word_at(THERE + 100 * PAGE_BYTES), 0);
    check_eq(word_at(THERE + 399 * PAGE_BYTES), 0);
    check_big(THERE + 400 * PAGE_BYTES, 400, 112);
    /* A page in the middle of a big one is replaced. */
    need_ok(map(source, THERE + 2 * PAGE_BYTES, 1, MEM_R, 0));
    check_eq(word_at(THERE + 2 * PAGE_BYTES), MARK);
    check_eq(word_at(THERE + 3 * PAGE_BYTES), 0x10003);
}

/* Not aligned: small pages, and none of them too many. */
static void test_big_unaligned(void)
{
    setup_big();
    need_ok(map(big + 512, THERE, BIG - 1, MEM_R, 0));
    check_big(THERE, 1, BIG - 1);
    check_eq(word_at(THERE + (BIG - 1) * PAGE_BYTES), 0);
    need_ok(map(big, THERE + 0x400000 + PAGE_BYTES, BIG, MEM_R, 0));
    check_big(THERE + 0x400000 + PAGE_BYTES, 0, BIG);
    need_ok(map(big, THERE + 0x800000, 17, MEM_R, 0));
    check_big(THERE + 0x800000, 0, 17);
    check_eq(word_at(THERE + 0x800000 + 17 * PAGE_BYTES), 0);
}

/* Copy on write of a big page takes writing from both as well. */
static void test_big_cow(void)
{
    setup_big();
    need_ok(map(big, THERE, BIG, MEM_R | MEM_W, 0));
    need_ok(hc_map(pd, THERE, pd, THERE + 0x400000, BIG, MEM_R | MEM_W, MAP_COW, NULL));
    check(!writable(THERE + 0x3000));
    check(!writable(THERE + 0x400000 + 0x3000));
    check_big(THERE, 0, BIG);
    check_big(THERE + 0x400000, 0, BIG);
    /* Part of a big page. */
    need_ok(map(big, THERE + 0x800000, BIG, MEM_R | MEM_W, 0));
    need_ok(hc_map(pd, THERE + 0x801000, pd, THERE + 0xc00000, 2, MEM_R | MEM_W, MAP_COW, NULL));
    check(writable(THERE + 0x800000));
    check(!writable(THERE + 0x801000));
    check(!writable(THERE + 0x802000));
    check(writable(THERE + 0x803000));
    check(!writable(THERE + 0xc00000));
    check_eq(word_at(THERE + 0xc01000), 0x10002);
}

static void test_big_over_small(void)
{
    setup_big();
    need_ok(map(source, THERE + 5 * PAGE_BYTES, 2, MEM_R, 0));
    need_ok(map(big, THERE, BIG, MEM_R | MEM_W, 0));
    check_big(THERE, 0, BIG);
    need_ok(map(big, THERE, BIG, MEM_R, 0));
    check(!writable(THERE));
    /* A big one over another big one. */
    need_ok(map(big, THERE + 0x400000, BIG, MEM_R | MEM_W, 0));
    need_ok(map(big, THERE + 0x400000, BIG, MEM_R, 0));
    check(!writable(THERE + 0x400000 + 0x9000));
    check_big(THERE + 0x400000, 0, BIG);
}

/* From a big page to another place in it: it is split while it is the source. */
static void test_big_within(void)
{
    setup_big();
    need_ok(map(big, THERE, BIG, MEM_R | MEM_W, 0));
    need_ok(hc_map(pd, THERE + 0x10000, pd, THERE + 0x3000, 4, MEM_R, 0, NULL));
    check_big(THERE, 0, 3);
    check_big(THERE + 0x3000, 16, 4);
    check_big(THERE + 0x7000, 7, BIG - 7);
}

static void test_phys(void)
{
    setup_big();
    need_ok(hc_map_phys(pd, pool_phys(big), THERE, BIG, MEM_R | MEM_W));
    check_big(THERE, 0, BIG);
    need_ok(hc_map_phys(pd, pool_phys(big) + PAGE_BYTES, THERE, 3, MEM_R));
    check_big(THERE, 1, 3);
    check_big(THERE + 3 * PAGE_BYTES, 3, BIG - 3);
    check(!writable(THERE));
    check(writable(THERE + 3 * PAGE_BYTES));
}

/* ---- UTCBs ---------------------------------------------------------------------------------- */

#define UTCB_VA (THERE + 0x1000)

static void test_utcb(void)
{
    cap_sel_t ec = sel_new();
    uint64_t done, word = 0x55;

    setup();
    need_ok(map(source, THERE, 1, MEM_R, 0));
    need_ok(hc_create_ec(ec, pd, EC_LOCAL, 0, 0, UTCB_VA, 0, 0, 0));
    /* It can be seen by its PD (and whoever may copy), not mapped elsewhere. */
    need_ok(hc_copy(pd, COPY_TO, &word, UTCB_VA, 8, &done));
    check_eq(word_at(UTCB_VA), 0x55);
    check_eq(hc_map(pd, UTCB_VA, pd, 0x8000, 1, MEM_R, 0, &done), ST_FAULT);
    check_eq(hc_map(pd, THERE, pd, 0x8000, 2, MEM_R, MAP_SPARSE, &done), ST_OK);
    check_eq(word_at(0x8000), MARK);
    check_eq(word_at(0x9000), 0);
    /* Nor replaced, unmapped, made read-only. */
    check(map(source, UTCB_VA, 1, MEM_R, 0) == ST_BAD_PARAM);
    check_eq(hc_map_phys(pd, pool_phys(source), UTCB_VA, 1, MEM_R), ST_BAD_PARAM);
    check_eq(word_at(UTCB_VA), 0x55);
    check_eq(hc_protect(pd, THERE, BIG, 0), ST_OK);
    check_eq(word_at(THERE), 0);
    check_eq(word_at(UTCB_VA), 0x55);
    check_eq(hc_protect(pd, UTCB_VA, 1, MEM_R), ST_OK);
    check(writable(UTCB_VA));
    /* A page that is in use is no place for one; after the end of the EC it is free. */
    check_eq(hc_create_ec(sel_new(), pd, EC_LOCAL, 0, 0, UTCB_VA, 0, 0, 0), ST_EXISTS);
    need_ok(map(source, THERE, 1, MEM_R, 0));
    check_eq(hc_create_ec(sel_new(), pd, EC_LOCAL, 0, 0, THERE, 0, 0, 0), ST_EXISTS);
    drop(ec);
    check_eq(word_at(UTCB_VA), 0);
    need_ok(map(source, UTCB_VA, 1, MEM_R, 0));
    check_eq(word_at(UTCB_VA), MARK);
}

static void test_utcb_in_big_page(void)
{
    setup_big();
    need_ok(map(big, THERE, BIG, MEM_R, 0));
    check_eq(hc_create_ec(sel_new(), pd, EC_LOCAL, 0, 0, THERE + 0x3000, 0, 0, 0), ST_EXISTS);
    check_big(THERE, 0, BIG);
}

/* ---- memory for page tables ----------------------------------------------------------------- */

static void test_tables_freed(void)
{
    uint64_t used;

    setup();
    need_ok(map(source, THERE, 1, MEM_R, 0));
    used = pd_used(pd);
    for (unsigned i = 1; i <= 20; i++)
        need_ok(map(source, THERE + i * 0x200000, 3, MEM_R, 0));
    check_eq(pd_used(pd), used + 20);
    need_ok(hc_protect(pd, THERE + 0x200000, 20 * BIG, 0));
    check_eq(pd_used(pd), used);
    check_eq(word_at(THERE), MARK);
    need_ok(map(source + 512, THERE + 0x200000, 1, MEM_R, 0)); /* and they can be used again */
    check_eq(word_at(THERE + 0x200000), MARK + 1);
}

/* The whole address space at once, nearly empty: does not take for ever. */
static void test_whole_space(void)
{
    uint64_t start = tsc(), pages = USER_END / PAGE_BYTES;
    cap_sel_t copy;

    setup();
    need_ok(map(source, THERE, 2, MEM_R, 0));
    need_ok(map(source, USER_END - PAGE_BYTES, 1, MEM_R, 0));
    copy = pd_empty(PD_QUOTA);
    need_ok(hc_map(pd, 0, copy, 0, pages, MEM_R, MAP_SPARSE, NULL));
    need_ok(hc_protect(pd, 0, pages, 0));
    check_eq(word_at(THERE), 0);
    pd = copy;
    check_eq(word_at(THERE + PAGE_BYTES), MARK + 1);
    check_eq(word_at(USER_END - PAGE_BYTES), MARK);
    check(tsc() - start < ms(exact_time ? 50 : 2000));
}

/* ---- the TLB -------------------------------------------------------------------------------- */

/* Code that reads and writes at its own time, in a PD of its own. */
static uint64_t *probe_page;

static void probe_word(struct msg *m) { m->w[0] = *(volatile uint64_t *)m->w[0]; }

/* The same address has the new contents at once, although it was used before. */
static void test_remap(void)
{
    cap_sel_t pt;

    setup();
    pd = pd_new();
    pt = service_new(pd, probe_word);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 8; i++) {
            uint64_t word = THERE;

            need_ok(map(source + i * 512, THERE, 1, MEM_R | MEM_W, 0));
            need_ok(call_word(pt, &word) & 0xff);
            check_eq(word, MARK + i);
        }
    /* In the PD that is loaded now. */
    pd = ROOT_SEL_PD;
    probe_page = pages_new(1);
    for (unsigned i = 0; i < 8; i++) {
        need_ok(hc_map(SEL_SELF, (vaddr_t)source + i * PAGE_BYTES, ROOT_SEL_PD,
                       (vaddr_t)probe_page, 1, MEM_R | MEM_W, 0, NULL));
        check_eq(*(volatile uint64_t *)probe_page, MARK + i);
    }
    check_eq(hc_map_phys(ROOT_SEL_PD, pool_phys(probe_page), (vaddr_t)probe_page, 1,
                         MEM_R | MEM_W),
             ST_OK);
}

/* Many pages at once: all of them. */
static void test_remap_many(void)
{
    uint64_t *first = pages_new(64), *second = pages_new(64), *view = pages_new(64);

    for (uint64_t i = 0; i < 64; i++) {
        first[i * 512] = 100 + i;
        second[i * 512] = 200 + i;
    }
    for (unsigned round = 0; round < 4; round++) {
        uint64_t *from = round % 2 ? second : first;

        need_ok(hc_map(SEL_SELF, (vaddr_t)from, ROOT_SEL_PD, (vaddr_t)view, 64, MEM_R, 0, NULL));
        for (uint64_t i = 0; i < 64; i++)
            check_eq(((volatile uint64_t *)view)[i * 512], (round % 2 ? 200 : 100) + i);
    }
    check_eq(hc_map_phys(ROOT_SEL_PD, pool_phys(view), (vaddr_t)view, 64, MEM_R | MEM_W), ST_OK);
}

const struct test map_tests[] = {
    { "rights", test_rights, 0 },
    { "cow", test_cow, 0 },
    { "holes", test_holes, 0 },
    { "replace", test_replace, 0 },
    { "overlap", test_overlap, 0 },
    { "big", test_big, 0 },
    { "big-split", test_big_split, 0 },
    { "big-unaligned", test_big_unaligned, 0 },
    { "big-cow", test_big_cow, 0 },
    { "big-over-small", test_big_over_small, 0 },
    { "big-within", test_big_within, 0 },
    { "phys", test_phys, 0 },
    { "utcb", test_utcb, 0 },
    { "utcb-in-big-page", test_utcb_in_big_page, 0 },
    { "tables-freed", test_tables_freed, 0 },
    { "whole-space", test_whole_space, 0 },
    { "remap", test_remap, 0 },
    { "remap-many", test_remap_many, 0 },
    { NULL, NULL, 0 },
};
