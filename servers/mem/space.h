/*
 * An address space: VMAs, the private pages in them, the heap, limits.
 *
 * A page that a space wrote to (or, if anonymous, touched) is in `pages`, by page
 * number, whatever the VMA around it becomes: splitting and merging VMAs never moves
 * a page. All other pages come from the VMA's object. What is mapped at a moment may
 * be less than this says, never more.
 */
#pragma once

#include "servers/mem/object.h"
#include "servers/mem/pagemap.h"
#include "servers/mem/vma.h"

#include <abi/types.h>
#include <uthash.h>

struct exec;
struct server;

struct space {
    uint32_t        id;
    cap_sel_t       pd;          /* whose page tables; ours to give back */
    struct vma_tree vmas;
    struct pagemap  pages;       /* page number to frame of ours */
    uint64_t        total_pages; /* of all VMAs */
    uint64_t        brk_start, brk; /* heap; brk_start 0: no program yet */
    uint64_t        mmap_base;   /* mmap gives out addresses below, downwards */
    uint64_t        stack_limit; /* bytes */
    uint64_t        as_limit;    /* bytes */
    struct object  *released;    /* files that no VMA refers to any more, for vfs */
    struct exec    *exec;        /* between exec_image and exec_commit */
    UT_hash_handle  hh;
};

/* ---- all spaces (space.c) ----------------------------------------------------------------- */

/* id: not 0, not in use (-EEXIST). Takes over pd. -EINVAL, -ENOMEM. */
int space_create(uint32_t id, cap_sel_t pd);
struct space *space_lookup(uint32_t id);
/* Unmaps and frees everything but the list of released files. */
void space_clear(struct space *space);
/* Frees a clear space without released files, and gives back its PD capability. */
void space_free(struct space *space);
uint64_t space_count(void);
/* Takes up to max file references off the released list; returns how many. */
size_t space_take_released(struct space *space, uint64_t *files, size_t max);

/* Where mmap's area ends for a stack that may grow to stack_limit bytes. */
uint64_t space_mmap_base(uint64_t stack_limit);

/* Total RAM: a single mapping that needs more is refused. */
void     space_set_ram(uint64_t pages);
/* Whether so many more pages would be too much for the limits: -ENOMEM or 0.
 * commit: they are private and writable and not MAP_NORESERVE. */
int      space_may_grow(const struct space *space, uint64_t pages, bool commit)
    __attribute__((warn_unused_result));

/* ---- ranges of a space (mapping.c); addresses page-aligned, in user space ----------------- */

/* Puts a VMA as *what says (start to zero_from) in place of whatever is there and takes a
 * reference of its object. -ENOMEM, and nothing has changed then. */
int space_map(struct space *space, const struct vma *what) __attribute__((warn_unused_result));
/* Unmaps and frees the range; holes in it don't matter. -ENOMEM if a VMA must be split
 * and can't be; nothing has changed then. */
int space_unmap(struct space *space, uint64_t start, uint64_t end)
    __attribute__((warn_unused_result));
/* Cuts VMAs at start and end. -ENOMEM. */
int space_isolate(struct space *space, uint64_t start, uint64_t end)
    __attribute__((warn_unused_result));
/* Makes one VMA of neighbours that are alike, from the one that ends at start to the one
 * that begins at end. */
void space_merge(struct space *space, uint64_t start, uint64_t end);
/* Frees private pages of the range and unmaps it; the VMAs stay. */
void space_drop_pages(struct space *space, uint64_t start, uint64_t end);
/* Whether VMAs cover the whole range. */
bool space_is_mapped(const struct space *space, uint64_t start, uint64_t end);

/* A free range: at hint if possible (0: none), else as high as possible below mmap_base, or
 * with low32 as low as possible in the second GiB. NO_GAP if there is none. */
uint64_t space_find_gap(const struct space *space, uint64_t hint, uint64_t bytes, bool low32);

/* Rights of page tables for a protection. */
unsigned prot_to_rights(unsigned prot);
/* Whether pages of such a VMA count against RAM. */
bool vma_commits(unsigned prot, unsigned flags);

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
