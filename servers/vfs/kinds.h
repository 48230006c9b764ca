/*
 * The kinds of files, by their inodes.
 */
#pragma once

#include <servers/vfs/file.h>

extern const struct file_ops regular_ops;   /* regular.c */
extern const struct file_ops directory_ops; /* readdir.c */
extern const struct file_ops path_ops;      /* kinds.c: O_PATH, symbolic links */
extern const struct file_ops null_ops, zero_ops, full_ops, random_ops; /* devices.c */
extern const struct file_ops terminal_ops;  /* terminal_file.c */
extern const struct file_ops console_ops;   /* console.c */

/* What opening the inode gives. NULL: nothing answers for it (a device without a driver, a
 * socket): -ENXIO. */
const struct file_ops *kind_of(const struct inode *inode);

/* The character device's operations, or NULL. */
const struct file_ops *device_find(uint32_t rdev);
/* Makes /dev and the device nodes that are missing. Returns 0 or -ENOMEM. */
int devices_populate(struct inode *root) __attribute__((warn_unused_result));
