/*
 * Text of unknown length, collected in frames: argument and environment strings,
 * one after another, each with its zero byte.
 */
#pragma once

#include "servers/mem/pagemap.h"

#include <stddef.h>
#include <stdint.h>

struct rope {
    struct pagemap frames;
    uint64_t       bytes;
    uint64_t       count;   /* strings that are complete */
    uint64_t       pending; /* bytes of the string that is not */
};

/* -ENOMEM: some of it may have been added. */
int  rope_append(struct rope *rope, const void *text, size_t bytes)
    __attribute__((warn_unused_result));
/* The text at offset up to the end of its frame, at most max bytes; *bytes: how many. */
const char *rope_at(const struct rope *rope, uint64_t offset, uint64_t max, uint64_t *bytes);
void rope_free(struct rope *rope);
