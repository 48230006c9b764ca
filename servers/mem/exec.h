/*
 * Building the image of a new program in an empty space: segments, arguments,
 * stack, auxiliary vector, vDSO. proto/mem.def says in which order.
 */
#pragma once

#include "servers/mem/space.h"

/* The auxiliary vector entry by which a hybrid program knows us; its value is the
 * address of the thread's UTCB. */
#define AT_POLYHEDRON 0x70686c79u

struct exec_file {
    uint64_t file, file_bytes;
    const void *head; /* first bytes of the file */
    size_t head_bytes;
};

/* The program. On success the space owns the file reference. -ENOEXEC, -EINVAL, -ENOMEM:
 * the space is empty again. -EBUSY: it is not empty. */
int exec_image(struct space *space, const struct exec_file *file, uint64_t *interpreter_offset,
               uint64_t *interpreter_bytes) __attribute__((warn_unused_result));

/* The interpreter that the program names. Errors as above, but the program stays. */
int exec_interpreter(struct space *space, const struct exec_file *file)
    __attribute__((warn_unused_result));

enum exec_string_kind {
    EXEC_ARGUMENT = 0,
    EXEC_ENVIRONMENT = 1,
};

/* Adds a piece of a string; more: there is another one. A zero byte at the end of the
 * last piece may be there or not. -E2BIG, -ENOMEM, -EINVAL. */
int exec_string(struct space *space, enum exec_string_kind kind, bool more, const char *text,
                size_t bytes) __attribute__((warn_unused_result));

struct exec_identity {
    uint32_t uid, euid, gid, egid;
    bool     secure;
    uint64_t utcb;        /* of the first thread */
    uint64_t stack_limit; /* bytes; RLIMIT_STACK */
    const char *path;     /* AT_EXECFN */
};

/* The rest. ip, sp: where the thread starts. -ENOMEM, -E2BIG, -EINVAL (nothing to commit). */
int exec_commit(struct space *space, const struct exec_identity *identity, uint64_t *ip,
                uint64_t *sp) __attribute__((warn_unused_result));

/* Frees what was collected, if anything. */
void exec_abandon(struct space *space);
