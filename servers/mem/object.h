/*
 * A memory object: pages that VMAs map. File objects hold the frames that vfs
 * supplied (vfs owns them), anonymous ones hold frames of mem: shared memory,
 * the vDSO. An object lives as long as a VMA refers to it.
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
    uint64_t         file_bytes; /* when it was mapped */
    uint64_t         end_index;  /* vfs said that from this page on there is nothing */
    struct pagemap   frames;     /* page index to physical address */
    struct object   *next;       /* in a list of released files */
};

/* One reference is the caller's. NULL when memory is out. */
struct object *object_create_file(uint64_t file, uint64_t file_bytes);
struct object *object_create_anon(void);
void object_get(struct object *object);
/* Gives up a reference; object may be NULL. With the last one, frames are freed and a
 * file goes to the head of the list *released (so that no memory is needed). */
void object_put(struct object *object, struct object **released);
/* Frees a file object that never came to life: the caller keeps the file. */
void object_cancel(struct object *object);

/* The frame of a page, or 0 if it is not known. Anonymous pages come into being;
 * 0 means then that memory is out. */
phys_t object_frame(struct object *object, uint64_t index);
