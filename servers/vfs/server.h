/*
 * The file server as a whole, independent of what carries its messages.
 */
#pragma once

#include <lib/server/server.h>

extern struct server vfs_server;

/* Makes the root file system from the boot archive (NULL: an empty one). Panics when there is
 * not even memory for that. */
void vfs_init(const void *archive, size_t archive_bytes, int64_t realtime_offset_ns);
/* Connects descriptors 0, 1 and 2 to come with the driver; input: signalled when input has
 * arrived, or SEL_NONE. */
void vfs_use_console(const struct server_ref *driver, cap_sel_t input);
