/*
 * The page tables of the programs, as far as mem changes them. pager.c does it by
 * hypercalls; unit tests on the host put a model in its place.
 */
#pragma once

#include <abi/types.h>

/* Maps frames that follow each other at va. rights: enum mem_right. What was mapped
 * there is replaced. Returns 0, or -ENOMEM when the kernel has no memory for page
 * tables even after it was given more; -EFAULT when the frame or the PD is not there. */
int pager_map(cap_sel_t pd, phys_t phys, uint64_t va, uint64_t pages, unsigned rights)
    __attribute__((warn_unused_result));
/* Copies what is mapped at from to to. That it fails only costs faults later. */
void pager_copy(cap_sel_t pd, uint64_t from, uint64_t to, uint64_t pages, unsigned rights);
/* Leaves at most rights to the pages of the range; 0 unmaps them. */
void pager_protect(cap_sel_t pd, uint64_t va, uint64_t pages, unsigned rights);
/* Gives back the capability of a PD of which nothing more is wanted; may be SEL_NONE. */
void pager_release(cap_sel_t pd);
