/*
 * What the processor tells programs about itself by way of the auxiliary vector.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* features: enum cpu_feature of the kernel information page. */
void cpu_init(uint64_t features);

uint64_t cpu_hwcap(void);  /* AT_HWCAP: CPUID leaf 1, edx */
uint64_t cpu_hwcap2(void); /* AT_HWCAP2: bit 1, user programs may use FSGSBASE instructions */
/* AT_MINSIGSTKSZ: bytes that a signal frame takes, at most. */
uint64_t cpu_signal_frame_bytes(void);

/* Random bytes: of RDRAND if there is one, else mixed from the time stamp counter. */
void cpu_random(void *to, size_t bytes);
