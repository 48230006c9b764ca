#include <servers/vfs/kinds.h>

#include <servers/vfs/pipe.h>

const struct file_ops path_ops = { 0 };

const struct file_ops *kind_of(const struct inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFREG: return &regular_ops;
    case S_IFDIR: return &directory_ops;
    case S_IFIFO: return &pipe_ops;
    case S_IFCHR: return device_find(inode->rdev);
    default: return NULL;
    }
}
