/*
 * HC_COPY: bytes between the caller and another PD.
 */
#include "env.h"

#include <string.h>

enum { PAGES = 4, BYTES = PAGES * PAGE_BYTES };
#define REMOTE 0x7000000000ull /* where the other PD sees the second buffer */

static char *local, *there; /* ours, and ours of what the other PD has */
static cap_sel_t pd;

/* Another PD with PAGES pages, followed by a hole, filled with a pattern. */
static void setup(void)
{
    local = pages_new(PAGES);
    there = pages_new(PAGES);
    pd = pd_empty(PD_QUOTA);
    check_eq(hc_map(SEL_SELF, (vaddr_t)there, pd, REMOTE, PAGES, MEM_R | MEM_W, 0, NULL), ST_OK);
    for (unsigned i = 0; i < BYTES; i++) {
        there[i] = (char)(i * 7 + i / 256);
        local[i] = (char)(i * 13 + 3);
    }
}

static void expect(unsigned op, void *at, vaddr_t remote, uint64_t bytes, enum status wanted,
                   uint64_t done_wanted)
{
    uint64_t done = ~0ull;

    check_eq(hc_copy(pd, op, at, remote, bytes, &done), wanted);
    check_eq(done, done_wanted);
}

static void test_from(void)
{
    static const uint16_t cases[][3] = { /* local offset, remote offset, bytes */
        { 0, 0, 0 }, { 0, 0, 1 }, { 1, 2, 3 }, { 0, 4095, 2 }, { 4095, 0, 2 }, { 4090, 4000, 200 },
        { 5, 4091, 8192 }, { 0, 0, BYTES }, { BYTES - 1, BYTES - 1, 1 } };

    setup();
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t at = cases[i][0], from = cases[i][1], bytes = cases[i][2];
        char before = at ? local[at - 1] : 0, after = at + bytes < BYTES ? local[at + bytes] : 0;

        expect(COPY_FROM, local + at, REMOTE + from, bytes, ST_OK, bytes);
        check(!memcmp(local + at, there + from, bytes));
        check_eq(at ? local[at - 1] : 0, before);
        check_eq(at + bytes < BYTES ? local[at + bytes] : 0, after);
    }
}

static void test_to(void)
{
    setup();
    expect(COPY_TO, local + 100, REMOTE + 4000, 5000, ST_OK, 5000);
    check(!memcmp(there + 4000, local + 100, 5000));
    check_eq(there[3999], (char)(3999 * 7 + 3999 / 256));
    check_eq(there[9000], (char)(9000 * 7 + 9000 / 256));
}

/* As far as it goes, then a fault of the right side. */
static void test_partial(void)
{
    char *hole = (char *)0x600000000000;

    setup();
    expect(COPY_FROM, local, REMOTE + BYTES - 10, 100, ST_FAULT, 10);
    check(!memcmp(local, there + BYTES - 10, 10));
    expect(COPY_TO, local, REMOTE + BYTES - 10, 100, ST_FAULT, 10);
    expect(COPY_FROM, local, REMOTE + BYTES, 1, ST_FAULT, 0);
    expect(COPY_FROM, local, REMOTE - 1, 2, ST_FAULT, 0);
    expect(COPY_FROM, hole, REMOTE, 1, ST_FAULT_LOCAL, 0);
    expect(COPY_TO, hole, REMOTE, 1, ST_FAULT_LOCAL, 0);
    expect(COPY_FROM, hole, REMOTE, 0, ST_OK, 0);
    check_eq(hc_protect(pd, REMOTE + PAGE_BYTES, 1, 0), ST_OK);
    expect(COPY_FROM, local, REMOTE + 1, 8192, ST_FAULT, 4095);
}

static void test_read_only(void)
{
    setup();
    check_eq(hc_protect(pd, REMOTE + PAGE_BYTES, 1, MEM_R), ST_OK);
    expect(COPY_TO, local, REMOTE, 8192, ST_FAULT, 4096);
    expect(COPY_FROM, local, REMOTE, 8192, ST_OK, 8192);
    /* Our own text can't be written either. */
    expect(COPY_FROM, (void *)handler_empty, REMOTE, 1, ST_FAULT_LOCAL, 0);
    expect(COPY_TO, (void *)handler_empty, REMOTE, 1, ST_OK, 1);
}

