/*
 * The page store of a regular file: own frames over content that is borrowed, read-only, from
 * the boot archive. Pages that have neither are holes and read as zeros.
 *
 * Invariants: in an own page, bytes beyond the end of the file are zero; borrowed content
 * never reaches beyond the end of the file.
 */
#pragma once

#include <abi/types.h>
#include <servers/vfs/radix.h>

struct page_store {
    struct radix   own;            /* page index -> physical address of our frame */
    uint64_t       own_count;
    uint64_t       own_over_lower; /* of them, that hide a borrowed page */
    const uint8_t *lower;          /* borrowed content, at any alignment */
    uint64_t       lower_bytes;
    /* While frames of the file are mapped somewhere, those that truncation takes out wait
     * here, because they stay valid until the mapping is given up. */
    unsigned       pins;
    phys_t        *kept;
    size_t         kept_count, kept_room;
};

/* Content from offset on that lies in one piece in our memory: at, and how many bytes (at
 * least 1, at most max > 0). The end of the file is the caller's business. */
size_t pages_read_run(const struct page_store *store, uint64_t offset, size_t max,
                      const void **at);

/* The same for writing: makes the pages our own, with their former content. Returns 0 when
 * memory is out. Pages that are new may be left beyond the end of the file: call pages_trim. */
size_t pages_write_run(struct page_store *store, uint64_t offset, size_t max, void **at);

/* Drops all content beyond this many bytes. Returns 0, or -ENOMEM (nothing changed; only when
 * frames are pinned). */
int pages_trim(struct page_store *store, uint64_t bytes) __attribute__((warn_unused_result));

/* Takes out pages wholly beyond bytes that were just made by pages_write_run. */
void pages_trim_new(struct page_store *store, uint64_t bytes);

/* The frame with page index, for a mapping: zeros beyond the end of the file. own: it must be
 * ours even if it could be borrowed. Returns 0 when memory is out. */
phys_t pages_frame(struct page_store *store, uint64_t index, bool own);

/* Keep frames that are handed out valid: pin before pages_frame, unpin when the mapping ends. */
void pages_pin(struct page_store *store);
void pages_unpin(struct page_store *store);

/* Pages with content, for st_blocks. */
uint64_t pages_present(const struct page_store *store);
/* The next offset >= from with data, or in a hole; as in lseek(2) with SEEK_DATA and
 * SEEK_HOLE, but without regard to the end of the file. */
uint64_t pages_next_data(const struct page_store *store, uint64_t from);
uint64_t pages_next_hole(const struct page_store *store, uint64_t from);

/* Frees everything. Nothing may be pinned. */
void pages_free(struct page_store *store);
