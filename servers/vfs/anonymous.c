#include <servers/vfs/anonymous.h>

#include <servers/vfs/process.h>

struct file *anonymous_create(struct call *call, const struct file_ops *ops, uint64_t flags,
                              void *data)
{
    const struct credentials *who = &call_process(call)->credentials;
    struct inode             *inode = inode_create(0600, who->uid, who->gid);
    struct file              *file;

    if (!inode)
        return NULL;
    inode->nlink = 1;
    file = file_create(inode, ops, O_RDWR | ((unsigned)flags & O_NONBLOCK));
    inode_put(inode);
    if (file)
        file->data = data;
    return file;
}

int64_t call_install(struct call *call, struct file *file, uint64_t flags)
{
    struct descriptors *all = &call_process(call)->descriptors;
    int                 fd = descriptors_reserve(all, 0);

    if (fd < 0)
        file_put(file);
    else
        descriptors_set(all, fd, file, flags & O_CLOEXEC);
    return fd;
}
