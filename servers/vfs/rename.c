/*
 * rename(2), renameat(2), renameat2(2).
 */
#include <servers/vfs/path.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/permission.h>

struct rename {
    const struct credentials *who;
    unsigned                  flags;
    struct walk               old, new;
};

/* What names and flags allow, before any permission is looked at. */
static int check_names(const struct rename *r)
{
    bool exchange = r->flags & RENAME_EXCHANGE;

    if (r->old.last != LAST_NAME)
        return -EBUSY;
    if (r->new.last != LAST_NAME)
        return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (!r->old.inode)
        return -ENOENT;
    if (r->new.inode && (r->flags & RENAME_NOREPLACE))
        return -EEXIST;
    if (!r->new.inode && exchange)
        return -ENOENT;
    if (exchange && r->new.slash && !S_ISDIR(r->new.inode->mode))
        return -ENOTDIR;
    if (!S_ISDIR(r->old.inode->mode) && (r->old.slash || (!exchange && r->new.slash)))
        return -ENOTDIR;
    return 0;
}

/* A directory can't get below itself, nor replace what is above it. */
static int check_tree(const struct rename *r)
{
    if (S_ISDIR(r->old.inode->mode) && directory_is_below(r->new.parent, r->old.inode))
        return -EINVAL;
    if (r->new.inode && S_ISDIR(r->new.inode->mode) &&
        directory_is_below(r->old.parent, r->new.inode))
        return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return 0;
}

/* Moving a directory elsewhere writes its "..". */
static int check_dot_dot(const struct rename *r, const struct inode *inode)
{
    if (!S_ISDIR(inode->mode) || r->old.parent == r->new.parent)
        return 0;
    return permission_check(inode, r->who, MAY_WRITE);
}

static int check_target(const struct rename *r)
{
    const struct inode *target = r->new.inode;
    bool                is_directory = S_ISDIR(r->old.inode->mode);
    int                 error;

    if (!target)
        return permission_add(r->new.parent, r->who);
    error = permission_remove(r->new.parent, target, r->who);
    if (error)
        return error;
    if (r->flags & RENAME_EXCHANGE)
        return check_dot_dot(r, target);
    if (is_directory && !S_ISDIR(target->mode))
        return -ENOTDIR;
    if (!is_directory && S_ISDIR(target->mode))
        return -EISDIR;
    return 0;
}

static int check_all(const struct rename *r)
{
    int error = check_names(r);

    if (!error)
        error = check_tree(r);
    if (error || r->old.inode == r->new.inode)
        return error;
    error = permission_remove(r->old.parent, r->old.inode, r->who);
    if (!error)
        error = check_target(r);
    if (!error)
        error = check_dot_dot(r, r->old.inode);
    if (!error && !(r->flags & RENAME_EXCHANGE) && r->new.inode && S_ISDIR(r->new.inode->mode) &&
        !directory_is_empty(r->new.inode))
        error = -ENOTEMPTY;
    return error;
}

static int64_t rename_at(struct call *call, uint64_t old_fd, uint64_t old_path, uint64_t new_fd,
                         uint64_t new_path, unsigned flags)
{
    struct rename r = { .who = &call_process(call)->credentials, .flags = flags };
    int           error;

    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    error = path_walk_user(call, old_fd, old_path, WALK_PARENT, &r.old);
    if (error)
        return error;
    error = path_walk_second(call, new_fd, new_path, WALK_PARENT, &r.new);
    if (error)
        return error;
    error = check_all(&r);
    if (error || r.old.inode == r.new.inode)
        return error;
    if (flags & RENAME_EXCHANGE) {
        directory_exchange(r.old.entry, r.new.entry);
        return 0;
    }
    return directory_move(r.old.entry, r.new.parent, r.new.name, r.new.name_bytes, r.new.entry);
}

int64_t sys_rename(struct call *call)
{
    return rename_at(call, (uint64_t)AT_FDCWD, call->arg[0], (uint64_t)AT_FDCWD, call->arg[1], 0);
}

int64_t sys_renameat(struct call *call)
{
    return rename_at(call, call->arg[0], call->arg[1], call->arg[2], call->arg[3], 0);
}

int64_t sys_renameat2(struct call *call)
{
    return rename_at(call, call->arg[0], call->arg[1], call->arg[2], call->arg[3],
                     (unsigned)call->arg[4]);
}
