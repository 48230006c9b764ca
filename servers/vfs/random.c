#include <servers/vfs/random.h>

#include "gen/linux_calls_vfs.h"

#include <cpuid.h>
#include <lib/native/native.h>
#include <linux/random.h>
#include <servers/vfs/chacha20.h>
#include <string.h>

#define JITTER_STAMPS 512u
#define RDRAND_TRIES  10u

/* A request is answered in pieces; other threads need not wait for a huge one. */
#define PIECE_BYTES 4096u
#define REQUEST_BYTES_MAX 33554431u /* getrandom(2) */

static uint32_t key[CHACHA20_KEY_WORDS];
static bool     seeded;

static uint64_t time_stamp(void) { return __builtin_ia32_rdtsc(); }

static bool cpu_has_rdrand(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND);
}

static uint64_t rdrand(void)
{
    uint64_t      value = 0;
    unsigned char good = 0;

    for (unsigned i = 0; i < RDRAND_TRIES && !good; i++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(good) : : "cc");
    return good ? value : 0;
}

/* Stirs a word into the key. */
static void key_mix(uint64_t word)
{
    static const uint32_t nonce[3];
    union {
        uint8_t  bytes[CHACHA20_BLOCK_BYTES];
        uint32_t words[CHACHA20_BLOCK_BYTES / 4];
    } block;

    key[0] ^= (uint32_t)word;
    key[1] ^= (uint32_t)(word >> 32);
    chacha20_block(block.bytes, key, 0, nonce);
    memcpy(key, block.words, sizeof key);
}

/* Each stamp holds little that can't be guessed: many go into one word of the key. */
static void seed_from_jitter(void)
{
    uint64_t word = 0;

    for (unsigned i = 1; i <= JITTER_STAMPS; i++) {
        word = (word << 7 | word >> 57) ^ time_stamp();
        if (i % 32 == 0)
            key_mix(word);
    }
}

static void seed(void)
{
    if (cpu_has_rdrand())
        for (unsigned i = 0; i < CHACHA20_KEY_WORDS / 2; i++)
            key_mix(rdrand());
    seed_from_jitter();
    key_mix(clock_ns());
    seeded = true;
}

void random_bytes(void *to, size_t bytes)
{
    static const uint32_t nonce[3];
    uint32_t              counter = 1;
    uint8_t              *at = to;

    if (!seeded)
        seed();
    while (bytes) {
        uint8_t block[CHACHA20_BLOCK_BYTES];
        size_t  piece = bytes < sizeof block ? bytes : sizeof block;

        chacha20_block(block, key, counter++, nonce);
        memcpy(at, block, piece);
        at += piece;
        bytes -= piece;
    }
    key_mix(time_stamp());
}

int random_read(struct io *io)
{
    static uint8_t piece[PIECE_BYTES]; /* requests are serialised */

    while (io->left && !io->faulted) {
        size_t bytes = io->left < sizeof piece ? io->left : sizeof piece;

        random_bytes(piece, bytes);
        io_put(io, piece, bytes);
    }
    return 0;
}

int64_t sys_getrandom(struct call *call)
{
    const uint64_t known = GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE;
    uint64_t       flags = call->arg[2], bytes = call->arg[1];
    struct io      io;
    int64_t        answer;

    if (io_is_over(call, &answer))
        return answer;
    if (flags & ~known || (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    io_buffer(&io, call, call->arg[0], bytes < REQUEST_BYTES_MAX ? bytes : REQUEST_BYTES_MAX);
    return io_answer(&io, random_read(&io), true);
}
