/*
 * What a page of a space is at the moment that it is needed.
 */
#pragma once

#include "servers/mem/space.h"

enum fault_outcome {
    FAULT_MAP,      /* the page is there: phys, pages and rights say how to map it */
    FAULT_NEED,     /* file, index and pages are missing */
    FAULT_SIGNAL,   /* the access deserves signal and code */
    FAULT_NO_MEMORY,
};

struct fault {
    /* in */
    uint64_t address;
    bool     write, exec;
    /* out */
    phys_t   phys;
    uint64_t va;
    uint64_t pages;  /* that can be mapped at once: frames and addresses follow each other */
    unsigned rights; /* enum mem_right */
    struct object *object; /* FAULT_NEED: the file */
    uint64_t index;
    int      signal, code;
};

/* Finds or makes the page for an access. May grow a stack, copy a page. */
enum fault_outcome fault_resolve(struct space *space, struct fault *fault);

/* Maps known pages of the VMA's object around va, which was just mapped. */
void fault_around(struct space *space, uint64_t va);

/* A private page of the space that may be written, at a page-aligned address of an
 * anonymous VMA. 0 when memory is out. */
phys_t fault_private_page(struct space *space, uint64_t va);
