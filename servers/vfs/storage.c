/*
 * fallocate(2), and the calls about storage below the cache: there is none, so what is
 * written is as safe as it can be, and advice changes nothing.
 */
#include <servers/vfs/file.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>

/* Gives pages to the range as far as there is memory. Returns 0 or -ENOSPC. */
static int range_fill(struct inode *inode, uint64_t offset, uint64_t end)
{
    while (offset < end) {
        void  *at;
        size_t run = pages_write_run(&inode->pages, offset,
                                     end - offset < SIZE_MAX ? end - offset : SIZE_MAX, &at);

        if (!run) {
            pages_trim_new(&inode->pages, inode->size);
            return -ENOSPC;
        }
        offset += run;
    }
    return 0;
}

int64_t sys_fallocate(struct call *call)
{
    struct file *file = call_file(call, call->arg[0]);
    unsigned     mode = (unsigned)call->arg[1];
    int64_t      offset = (int64_t)call->arg[2], bytes = (int64_t)call->arg[3];
    uint64_t     end;
    int          error;

    if (offset < 0 || bytes <= 0)
        return -EINVAL;
    if (mode & ~(unsigned)FALLOC_FL_KEEP_SIZE)
        return -EOPNOTSUPP;
    if (!file || !file->can_write)
        return -EBADF;
    if (S_ISFIFO(file->inode->mode))
        return -ESPIPE;
    if (!S_ISREG(file->inode->mode))
        return S_ISDIR(file->inode->mode) ? -EISDIR : -ENODEV;
    end = (uint64_t)offset + (uint64_t)bytes;
    if (end > FILE_BYTES_MAX)
        return -EFBIG;
    if ((mode & FALLOC_FL_KEEP_SIZE) && end > file->inode->size)
        end = file->inode->size; /* beyond the end of a file, pages are not kept */
    error = range_fill(file->inode, (uint64_t)offset, end);
    if (error || end <= file->inode->size)
        return error;
    return inode_resize(file->inode, end);
}

int64_t sys_sync(struct call *call)
{
    (void)call;
    return 0;
}

int64_t sys_syncfs(struct call *call) { return call_file(call, call->arg[0]) ? 0 : -EBADF; }

static int64_t file_sync(const struct call *call)
{
    const struct file *file = call_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    return S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode) ? 0 : -EINVAL;
}

int64_t sys_fsync(struct call *call) { return file_sync(call); }

int64_t sys_fdatasync(struct call *call) { return file_sync(call); }

int64_t sys_fadvise64(struct call *call)
{
    const struct file *file = call_file(call, call->arg[0]);

    if (!file)
        return -EBADF;
    if (S_ISFIFO(file->inode->mode))
        return -ESPIPE;
    return (int64_t)call->arg[2] < 0 || call->arg[3] > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

int64_t sys_readahead(struct call *call)
{
    const struct file *file = call_file(call, call->arg[0]);

    if (!file || !file->can_read)
        return -EBADF;
    return S_ISREG(file->inode->mode) ? 0 : -EINVAL;
}
