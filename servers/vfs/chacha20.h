/*
 * The ChaCha20 block function: RFC 8439, 2.3.
 */
#pragma once

#include <stdint.h>

#define CHACHA20_KEY_WORDS 8u
#define CHACHA20_BLOCK_BYTES 64u

/* One block of key stream for the key, block counter and nonce (all little-endian words). */
void chacha20_block(uint8_t out[CHACHA20_BLOCK_BYTES], const uint32_t key[CHACHA20_KEY_WORDS],
                    uint32_t counter, const uint32_t nonce[3]);
