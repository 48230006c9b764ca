/*
 * Attributes of files: chmod(2), chown(2), access(2), truncate(2) and their relatives.
 */
#include <servers/vfs/path.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/file.h>
#include <servers/vfs/permission.h>

#define ID_KEEP UINT32_MAX /* chown(2): -1 leaves the id as it is */

static int64_t inode_chmod(const struct call *call, struct inode *inode, uint64_t mode)
{
    const struct credentials *who = &call_process(call)->credentials;

    if (!permission_is_owner(inode, who))
        return -EPERM;
    if (S_ISLNK(inode->mode))
        return -EOPNOTSUPP;
    mode &= MODE_PERMISSIONS;
    if (!permission_is_privileged(who) && !permission_in_group(who, inode->gid))
        mode &= ~(uint64_t)S_ISGID;
    inode->mode = (inode->mode & S_IFMT) | (uint32_t)mode;
    inode_changed(inode);
    return 0;
}

static int64_t chmod_at(struct call *call, uint64_t dirfd, uint64_t path, uint64_t mode,
                        uint64_t flags)
{
    struct walk walk;
    int         error;

    if (flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    error = path_walk_user(call, dirfd, path, walk_flags_from_at(flags), &walk);
    return error ? error : inode_chmod(call, walk.inode, mode);
}

int64_t sys_chmod(struct call *call)
{
    return chmod_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], 0);
}

int64_t sys_fchmodat(struct call *call)
{
    return chmod_at(call, call->arg[0], call->arg[1], call->arg[2], 0);
}

int64_t sys_fchmod(struct call *call)
{
    struct file *file = call_file(call, call->arg[0]);

    return file ? inode_chmod(call, file->inode, call->arg[1]) : -EBADF;
}

static int64_t inode_chown(const struct call *call, struct inode *inode, uint32_t uid, uint32_t gid)
{
    const struct credentials *who = &call_process(call)->credentials;
    bool                      privileged = permission_is_privileged(who);

    if (uid != ID_KEEP && !privileged && (who->uid != inode->uid || uid != inode->uid))
        return -EPERM;
    if (gid != ID_KEEP && !privileged &&
        (who->uid != inode->uid || (gid != inode->gid && !permission_in_group(who, gid))))
        return -EPERM;
    if (uid != ID_KEEP)
        inode->uid = uid;
    if (gid != ID_KEEP)
        inode->gid = gid;
    if (S_ISREG(inode->mode)) {
        inode->mode &= ~(uint32_t)S_ISUID;
        if (inode->mode & S_IXGRP)
            inode->mode &= ~(uint32_t)S_ISGID;
    }
    inode_changed(inode);
    return 0;
}

static int64_t chown_at(struct call *call, uint64_t dirfd, uint64_t path, uint64_t uid,
                        uint64_t gid, uint64_t flags)
{
    struct walk walk;
    int         error;

    if (flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    error = path_walk_user(call, dirfd, path, walk_flags_from_at(flags), &walk);
    return error ? error : inode_chown(call, walk.inode, (uint32_t)uid, (uint32_t)gid);
}

int64_t sys_chown(struct call *call)
{
    return chown_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], call->arg[2], 0);
}

int64_t sys_lchown(struct call *call)
{
    return chown_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], call->arg[2],
                    AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchownat(struct call *call)
{
    return chown_at(call, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);
}

int64_t sys_fchown(struct call *call)
{
    struct file *file = call_file(call, call->arg[0]);

    return file ? inode_chown(call, file->inode, (uint32_t)call->arg[1], (uint32_t)call->arg[2])
                : -EBADF;
}

/* access(2) asks for the real ids; the server knows those for file access only, which are
 * the same except while a set-user-id program runs. */
static int64_t access_at(struct call *call, uint64_t dirfd, uint64_t path, uint64_t mode,
                         uint64_t flags)
{
    struct walk walk;
    int         error;

    if (mode & ~(uint64_t)(MAY_READ | MAY_WRITE | MAY_EXECUTE) ||
        flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    error = path_walk_user(call, dirfd, path, walk_flags_from_at(flags), &walk);
    if (error)
        return error;
    return permission_check(walk.inode, &call_process(call)->credentials, (unsigned)mode);
}

int64_t sys_access(struct call *call)
{
    return access_at(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], 0);
}

int64_t sys_faccessat(struct call *call)
{
    return access_at(call, call->arg[0], call->arg[1], call->arg[2], 0);
}

int64_t sys_faccessat2(struct call *call)
{
    return access_at(call, call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

static int64_t resize(const struct call *call, struct inode *inode, uint64_t size)
{
    int error = inode_resize(inode, size);

    if (!error)
        permission_drop_set_id(inode, &call_process(call)->credentials);
    return error;
}

int64_t sys_truncate(struct call *call)
{
    struct walk walk;
    int         error;

    if ((int64_t)call->arg[1] < 0)
        return -EINVAL;
    error = path_walk_user(call, (uint64_t)AT_FDCWD, call->arg[0], WALK_FOLLOW, &walk);
    if (error)
        return error;
    if (S_ISDIR(walk.inode->mode))
        return -EISDIR;
    if (!S_ISREG(walk.inode->mode))
        return -EINVAL;
    error = permission_check(walk.inode, &call_process(call)->credentials, MAY_WRITE);
    if (error)
        return error;
    return walk.inode->executions ? -ETXTBSY : resize(call, walk.inode, call->arg[1]);
}

int64_t sys_ftruncate(struct call *call)
{
    struct file *file = call_file(call, call->arg[0]);

    if ((int64_t)call->arg[1] < 0)
        return -EINVAL;
    if (!file)
        return -EBADF;
    if (!S_ISREG(file->inode->mode) || !file->can_write)
        return -EINVAL;
    return resize(call, file->inode, call->arg[1]);
}
