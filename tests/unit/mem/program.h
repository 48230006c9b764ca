/*
 * A Linux program for tests: a space of mem, a thread's slot, and the eyes of the
 * processor: accesses go through the model of page tables, faults to mem as the kernel
 * and the router send them, missing file pages are supplied from files of the test.
 */
#pragma once

#include <lib/server/server.h>

#include <stddef.h>
#include <stdint.h>

#define SPACE_ID   7u
#define RAM_PAGES  8192u /* what mem takes for the machine's memory */

extern struct server mem_server;
extern struct server_ref mem;      /* for operations */
extern cap_sel_t program_pd;

/* mem with one space, id SPACE_ID, and a thread in it; both for cmocka. The end checks
 * that nothing is left. */
int program_setup(void **state);
int program_teardown(void **state);
/* Ends the space; returns how many file references came back. */
size_t program_end(void);

/* More spaces: SPACE_ID + 1 to SPACE_ID + SPACES - 1, each with a thread. What follows is
 * about the one to which program_switch switched; that is SPACE_ID first. */
#define SPACES 8u
/* Clones the current one. The result of mem. */
int64_t program_fork(uint32_t space);
/* Ends a space and its thread; SPACE_ID is the current one then. Returns as program_end. */
size_t program_exit(uint32_t space);
void   program_switch(uint32_t space);

/* A Linux call, with faults handled. */
int64_t program_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                     uint64_t f);

#define call_mmap(address, bytes, prot, flags)                                                    \
    program_call(__NR_mmap, (address), (bytes), (prot), (flags), -1ull, 0)
#define call_munmap(address, bytes) program_call(__NR_munmap, (address), (bytes), 0, 0, 0, 0)
#define call_mprotect(address, bytes, prot)                                                       \
    program_call(__NR_mprotect, (address), (bytes), (prot), 0, 0, 0)
#define call_brk(address) program_call(__NR_brk, (address), 0, 0, 0, 0, 0)
#define call_mremap(address, old_bytes, new_bytes, flags, target)                                 \
    program_call(__NR_mremap, (address), (old_bytes), (new_bytes), (flags), (target), 0)
#define call_madvise(address, bytes, advice)                                                      \
    program_call(__NR_madvise, (address), (bytes), (advice), 0, 0, 0)
#define call_msync(address, bytes, flags)                                                         \
    program_call(__NR_msync, (address), (bytes), (flags), 0, 0, 0)
#define call_mincore(address, bytes, vector)                                                      \
    program_call(__NR_mincore, (address), (bytes), (vector), 0, 0, 0)

enum access_kind {
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_EXEC,
};

/* 0, a signal with its code in bits 8 and up, or -ENOMEM. */
#define SIGNALLED(signal, code) ((signal) | (code) << 8)
int program_access(uint64_t address, enum access_kind kind);
/* The same for bytes in memory. */
int program_read(uint64_t address, void *to, size_t bytes);
int program_write(uint64_t address, const void *from, size_t bytes);
int program_put(uint64_t address, uint64_t value);
/* Fails the test if it can't be read. */
uint64_t program_get(uint64_t address);

/* How often mem answered a fault at once, and how often the router was needed. */
extern unsigned program_direct_faults, program_routed_faults;

/* ---- files -------------------------------------------------------------------------------- */

struct test_file {
    uint64_t id, bytes;
    phys_t   frames[64];
    unsigned frame_count;
    unsigned supplied; /* pages that mem asked for */
};

/* A file of so many bytes; data NULL: byte n is n * 7 + n / 256. Freed by the teardown. */
struct test_file *file_create(const void *data, size_t bytes);
uint8_t file_byte(size_t offset);
int64_t file_mmap(const struct test_file *file, uint64_t address, uint64_t bytes, uint32_t prot,
                  uint32_t max_prot, uint32_t flags, uint64_t offset);
/* File references that mem has given up since the last look. */
size_t files_released(void);
