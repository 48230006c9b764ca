/*
 * Names of files: link(2), unlink(2), rmdir(2), readlink(2).
 */
#include <servers/vfs/path.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/node.h>
#include <servers/vfs/permission.h>

static int64_t make_link(struct call *call, uint64_t from_fd, uint64_t from, uint64_t to_fd,
                         uint64_t to, uint64_t flags)
{
    struct process *process = call_process(call);
    unsigned        from_flags = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
    struct walk     old, new;
    int             error;

    if (flags & ~(uint64_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH)
        from_flags |= WALK_EMPTY;
    error = path_walk_user(call, from_fd, from, from_flags, &old);
    if (error)
        return error;
    if (old.empty && !permission_is_privileged(&process->credentials))
        return -ENOENT;
    error = path_walk_second(call, to_fd, to, WALK_PARENT, &new);
    if (error)
        return error;
    error = node_check_new(process, &new, false);
    if (error)
        return error;
    if (S_ISDIR(old.inode->mode))
        return -EPERM;
    if (old.inode->nlink == 0 && !old.inode->linkable)
        return -ENOENT;
    return directory_add(new.parent, new.name, new.name_bytes, old.inode);
}

int64_t sys_link(struct call *call)
{
    return make_link(call, (uint64_t)AT_FDCWD, call->arg[0], (uint64_t)AT_FDCWD, call->arg[1], 0);
}

int64_t sys_linkat(struct call *call)
{
    return make_link(call, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);
}

static int64_t unlink_at(struct call *call, uint64_t dirfd, uint64_t path)
{
    struct walk walk;
    int         error = path_walk_user(call, dirfd, path, WALK_PARENT, &walk);

    if (error)
        return error;
    if (walk.last != LAST_NAME)
        return -EISDIR;
    if (!walk.inode)
        return -ENOENT;
    if (walk.slash)
        return S_ISDIR(walk.inode->mode) ? -EISDIR : -ENOTDIR;
    error = permission_remove(walk.parent, walk.inode, &call_process(call)->credentials);
    if (error)
        return error;
    if (S_ISDIR(walk.inode->mode))
        return -EISDIR;
    directory_remove(walk.entry);
    return 0;
}

static int64_t rmdir_at(struct call *call, uint64_t dirfd, uint64_t path)
{
    static const int by_last[] = { [LAST_DOT] = -EINVAL, [LAST_DOT_DOT] = -ENOTEMPTY,
                                   [LAST_ROOT] = -EBUSY };
    struct walk walk;
    int         error = path_walk_user(call, dirfd, path, WALK_PARENT, &walk);

    if (error)
        return error;
    if (walk.last != LAST_NAME)
        return by_last[walk.last];
    if (!walk.inode)
        return -ENOENT;
    error = permission_remove(walk.parent, walk.inode, &call_process(call)->credentials);
    if (error)
        return error;
    if (!S_ISDIR(walk.inode->mode))
        return -ENOTDIR;
    if (!directory_is_empty(walk.inode))
        return -ENOTEMPTY;
    directory_remove(walk.entry);
    return 0;
}

int64_t sys_unlink(struct call *call) { return unlink_at(call, (uint64_t)AT_FDCWD, call->arg[0]); }

int64_t sys_rmdir(struct call *call) { return rmdir_at(call, (uint64_t)AT_FDCWD, call->arg[0]); }

int64_t sys_unlinkat(struct call *call)
{
    if (call->arg[2] & ~(uint64_t)AT_REMOVEDIR)
        return -EINVAL;
    return call->arg[2] ? rmdir_at(call, call->arg[0], call->arg[1])
                        : unlink_at(call, call->arg[0], call->arg[1]);
}

static int64_t read_link(struct call *call, uint64_t dirfd, uint64_t path, uint64_t buffer,
                         int64_t room)
{
    struct walk walk;
    size_t      bytes;
    int         error;

    if ((int)room <= 0)
        return -EINVAL;
    error = path_walk_user(call, dirfd, path, WALK_EMPTY, &walk);
    if (error)
        return error;
    if (!S_ISLNK(walk.inode->mode))
        return walk.empty ? -ENOENT : -EINVAL;
    bytes = walk.inode->size < (uint64_t)(int)room ? walk.inode->size : (uint64_t)(int)room;
    if (copy_out(call, buffer, walk.inode->target, bytes))
        return 0;
    inode_accessed(walk.inode);
    return (int64_t)bytes;
}

int64_t sys_readlink(struct call *call)
{
    return read_link(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], (int64_t)call->arg[2]);
}

int64_t sys_readlinkat(struct call *call)
{
    return read_link(call, call->arg[0], call->arg[1], call->arg[2], (int64_t)call->arg[3]);
}
