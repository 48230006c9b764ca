/*
 * Random bytes: ChaCha20 with a key that is replaced after each request, so that what was
 * given out can't be computed later. The first key comes from RDRAND where the CPU has it,
 * and from the jitter of the time stamp counter.
 */
#pragma once

#include <servers/vfs/io.h>
#include <stddef.h>

void random_bytes(void *to, size_t bytes);
/* Moves random bytes to io->left bytes of the caller's memory; as a file's read. */
int random_read(struct io *io);
