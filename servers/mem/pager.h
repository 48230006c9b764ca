/*
 * The page tables of the programs, as far as mem changes them. pager.c does it by
 * hypercalls; unit tests on the host put a model in its place.
 */
#pragma once

#include <abi/types.h>

/* The page tables of one protection domain. */
struct pager {
    cap_sel_t pd;   /* ours to give back; SEL_NONE: none */
    bool      full; /* the kernel had no memory for them even after it was given more, which
                       then is for lack of quota: no use giving again */
};

/* Maps frames that follow each other at va. rights: enum mem_right. What was mapped
 * there is replaced. Returns 0, or -ENOMEM when the kernel has no memory for page
 * tables even after it was given more; -EFAULT when the frame or the PD is not there. */
int pager_map(struct pager *pager, phys_t phys, uint64_t va, uint64_t pages, unsigned rights)
    __attribute__((warn_unused_result));
/* Copies what is mapped at from to to. That it fails only costs faults later. */
void pager_copy(struct pager *pager, uint64_t from, uint64_t to, uint64_t pages, unsigned rights);
/* Copies what is mapped in the range to another PD, with at most these rights. cow: no page
 * of the range can be written any more, here or there. 0, -ENOMEM, -EFAULT; a part may
 * have been done then. */
int pager_clone(struct pager *from, struct pager *to, uint64_t va, uint64_t pages,
                unsigned rights, bool cow) __attribute__((warn_unused_result));
/* Leaves at most rights to the pages of the range; 0 unmaps them. */
void pager_protect(struct pager *pager, uint64_t va, uint64_t pages, unsigned rights);
/* Gives back the capability of a PD of which nothing more is wanted. */
void pager_release(struct pager *pager);
