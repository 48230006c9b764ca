#include <servers/vfs/server.h>

#include "gen/linux_calls_vfs.h"
#include "gen/vfs_server.h"

#include <lib/native/native.h>
#include <servers/vfs/archive.h>
#include <servers/vfs/console.h>
#include <servers/vfs/file.h>
#include <servers/vfs/kinds.h>
#include <servers/vfs/operations.h>
#include <servers/vfs/process.h>
#include <servers/vfs/realtime.h>

/* For leak tests: what exists. */
static uint64_t object_count(void) { return inode_count() + file_count(); }

struct server vfs_server = {
    .name = "vfs",
    .linux_calls = linux_calls_vfs,
    .linux_call_count = sizeof linux_calls_vfs / sizeof linux_calls_vfs[0],
    .dispatch = vfs_dispatch,
    .on_bind = process_on_bind,
    .space_of = process_space_of,
    .object_count = object_count,
};

void vfs_init(const void *archive, size_t archive_bytes, int64_t realtime_offset_ns)
{
    struct inode *root;

    realtime_set_offset(realtime_offset_ns);
    root = inode_create(S_IFDIR | 0755, 0, 0);
    must(root);
    root->nlink = 2;
    if (archive)
        archive_unpack(root, archive, archive_bytes);
    must(devices_populate(root) == 0);
    operations_init(root);
}

void vfs_use_console(const struct server_ref *driver, cap_sel_t input)
{
    console_init(driver);
    operations_use_input(input);
}
