/*
 * Readiness of open files, for poll(2) and select(2).
 */
#pragma once

#include <servers/vfs/file.h>

/* For a call with a signal mask (a sigset_t of that many bytes at that address, 0: none) that
 * counts while it waits. Returns 0: go on; 1: return 0 at once; -EINVAL. */
int call_swap_mask(struct call *call, uint64_t address, uint64_t bytes);

/* The POLL* events that are true now. */
unsigned file_readiness(struct file *file);
/* The queues that are woken when one of the wanted POLL* events may have come; NULL: none. */
void file_queues(struct file *file, unsigned wanted, struct wait_queue *queues[2]);
/* The file's deadline function answers something else now. */
void file_deadline_changed(struct file *file);
/* Waits until that happens, or for the call's deadline. Returns 0 or -ENOMEM. */
int64_t file_wait_readiness(struct call *call, struct file *file, unsigned wanted);
