#include <servers/vfs/file.h>

#include <lib/native/native.h>
#include <servers/vfs/epoll.h>
#include <servers/vfs/locks.h>
#include <servers/vfs/process.h>
#include <stdlib.h>

static uint64_t count;

struct file *file_create(struct inode *inode, const struct file_ops *ops, unsigned flags)
{
    struct file *file = calloc(1, sizeof *file);
    unsigned     access = flags & O_ACCMODE;

    if (!file)
        return NULL;
    file->refs = 1;
    file->ops = ops;
    file->inode = inode_get(inode);
    file->flags = flags;
    if (!(flags & O_PATH)) {
        file->can_read = access == O_RDONLY || access == O_RDWR;
        file->can_write = access == O_WRONLY || access == O_RDWR;
    }
    if (file->can_write)
        inode->writers++;
    if (S_ISDIR(inode->mode))
        cursor_open(inode, &file->cursor);
    count++;
    return file;
}

struct file *file_get(struct file *file)
{
    must(file->refs > 0);
    file->refs++;
    return file;
}

void file_put(struct file *file)
{
    struct inode *inode = file->inode;

    must(file->refs > 0);
    if (--file->refs)
        return;
    epoll_forget(file);
    if (file->ops->release)
        file->ops->release(file);
    if (S_ISDIR(inode->mode))
        cursor_close(inode, &file->cursor);
    if (file->can_write)
        inode->writers--;
    locks_drop_owner(inode, &inode->range_locks, file);
    locks_drop_owner(inode, &inode->whole_locks, file);
    free(file);
    inode_put(inode);
    count--;
}

struct file *call_file_or_path(const struct call *call, uint64_t fd)
{
    return descriptors_find(&call_process(call)->descriptors, (int)fd);
}

struct file *call_file(const struct call *call, uint64_t fd)
{
    struct file *file = call_file_or_path(call, fd);

    return file && !(file->flags & O_PATH) ? file : NULL;
}

uint64_t file_count(void) { return count; }
