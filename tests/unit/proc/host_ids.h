/*
 * The host's Linux as oracle for user ids.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct id_state {
    uint32_t real, effective, saved, fs;
    bool permitted, effective_caps; /* whether any capability is there */
};

struct id_call {
    long     nr;
    uint32_t arg[3];
};

/* Whether we may try: we are root with CAP_SETUID. */
bool host_ids_usable(void);
/* In a child process: setresuid to real, effective, saved, then the call.
 * Returns its result (or negative errno), and the state afterwards. */
int host_ids_try(const uint32_t ids[3], const struct id_call *call, struct id_state *after);
