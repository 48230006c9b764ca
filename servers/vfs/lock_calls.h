/*
 * The lock commands of fcntl(2); flock(2) is in the same file.
 */
#pragma once

#include <servers/vfs/file.h>

/* F_GETLK, F_OFD_GETLK; argument 2 points to a struct flock. */
int64_t lock_query(struct call *call, struct file *file);
/* F_SETLK, F_SETLKW and the F_OFD_ variants. */
int64_t lock_change(struct call *call, struct file *file);
