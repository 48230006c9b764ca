/*
 * A memory object: pages that VMAs map, of any number of spaces. File objects hold the
 * frames that vfs supplied (vfs owns them), anonymous ones hold frames of mem: shared
 * memory, the vDSO. An object lives as long as a VMA refers to it.
 *
 * There is one object for each file reference of vfs, so clones of a space need no more
 * references, and find the frames that were supplied before.
 */
#pragma once

#include "servers/mem/pagemap.h"

#include <abi/types.h>

enum object_kind {
    OBJECT_FILE,
    OBJECT_ANON,
};

struct object {
    enum object_kind kind;
    uint32_t         refs;       /* VMAs, and who created it until object_put */
    uint64_t         file;       /* reference of vfs */
    uint32_t         file_refs;  /* how many times vfs gave it to us */
    uint64_t         file_bytes; /* when it was last mapped */
    uint64_t         end_index;  /* vfs said that from this page on there is nothing */
    struct pagemap   frames;     /* page index to physical address */
    struct object   *next;       /* while it lives: files of the same hash; then: released ones */
};

/* The object of a file, made if there is none; takes over a reference of vfs. One reference
 * is the caller's. NULL when memory is out. */
struct object *object_open_file(uint64_t file, uint64_t file_bytes);
/* The object of a file that is mapped somewhere, or NULL. */
struct object *object_find_file(uint64_t file);
/* One reference is the caller's. NULL when memory is out. */
struct object *object_create_anon(void);
void object_get(struct object *object);
/* Gives up a reference; object may be NULL. With the last one, frames are freed and a
 * file goes to the head of the list *released (so that no memory is needed). */
void object_put(struct object *object, struct object **released);
/* Takes object_open_file back: the caller keeps the reference of vfs. */
void object_cancel(struct object *object);

/* The frame of a page, or 0 if it is not known. Anonymous pages come into being;
 * 0 means then that memory is out. */
phys_t object_frame(struct object *object, uint64_t index);
