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
#include "servers/mem/pager.h"
#include "servers/mem/vma.h"

#include <abi/types.h>
#include <uthash.h>

struct exec;
struct server;

/* Pages of VMAs, by what they count as (getrlimit(2), proc(5)). */
struct page_counts {
    uint64_t total;
    uint64_t data;  /* private and writable: RLIMIT_DATA */
    uint64_t stack; /* growing down */
    uint64_t exec;  /* neither of them, and executable */
};

/* Bytes; RLIM_INFINITY: none. */
struct space_limits {
    uint64_t as, data, stack;
};

/* Addresses of the program's parts, for /proc. */
struct program_marks {
    uint64_t code_start, code_end, data_start, data_end;
    uint64_t stack_start; /* stack pointer at its start */
    uint64_t arguments_start, arguments_end, environment_start, environment_end;
};

struct space {
    uint32_t        id;
    uint32_t        users;       /* processes; the last one's end destroys it */
    uint32_t        threads;     /* bound slots */
    struct pager    pager;       /* page tables */
    struct vma_tree vmas;
    struct pagemap  pages;       /* page number to frame of ours */
    struct page_counts counts;   /* of all VMAs */
    uint64_t        peak_total, peak_own; /* greatest counts.total and pages.count so far */
    uint64_t        faults;      /* that were resolved */
    struct space_limits limits;
    struct program_marks marks;
    uint64_t        brk_start, brk; /* heap; brk_start 0: no program yet */
    uint64_t        mmap_base;   /* mmap gives out addresses below, downwards */
    bool            lock_future; /* mlockall: what is mapped from now on is there at once */
    struct object  *released;    /* files that no VMA refers to any more, for vfs */
    struct exec    *exec;        /* between exec_image and exec_commit */
    UT_hash_handle  hh;
};

/* ---- all spaces (space.c) ----------------------------------------------------------------- */

/* id: not 0, not in use (-EEXIST). Takes over pd on success. -EINVAL, -ENOMEM. */
int space_create(uint32_t id, cap_sel_t pd, struct space **created)
    __attribute__((warn_unused_result));
/* The same, as a copy of another space at this moment: private pages are shared until
 * somebody writes, shared ones for ever. -EBUSY: a program is being built in it. */
int space_clone(struct space *parent, uint32_t id, cap_sel_t pd)
    __attribute__((warn_unused_result));
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

/* ---- limits and counters (limits.c) ------------------------------------------------------- */

/* Total RAM: a single mapping that needs more is refused. */
void space_set_ram(uint64_t pages);
bool space_exceeds_ram(uint64_t pages);
/* Whether so many more pages of a VMA like this would be too much for the limits: -ENOMEM
 * or 0. */
int  space_may_grow(const struct space *space, uint64_t pages, unsigned prot, unsigned flags)
    __attribute__((warn_unused_result));
/* The same for [start, end), of which some may be mapped now and is replaced. */
int  space_may_map(const struct space *space, uint64_t start, uint64_t end, unsigned prot,
                   unsigned flags) __attribute__((warn_unused_result));
/* Whether mapped pages of a VMA may get another protection: -ENOMEM or 0. */
int  space_may_protect(const struct space *space, const struct vma *vma, uint64_t pages,
                       unsigned prot) __attribute__((warn_unused_result));
/* Pages of such a VMA were added or (less than 0) are gone. */
void space_count_pages(struct space *space, int64_t pages, unsigned prot, unsigned flags);

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

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
