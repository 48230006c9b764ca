/*
 * A process's place in the file system: chdir(2), getcwd(2), chroot(2), umask(2).
 */
#include <servers/vfs/path.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/file.h>
#include <servers/vfs/permission.h>

static int directory_check(const struct process *process, const struct inode *dir)
{
    if (!S_ISDIR(dir->mode))
        return -ENOTDIR;
    return permission_check(dir, &process->credentials, MAY_EXECUTE);
}

static void place_set(struct inode **place, struct inode *dir)
{
    struct inode *former = *place;

    *place = inode_get(dir);
    inode_put(former);
}

int64_t sys_chdir(struct call *call)
{
    struct process *process = call_process(call);
    struct walk     walk;
    int error = path_walk_user(call, (uint64_t)AT_FDCWD, call->arg[0], WALK_FOLLOW, &walk);

    if (!error)
        error = directory_check(process, walk.inode);
    if (!error)
        place_set(&process->cwd, walk.inode);
    return error;
}

int64_t sys_fchdir(struct call *call)
{
    struct process *process = call_process(call);
    struct file    *file = call_file_or_path(call, call->arg[0]);
    int             error = file ? directory_check(process, file->inode) : -EBADF;

    if (!error)
        place_set(&process->cwd, file->inode);
    return error;
}

int64_t sys_chroot(struct call *call)
{
    struct process *process = call_process(call);
    struct walk     walk;
    int error = path_walk_user(call, (uint64_t)AT_FDCWD, call->arg[0], WALK_FOLLOW, &walk);

    if (!error)
        error = directory_check(process, walk.inode);
    if (!error && !permission_is_privileged(&process->credentials))
        error = -EPERM;
    if (!error)
        place_set(&process->root, walk.inode);
    return error;
}

int64_t sys_getcwd(struct call *call)
{
    static char     buffer[PATH_MAX]; /* requests are serialised */
    struct process *process = call_process(call);
    int             error;
    const char     *path =
        path_of_directory(process, process->cwd, buffer, sizeof buffer, &error);
    size_t bytes;

    if (!path)
        return error;
    bytes = (size_t)(buffer + sizeof buffer - path);
    if (bytes > call->arg[1])
        return -ERANGE;
    return copy_out(call, call->arg[0], path, bytes) ? 0 : (int64_t)bytes;
}

int64_t sys_umask(struct call *call)
{
    struct process *process = call_process(call);
    uint32_t        former = process->umask;

    process->umask = (uint32_t)call->arg[0] & 0777;
    return former;
}
