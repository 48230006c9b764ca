/*
 * New nodes in directories, as mkdir(2), mknod(2), open(2) and symlink(2) make them.
 */
#pragma once

#include <servers/vfs/path.h>

/* Whether a node can be made where the walk (WALK_PARENT) ended. Returns 0, -EEXIST, -ENOENT
 * (a slash after the name of what is no directory), -EACCES. */
int node_check_new(const struct process *process, const struct walk *walk, bool is_directory);

/* A nameless inode as process makes it in dir: owner, set-group-id directories, umask.
 * mode: type and permissions. NULL: memory is out. */
struct inode *node_create(const struct process *process, const struct inode *dir, uint32_t mode);
