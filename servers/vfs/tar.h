/*
 * Reading tar archives in memory: POSIX ustar and pax, GNU long names.
 */
#pragma once

#include <linux/limits.h>
#include <stddef.h>
#include <stdint.h>

enum tar_type {
    TAR_FILE      = '0',
    TAR_HARD_LINK = '1',
    TAR_SYMLINK   = '2',
    TAR_CHARACTER = '3',
    TAR_BLOCK     = '4',
    TAR_DIRECTORY = '5',
    TAR_FIFO      = '6',
};

struct tar_entry {
    char           type;             /* enum tar_type, or something unknown */
    char           path[PATH_MAX];   /* as it stands in the archive */
    char           target[PATH_MAX]; /* of links */
    uint32_t       mode, uid, gid;   /* mode: permissions only */
    int64_t        mtime;            /* seconds */
    uint32_t       major, minor;
    const uint8_t *data;             /* in the archive */
    uint64_t       bytes;
};

struct tar_reader {
    const uint8_t *base;
    size_t         bytes; /* of the archive */
    size_t         at;
};

enum tar_result {
    TAR_ENTRY,   /* *entry is filled */
    TAR_END,
    TAR_CORRUPT, /* something was skipped; *what says why; go on */
};

enum tar_result tar_next(struct tar_reader *reader, struct tar_entry *entry, const char **what);
