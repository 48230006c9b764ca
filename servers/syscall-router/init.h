/*
 * boot/init: what to run. The format is in docs/architecture.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct init_config {
    unsigned stdio; /* bit n: descriptor n is a terminal */
    const char *cwd;
    bool     trace, stats;
    uint32_t uid, gid;
    unsigned loop; /* runs, at least 1 */
    const char *argv; /* argc strings, one after another, each ended by a zero byte */
    unsigned argc;
    const char *envp;
    unsigned envc;
};

/* Takes the file apart; the strings stay where they are. Returns NULL, or what
 * is wrong with it (*error_at: offset in bytes). */
const char *init_parse(struct init_config *config, const char *data, size_t bytes,
                       size_t *error_at);

/* The string after this one. */
const char *init_next(const char *string);
