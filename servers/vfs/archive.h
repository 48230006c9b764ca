/*
 * The boot archive becomes the content of the root file system. File data stays where it is:
 * files borrow it until they are written.
 */
#pragma once

#include <servers/vfs/inode.h>

/* Unpacks a tar archive below root. The archive must stay where it is, readable to the end
 * of its last page. What can't be unpacked is left out with a line in the log. Returns the
 * number of entries that were unpacked. */
uint64_t archive_unpack(struct inode *root, const void *archive, size_t bytes);
