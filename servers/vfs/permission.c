#include <servers/vfs/permission.h>

bool permission_is_privileged(const struct credentials *who) { return who->uid == 0; }

bool permission_in_group(const struct credentials *who, uint32_t gid)
{
    if (who->gid == gid)
        return true;
    for (unsigned i = 0; i < who->group_count; i++)
        if (who->groups[i] == gid)
            return true;
    return false;
}

bool permission_is_owner(const struct inode *inode, const struct credentials *who)
{
    return permission_is_privileged(who) || who->uid == inode->uid;
}

int permission_check(const struct inode *inode, const struct credentials *who, unsigned mask)
{
    unsigned granted;

    if (permission_is_privileged(who)) {
        bool executable = S_ISDIR(inode->mode) || (inode->mode & 0111);

        return (mask & MAY_EXECUTE) && !executable ? -EACCES : 0;
    }
    if (who->uid == inode->uid)
        granted = inode->mode >> 6;
    else if (permission_in_group(who, inode->gid))
        granted = inode->mode >> 3;
    else
        granted = inode->mode;
    return mask & ~granted & 7 ? -EACCES : 0;
}

int permission_remove(const struct inode *dir, const struct inode *inode,
                      const struct credentials *who)
{
    int error = permission_check(dir, who, MAY_WRITE | MAY_EXECUTE);

    if (error)
        return error;
    if ((dir->mode & S_ISVTX) && !permission_is_owner(inode, who) && who->uid != dir->uid)
        return -EPERM;
    return 0;
}

int permission_add(const struct inode *dir, const struct credentials *who)
{
    if (dir->directory.removed)
        return -ENOENT;
    return permission_check(dir, who, MAY_WRITE | MAY_EXECUTE);
}

void permission_drop_set_id(struct inode *inode, const struct credentials *who)
{
    if (permission_is_privileged(who) || !S_ISREG(inode->mode))
        return;
    inode->mode &= ~(uint32_t)S_ISUID;
    if (inode->mode & S_IXGRP)
        inode->mode &= ~(uint32_t)S_ISGID;
}
