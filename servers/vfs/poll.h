/*
 * Readiness of open files, for poll(2) and select(2).
 */
#pragma once

#include <servers/vfs/file.h>

/* The POLL* events that are true now. */
unsigned file_readiness(struct file *file);
/* Waits until that may have changed, or the call's deadline. Returns 0 or -ENOMEM. */
int64_t file_wait_readiness(struct call *call, struct file *file);
