/*
 * Page tables for tests, in place of servers/mem/pager.c.
 */
#pragma once

#include <abi/types.h>

void     model_reset(void);
/* Frame of a page, or 0; its rights (enum mem_right). */
phys_t   model_lookup(cap_sel_t pd, uint64_t va, unsigned *rights);
uint64_t model_mapped_pages(void);
/* As the kernel maps what a reply says. */
void     model_map(cap_sel_t pd, phys_t phys, uint64_t va, uint64_t pages, unsigned rights);
/* Calls of pager_map, of pager_clone. */
uint64_t model_map_calls(void);
uint64_t model_clone_calls(void);