static void test_string(void)
{
    setup();
    memset(there, 'x', BYTES);
    there[10] = 0;
    there[PAGE_BYTES - 1] = 0;
    there[PAGE_BYTES + 5] = 0;
    there[BYTES - 1] = 0;
    expect(COPY_STRING, local, REMOTE, 100, ST_OK, 11);
    expect(COPY_STRING, local, REMOTE + 10, 100, ST_OK, 1);
    expect(COPY_STRING, local, REMOTE, 11, ST_OK, 11);
    expect(COPY_STRING, local, REMOTE, 10, ST_OK, 10); /* no room for the end: it is seen at 9 */
    check_eq(local[9], 'x');
    expect(COPY_STRING, local, REMOTE + 4000, 4000, ST_OK, 96); /* ends with the page */
    expect(COPY_STRING, local, REMOTE + 4096, 4000, ST_OK, 6);
    expect(COPY_STRING, local + 4090, REMOTE + BYTES - 20, 4000, ST_OK, 20);
    there[BYTES - 1] = 'x'; /* no end before the hole */
    memset(local, 0, BYTES);
    expect(COPY_STRING, local, REMOTE + BYTES - 20, 4000, ST_FAULT, 20);
    check_eq(local[19], 'x');
    check_eq(local[20], 0);
}

static void test_addresses(void)
{
    static const uint64_t bad[] = { 0xffff800000000000, 0xffff800000100000, 0xffffffff80100000,
                                    ~0ull, USER_END, 0x800000000000, 1ull << 63,
                                    0x8000000000000000 | REMOTE, REMOTE | 1ull << 48 };

    setup();
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect(COPY_FROM, local, bad[i], 8, ST_FAULT, 0);
        expect(COPY_TO, local, bad[i], 8, ST_FAULT, 0);
        expect(COPY_STRING, local, bad[i], 8, ST_FAULT, 0);
        expect(COPY_FROM, (void *)bad[i], REMOTE, 8, ST_FAULT_LOCAL, 0);
        expect(COPY_TO, (void *)bad[i], REMOTE, 8, ST_FAULT_LOCAL, 0);
    }
    expect(COPY_FROM, local, REMOTE, ~0ull, ST_FAULT, BYTES);
    expect(COPY_FROM, local, REMOTE + BYTES - 8, 1ull << 63, ST_FAULT, 8);
}

/* From itself, overlapping only in place; the UTCB as source. */
static void test_own(void)
{
    uint64_t done;

    setup();
    utcb_self()->data[7] = 0x1234567890abcdef;
    check_eq(hc_copy(ROOT_SEL_PD, COPY_FROM, local, (vaddr_t)&utcb_self()->data[7], 8, &done),
             ST_OK);
    check_eq(*(uint64_t *)local, 0x1234567890abcdef);
    check_eq(hc_copy(ROOT_SEL_PD, COPY_TO, there, (vaddr_t)local, BYTES, &done), ST_OK);
    check(!memcmp(local, there, BYTES));
}

/* Device memory is not copied. */
static void test_uncached(void)
{
    setup();
    check_eq(hc_map_phys(pd, 0xfed00000, REMOTE, 1, MEM_R | MEM_W | MEM_UC), ST_OK);
    expect(COPY_FROM, local, REMOTE, 8, ST_FAULT, 0);
}

/* Out of 2 MiB pages. */
static void test_big_page(void)
{
    char *big = big_page_new();
    uint64_t size = 512 * PAGE_BYTES;

    setup();
    check_eq(hc_map(SEL_SELF, (vaddr_t)big, pd, 0x40000000, 512, MEM_R | MEM_W, 0, NULL), ST_OK);
    big[0] = 1;
    big[size / 2 + 4095] = 2;
    big[size - 1] = 3;
    expect(COPY_FROM, local, 0x40000000 + size / 2, 8192, ST_OK, 8192);
    check_eq(local[4095], 2);
    expect(COPY_FROM, local, 0x40000000 + size - 4, 10, ST_FAULT, 4);
    check_eq(local[3], 3);
    expect(COPY_TO, local, 0x40000000, 4, ST_OK, 4);
    check_eq(big[3], 3);
}

const struct test copy_tests[] = {
    { "from", test_from, 0 },
    { "to", test_to, 0 },
    { "partial", test_partial, 0 },
    { "read-only", test_read_only, 0 },
    { "string", test_string, 0 },
    { "addresses", test_addresses, 0 },
    { "own", test_own, 0 },
    { "uncached", test_uncached, 0 },
    { "big-page", test_big_page, 0 },
    { NULL, NULL, 0 },
};
