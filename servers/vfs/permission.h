/*
 * Who may do what: path_resolution(7), inode(7), credentials(7).
 */
#pragma once

#include <servers/vfs/inode.h>
#include <servers/vfs/process.h>

enum { MAY_EXECUTE = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* Whether who may access the inode in all ways of mask. Returns 0 or -EACCES. */
int permission_check(const struct inode *inode, const struct credentials *who, unsigned mask);
/* Owner of the file, or privileged. */
bool permission_is_owner(const struct inode *inode, const struct credentials *who);
bool permission_in_group(const struct credentials *who, uint32_t gid);
bool permission_is_privileged(const struct credentials *who);
/* Whether an entry may be taken out of dir: write and search permission, the sticky bit.
 * Returns 0, -EACCES or -EPERM. */
int permission_remove(const struct inode *dir, const struct inode *inode,
                      const struct credentials *who);
/* Whether an entry may be added to dir. Returns 0, -EACCES, or -ENOENT for a removed one. */
int permission_add(const struct inode *dir, const struct credentials *who);
/* A file that somebody without privileges changed no longer gives its owner's: inode(7). */
void permission_drop_set_id(struct inode *inode, const struct credentials *who);
