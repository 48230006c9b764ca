/*
 * Where things are in the address space of a Linux program, and the limits that
 * mem applies: the one place for such numbers.
 */
#pragma once

#include <abi/types.h>

/* Lowest address that a program may map (vm.mmap_min_addr of Linux). */
#define USER_LOW 0x10000ull

/* The router places the UTCBs of Linux threads here; nothing else ever goes there. */
#define UTCB_AREA_START 0x00007fffff000000ull
#define UTCB_AREA_BYTES 0x400000ull
#define UTCB_AREA_END   (UTCB_AREA_START + UTCB_AREA_BYTES)

/* Between the stack and the UTCBs: a guard of eight pages, vvar page, vDSO. */
#define VVAR_START (UTCB_AREA_START - 0x8000)
#define VDSO_START (VVAR_START + PAGE_BYTES)
#define VDSO_MAX_PAGES 6
#define STACK_TOP  (UTCB_AREA_START - 0x10000)

#define STACK_LIMIT_DEFAULT (8ull << 20)  /* RLIMIT_STACK */
#define STACK_INITIAL_BYTES (132ull << 10) /* of the stack's VMA when a program starts */
/* A VMA that grows downwards keeps this distance from what is below it. */
#define STACK_GUARD_PAGES 256ull

/* Space between mmap's area and the stack's top, as Linux has it. */
#define MMAP_GAP_MIN (128ull << 20)
#define MMAP_GAP_MAX (USER_END / 6 * 5)

/* Where position-independent programs are loaded (Linux: two thirds of user space). */
#define PIE_BASE 0x0000555555554000ull

/* MAP_32BIT: the second GiB. */
#define LOW32_START 0x40000000ull
#define LOW32_END   0x80000000ull

/* vm.max_map_count of Linux. */
#define VMA_COUNT_MAX 65530u

/* Strings and pointers of execve: ARG_MAX's lower and upper bound, and the longest string. */
#define EXEC_ARGS_MIN   (128ull << 10)
#define EXEC_ARGS_MAX   (6ull << 20)
#define EXEC_STRING_MAX (128ull << 10)

/* File pages that a fault asks for at once, and pages that one fault_in maps. */
#define FAULT_AROUND_PAGES 16u
#define FAULT_IN_PAGES     64u
/* Pages that a call which has to bring in all of a range does without a pause. */
#define TOUCH_PAGES        512u
/* MAP_POPULATE is a hint: so much of it is done at once. */
#define POPULATE_PAGES     4096u

/* Addresses are not randomised yet; this is the switch. */
#define LAYOUT_RANDOMISE 0

static inline uint64_t page_down(uint64_t address) { return address & ~(PAGE_BYTES - 1); }
/* 0 if the sum wraps round. */
static inline uint64_t page_up(uint64_t address) { return page_down(address + PAGE_BYTES - 1); }
static inline uint64_t page_offset(uint64_t address) { return address & (PAGE_BYTES - 1); }
static inline uint64_t page_number(uint64_t address) { return address >> PAGE_SHIFT; }

/* Whether [start, end) touches the area of the UTCBs. */
static inline bool layout_is_reserved(uint64_t start, uint64_t end)
{
    return start < UTCB_AREA_END && end > UTCB_AREA_START;
}

/* Whether [start, start + bytes) lies in user space; bytes may be 0. */
static inline bool layout_is_user(uint64_t start, uint64_t bytes)
{
    return bytes <= USER_END && start <= USER_END - bytes;
}
