/*
 * The vDSO and its data page, in every program.
 */
#pragma once

#include "servers/mem/space.h"

struct vdso_clock {
    uint64_t tsc_hz, boot_tsc;
    int64_t  realtime_offset_ns;
};

/* Copies the image into frames. -ENOMEM. */
int  vdso_init(const struct vdso_clock *clock) __attribute__((warn_unused_result));
void vdso_exit(void);
/* CLOCK_REALTIME minus CLOCK_MONOTONIC has changed. */
void vdso_set_realtime(int64_t offset_ns);

/* Maps both into a space. -ENOMEM. */
int vdso_map(struct space *space) __attribute__((warn_unused_result));
