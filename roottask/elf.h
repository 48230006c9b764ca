/*
 * Reads and checks the static ELF64 images of native programs. Pure: it sees only
 * the bytes that it is given.
 *
 * Specification: System V ABI (gABI) chapters 4 and 5, elf(5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ELF_MAX_SEGMENTS 8u

struct elf_segment {
    uint64_t address;
    uint64_t offset; /* in the file */
    uint64_t file_bytes;
    uint64_t memory_bytes; /* at least file_bytes; the rest is zero */
    unsigned rights;       /* enum mem_right */
};

struct elf_image {
    uint64_t entry;
    unsigned segment_count;
    struct elf_segment segments[ELF_MAX_SEGMENTS]; /* in ascending order, no page in two */
};

/* Fills image. All segments lie in [low, high) in user space. Returns NULL, or in
 * words why the program can't be started. */
const char *elf_read(struct elf_image *image, const void *file, uint64_t file_bytes, uint64_t low,
                     uint64_t high);
