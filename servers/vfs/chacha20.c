#include <servers/vfs/chacha20.h>

#include <string.h>

static uint32_t rotate_left(uint32_t x, unsigned bits) { return x << bits | x >> (32 - bits); }

static void quarter_round(uint32_t s[16], unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate_left(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate_left(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate_left(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate_left(s[b] ^ s[c], 7);
}

static void double_round(uint32_t s[16])
{
    for (unsigned i = 0; i < 4; i++) /* columns */
        quarter_round(s, i, i + 4, i + 8, i + 12);
    for (unsigned i = 0; i < 4; i++) /* diagonals */
        quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
}

void chacha20_block(uint8_t out[CHACHA20_BLOCK_BYTES], const uint32_t key[CHACHA20_KEY_WORDS],
                    uint32_t counter, const uint32_t nonce[3])
{
    uint32_t first[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    uint32_t state[16];

    memcpy(first + 4, key, CHACHA20_KEY_WORDS * sizeof *key);
    first[12] = counter;
    memcpy(first + 13, nonce, 3 * sizeof *nonce);
    memcpy(state, first, sizeof state);
    for (unsigned i = 0; i < 10; i++)
        double_round(state);
    for (unsigned i = 0; i < 16; i++)
        state[i] += first[i];
    memcpy(out, state, sizeof state);
}
