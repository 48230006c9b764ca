/*
 * Scalar types of the kernel interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Index of a capability in the capability space of a protection domain. */
typedef uint32_t cap_sel_t;
/* Physical address. */
typedef uint64_t phys_t;
/* Virtual address in user space. */
typedef uint64_t vaddr_t;

#define PAGE_SHIFT  12
#define PAGE_BYTES  4096ul
#define MAX_CPUS    16

/* Capability selectors run from 0 to MAX_CAPS - 1. */
#define MAX_CAPS    65536u
/* Names the caller's own protection domain where a PD selector is expected. */
#define SEL_SELF    0xffffffffu
/* Never a valid selector; "no capability". */
#define SEL_NONE    0xfffffffeu

/* First address above user space (the last canonical page is never mapped). */
#define USER_END    0x00007ffffffff000ull
