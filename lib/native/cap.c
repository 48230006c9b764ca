/*
 * Capability selectors: a bitmap, changed by compare-and-swap, so that it needs
 * no lock (locks need selectors themselves).
 *
 * A run of up to 64 lies in one word; a longer one is made of whole words.
 */
#include <lib/native/runtime.h>
#include <stdatomic.h>

cap_sel_t own_pd;

#define WORD_BITS 64u
#define WORDS (MAX_CAPS / WORD_BITS)

static _Atomic uint64_t used[WORDS];
static _Atomic unsigned hint; /* the word where the search begins */

static uint64_t run_mask(unsigned count)
{
    return count == WORD_BITS ? ~0ull : (1ull << count) - 1;
}

void cap_init(cap_sel_t first)
{
    must(first < MAX_CAPS);
    for (cap_sel_t sel = 0; sel < first; sel++)
        atomic_fetch_or(&used[sel / WORD_BITS], 1ull << sel % WORD_BITS);
}

/* Takes a run within a word. Returns its first bit, or -1. */
static int run_take(_Atomic uint64_t *word, unsigned count)
{
    uint64_t old = atomic_load(word);
    unsigned bit = 0;

    while (bit + count <= WORD_BITS) {
        uint64_t run = run_mask(count) << bit;

        if (old & run)
            bit++;
        else if (atomic_compare_exchange_weak(word, &old, old | run))
            return (int)bit;
    }
    return -1;
}

static void run_release(_Atomic uint64_t *word, uint64_t run)
{
    uint64_t old = atomic_fetch_and(word, ~run);

    must((old & run) == run);
}

/* Takes whole words, all or none. */
static bool words_take(unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t none = 0;

        if (atomic_compare_exchange_strong(&used[first + i], &none, ~0ull))
            continue;
        while (i-- > 0)
            run_release(&used[first + i], ~0ull);
        return false;
    }
    return true;
}

static cap_sel_t long_run_alloc(unsigned count)
{
    unsigned words = (count + WORD_BITS - 1) / WORD_BITS;

    for (unsigned first = 0; first + words <= WORDS; first++)
        if (words_take(first, words))
            return first * WORD_BITS;
    return SEL_NONE;
}

cap_sel_t cap_alloc(unsigned count)
{
    unsigned start = atomic_load(&hint);

    must(count > 0 && count <= MAX_CAPS);
    if (count > WORD_BITS)
        return long_run_alloc(count);
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned index = (start + i) % WORDS;
        int      bit = run_take(&used[index], count);

        if (bit < 0)
            continue;
        if (i > 0)
            atomic_store(&hint, index);
        return index * WORD_BITS + (unsigned)bit;
    }
    return SEL_NONE;
}

void cap_free(cap_sel_t first, unsigned count)
{
    unsigned bit = first % WORD_BITS, index = first / WORD_BITS;

    must(count > 0 && first < MAX_CAPS && count <= MAX_CAPS - first);
    if (count <= WORD_BITS) {
        must(bit + count <= WORD_BITS);
        run_release(&used[index], run_mask(count) << bit);
        if (index < atomic_load(&hint))
            atomic_store(&hint, index);
        return;
    }
    for (unsigned i = 0; i < (count + WORD_BITS - 1) / WORD_BITS; i++)
        run_release(&used[index + i], ~0ull);
}

unsigned caps_in_use(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < WORDS; i++)
        count += (unsigned)__builtin_popcountll(atomic_load(&used[i]));
    return count;
}
