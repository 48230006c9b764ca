#include <servers/vfs/node.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/file.h>
#include <servers/vfs/permission.h>

int node_check_new(const struct process *process, const struct walk *walk, bool is_directory)
{
    if (walk->last != LAST_NAME || walk->inode)
        return -EEXIST;
    if (walk->slash && !is_directory)
        return -ENOENT;
    return permission_add(walk->parent, &process->credentials);
}

static uint32_t new_gid(const struct process *process, const struct inode *dir)
{
    return dir->mode & S_ISGID ? dir->gid : process->credentials.gid;
}

struct inode *node_create(const struct process *process, const struct inode *dir, uint32_t mode)
{
    mode &= ~process->umask;
    if (S_ISDIR(mode) && (dir->mode & S_ISGID))
        mode |= S_ISGID;
    return inode_create(mode, process->credentials.uid, new_gid(process, dir));
}

/* Gives the new inode its name; takes the caller's reference. NULL is -ENOMEM. */
static int64_t node_add(const struct walk *walk, struct inode *inode)
{
    int error;

    if (!inode)
        return -ENOMEM;
    error = directory_add(walk->parent, walk->name, walk->name_bytes, inode);
    inode_put(inode);
    return error;
}

static int64_t make_directory(struct call *call, uint64_t dirfd, uint64_t path, uint64_t mode)
{
    const struct process *process = call_process(call);
    struct walk           walk;
    int                   error = path_walk_user(call, dirfd, path, WALK_PARENT, &walk);

    if (error)
        return error;
    error = node_check_new(process, &walk, true);
    if (error)
        return error;
    return node_add(&walk, node_create(process, walk.parent, S_IFDIR | (mode & 01777)));
}

int64_t sys_mkdir(struct call *call)
{
    return make_directory(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1]);
}

int64_t sys_mkdirat(struct call *call)
{
    return make_directory(call, call->arg[0], call->arg[1], call->arg[2]);
}

/* Whether mknod(2) may make this type. *mode gets the default type. */
static int node_type_check(const struct credentials *who, uint32_t *mode)
{
    switch (*mode & S_IFMT) {
    case 0: *mode |= S_IFREG; return 0;
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK: return 0;
    case S_IFCHR:
    case S_IFBLK: return permission_is_privileged(who) ? 0 : -EPERM;
    case S_IFDIR: return -EPERM;
    default: return -EINVAL;
    }
}

static int64_t make_node(struct call *call, uint64_t dirfd, uint64_t path, uint64_t mode_argument,
                         uint64_t device)
{
    const struct process *process = call_process(call);
    uint32_t              mode = (uint32_t)mode_argument & (S_IFMT | MODE_PERMISSIONS);
    struct walk           walk;
    struct inode         *inode;
    int                   error = node_type_check(&process->credentials, &mode);

    if (error)
        return error;
    error = path_walk_user(call, dirfd, path, WALK_PARENT, &walk);
    if (error)
        return error;
    error = node_check_new(process, &walk, false);
    if (error)
        return error;
    inode = node_create(process, walk.parent, mode);
    if (inode && (S_ISCHR(mode) || S_ISBLK(mode)))
        inode->rdev = (uint32_t)device;
    return node_add(&walk, inode);
}

int64_t sys_mknod(struct call *call)
{
    return make_node(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_mknodat(struct call *call)
{
    return make_node(call, call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

static int64_t make_symlink(struct call *call, uint64_t target_path, uint64_t dirfd, uint64_t path)
{
    static char           target[PATH_MAX]; /* requests are serialised */
    const struct process *process = call_process(call);
    struct walk           walk;
    int                   error = copy_in_string(call, target, target_path, sizeof target);

    if (error)
        return error;
    if (!target[0])
        return -ENOENT;
    error = path_walk_user(call, dirfd, path, WALK_PARENT, &walk);
    if (error)
        return error;
    error = node_check_new(process, &walk, false);
    if (error)
        return error;
    return node_add(&walk, inode_create_symlink(target, process->credentials.uid,
                                                new_gid(process, walk.parent)));
}

int64_t sys_symlink(struct call *call)
{
    return make_symlink(call, call->arg[0], (uint64_t)AT_FDCWD, call->arg[1]);
}

int64_t sys_symlinkat(struct call *call)
{
    return make_symlink(call, call->arg[0], call->arg[1], call->arg[2]);
}
