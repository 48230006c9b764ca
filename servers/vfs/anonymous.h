/*
 * Files without a name, as eventfd(2) and its relatives make them.
 */
#pragma once

#include <servers/vfs/file.h>

/* A new file for reading and writing. flags: O_NONBLOCK or 0, other bits are ignored. data
 * belongs to the file from then on. NULL: memory is out, data stays the caller's. */
struct file *anonymous_create(struct call *call, const struct file_ops *ops, uint64_t flags,
                              void *data);

/* Gives the file to the calling process. flags: O_CLOEXEC or 0, other bits are ignored. Takes
 * the reference in any case. Returns the descriptor, -EMFILE or -ENOMEM. */
int64_t call_install(struct call *call, struct file *file, uint64_t flags);
