/*
 * Reading, writing and seeking in regular files.
 */
#include <servers/vfs/kinds.h>

#include <asm/ioctls.h>
#include <lib/native/native.h>
#include <servers/vfs/permission.h>

static int regular_read(struct file *file, struct io *io, uint64_t *position)
{
    struct inode *inode = file->inode;

    while (io->left && *position < inode->size && !io->faulted) {
        uint64_t    to_end = inode->size - *position;
        const void *at;
        size_t      run = pages_read_run(&inode->pages, *position,
                                         to_end < io->left ? to_end : io->left, &at);

        *position += io_put(io, at, run);
    }
    if (!(file->flags & O_NOATIME))
        inode_accessed(inode);
    return 0;
}

/* Bytes that may be written at position: up to the largest file. */
static size_t room_at(uint64_t position, size_t bytes)
{
    uint64_t room = (uint64_t)FILE_BYTES_MAX - position;

    return bytes < room ? bytes : room;
}

static int regular_write(struct file *file, struct io *io, uint64_t *position)
{
    struct inode *inode = file->inode;
    int           error = 0;

    if (io->left == 0)
        return 0;
    if (file->flags & O_APPEND)
        *position = inode->size;
    if (*position >= FILE_BYTES_MAX)
        return -EFBIG;
    while (room_at(*position, io->left) && !io->faulted && !error) {
        void  *at;
        size_t run = pages_write_run(&inode->pages, *position, room_at(*position, io->left), &at);

        if (run)
            *position += io_take(io, at, run);
        else
            error = -ENOSPC;
        if (*position > inode->size)
            inode->size = *position;
    }
    if (error || io->faulted)
        pages_trim_new(&inode->pages, inode->size);
    if (io->moved) {
        permission_drop_set_id(inode, &call_process(io->call)->credentials);
        inode_modified(inode);
    }
    return error;
}

/* SEEK_DATA, SEEK_HOLE of lseek(2). */
static int64_t seek_content(const struct inode *inode, int64_t offset, unsigned whence)
{
    uint64_t found;

    if (offset < 0 || (uint64_t)offset >= inode->size)
        return -ENXIO;
    if (whence == SEEK_DATA) {
        found = pages_next_data(&inode->pages, (uint64_t)offset);
        return found < inode->size ? (int64_t)found : -ENXIO;
    }
    found = pages_next_hole(&inode->pages, (uint64_t)offset);
    return (int64_t)(found < inode->size ? found : inode->size);
}

static int64_t regular_seek(struct file *file, int64_t offset, unsigned whence)
{
    int64_t base = 0;

    switch (whence) {
    case SEEK_SET: break;
    case SEEK_CUR: base = (int64_t)file->position; break;
    case SEEK_END: base = (int64_t)file->inode->size; break;
    case SEEK_DATA:
    case SEEK_HOLE:
        offset = seek_content(file->inode, offset, whence);
        if (offset < 0)
            return offset;
        break;
    default: return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &offset))
        return -EOVERFLOW;
    if (offset < 0)
        return -EINVAL;
    file->position = (uint64_t)offset;
    return offset;
}

static int64_t regular_ioctl(struct file *file, struct call *call, unsigned request,
                             uint64_t argument)
{
    int left = (int)(file->inode->size - file->position);

    if (request != FIONREAD)
        return -ENOTTY;
    return copy_out(call, argument, &left, sizeof left);
}

const struct file_ops regular_ops = {
    .read = regular_read,
    .write = regular_write,
    .seek = regular_seek,
    .ioctl = regular_ioctl,
};
