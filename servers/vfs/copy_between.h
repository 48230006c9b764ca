/*
 * What calls that move data from file to file have in common.
 */
#pragma once

#include <servers/vfs/file.h>

/* One such call. The positions are those of the present attempt. */
struct copy {
    struct call *call;
    struct file *from, *to;
    uint64_t     from_position, to_position;
    uint64_t     left;
    bool         nonblock;
    /* One attempt: advances the positions and slot->done; answers for the call. */
    int64_t    (*run)(struct copy *copy);
};

/* Moves up to bytes. The addresses are those of offsets in the caller's memory, 0: the file's
 * own position counts. Answers for the call. */
int64_t copy_between(struct copy *copy, uint64_t from_address, uint64_t to_address,
                     uint64_t bytes);
