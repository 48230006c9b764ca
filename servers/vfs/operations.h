/*
 * What the server's own operations (proto/vfs.def) work on.
 */
#pragma once

#include <abi/types.h>

struct inode;

/* What new processes see. */
void operations_init(struct inode *root);
/* The semaphore that console input signals, or SEL_NONE. */
void operations_use_input(cap_sel_t semaphore);
