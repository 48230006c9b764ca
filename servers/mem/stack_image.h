/*
 * The stack that a program finds when it starts (System V ABI, AMD64 supplement, 3.4.1;
 * getauxval(3)), from the top down as Linux lays it out:
 *
 *   8 zero bytes, path, environment strings, argument strings, platform name,
 *   16 random bytes, auxiliary vector, environment pointers, argument pointers,
 *   argument count (where the stack pointer is)
 */
#pragma once

#include "servers/mem/exec.h"
#include "servers/mem/rope.h"

/* What the auxiliary vector tells about the program. */
struct program_facts {
    uint64_t entry;             /* of the program */
    uint64_t start;             /* where the thread starts: entry of the interpreter, if any */
    uint64_t headers;           /* program headers in memory */
    unsigned header_count, header_bytes;
    uint64_t interpreter_base;
    bool     executable_stack;
};

/* Maps stack and vDSO into the space and fills the stack. -E2BIG, -ENOMEM; the space
 * may be half changed then. */
int stack_image_build(struct space *space, const struct program_facts *facts,
                      const struct exec_identity *identity, const struct rope *arguments,
                      const struct rope *environment, uint64_t *sp)
    __attribute__((warn_unused_result));
