/*
 * Reader for tar archives (POSIX ustar, with GNU long names and base-256 sizes).
 * Pure: it sees only the memory that it is given, and checks every field.
 *
 * Specification: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, 15.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TAR_BLOCK_BYTES 512u
#define TAR_NAME_BYTES  1024u

enum tar_status {
    TAR_OK = 0,
    TAR_END,       /* no further entry */
    TAR_TRUNCATED, /* the archive ends before its end marker */
    TAR_BAD_CHECKSUM,
    TAR_BAD_FORMAT, /* a header that is not ustar, or an invalid number in it */
    TAR_BAD_SIZE,   /* the entry's content reaches beyond the end of the archive */
    TAR_BAD_NAME,   /* empty or longer than TAR_NAME_BYTES - 1 */
    TAR_NO_FILE,    /* tar_find: no such regular file */
};

struct tar {
    const uint8_t *base;
    uint64_t bytes;
    uint64_t at; /* offset of the next header; of the bad one after an error */
};

struct tar_entry {
    char name[TAR_NAME_BYTES]; /* without leading "./" and "/" */
    char type;                 /* '0' regular file, '5' directory, ... */
    uint64_t offset;           /* of the content in the archive */
    uint64_t bytes;
};

void tar_open(struct tar *tar, const void *base, uint64_t bytes);

/* Reads the next entry; extended headers are skipped, long names applied. */
enum tar_status tar_next(struct tar *tar, struct tar_entry *entry);

/* Finds a regular file, reading from the beginning. If the name occurs more than
 * once the last one counts, as when unpacking. */
enum tar_status tar_find(struct tar *tar, const char *name, struct tar_entry *entry);

/* In words, for people. */
const char *tar_status_text(enum tar_status status);
