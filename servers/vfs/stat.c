/*
 * stat(2), statx(2), statfs(2) and their relatives.
 */
#include <servers/vfs/path.h>

#include "gen/linux_calls_vfs.h"

#include <asm/statfs.h>
#include <lib/native/native.h>
#include <linux/magic.h>
#include <servers/vfs/file.h>
#include <string.h>

/* Device number of the only file system: an anonymous one, as Linux gives to tmpfs. */
#define FS_MAJOR   0u
#define FS_MINOR   1u
#define FS_BLOCK_BYTES 4096
#define STAT_UNIT  512u

static uint64_t inode_blocks(const struct inode *inode)
{
    return S_ISREG(inode->mode) ? pages_present(&inode->pages) * (PAGE_BYTES / STAT_UNIT) : 0;
}

static struct timespec timespec_from_ns(int64_t ns)
{
    int64_t seconds = ns / NS_PER_SECOND, rest = ns % NS_PER_SECOND;

    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    return (struct timespec){ .tv_sec = seconds, .tv_nsec = rest };
}

static int64_t stat_out(struct call *call, uint64_t to, const struct inode *inode)
{
    struct stat st;

    memset(&st, 0, sizeof st);
    st.st_dev = device_make(FS_MAJOR, FS_MINOR);
    st.st_ino = inode->ino;
    st.st_nlink = inode->nlink;
    st.st_mode = inode->mode;
    st.st_uid = inode->uid;
    st.st_gid = inode->gid;
    st.st_rdev = inode->rdev;
    st.st_size = (int64_t)inode->size;
    st.st_blksize = FS_BLOCK_BYTES;
    st.st_blocks = (int64_t)inode_blocks(inode);
    st.st_atim = timespec_from_ns(inode->atime);
    st.st_mtim = timespec_from_ns(inode->mtime);
    st.st_ctim = timespec_from_ns(inode->ctime);
    return copy_out(call, to, &st, sizeof st);
}

static int64_t stat_path(struct call *call, uint64_t dirfd, uint64_t path, uint64_t to,
                         unsigned flags)
{
    struct walk walk;
    int         error = path_walk_user(call, dirfd, path, flags, &walk);

    return error ? error : stat_out(call, to, walk.inode);
}

int64_t sys_stat(struct call *call)
{
    return stat_path(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], WALK_FOLLOW);
}

int64_t sys_lstat(struct call *call)
{
    return stat_path(call, (uint64_t)AT_FDCWD, call->arg[0], call->arg[1], 0);
}

int64_t sys_fstat(struct call *call)
{
    const struct file *file = call_file_or_path(call, call->arg[0]);

    return file ? stat_out(call, call->arg[1], file->inode) : -EBADF;
}

int64_t sys_newfstatat(struct call *call)
{
    if (call->arg[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    return stat_path(call, call->arg[0], call->arg[1], call->arg[2],
                     walk_flags_from_at(call->arg[3]));
}

static struct statx_timestamp statx_time(int64_t ns)
{
    struct timespec time = timespec_from_ns(ns);

    return (struct statx_timestamp){ .tv_sec = time.tv_sec, .tv_nsec = (uint32_t)time.tv_nsec };
}

int64_t sys_statx(struct call *call)
{
    const uint64_t known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
                           AT_STATX_SYNC_TYPE;
    const struct inode *inode;
    struct statx        st;
    struct walk         walk;
    int                 error;

    if (call->arg[2] & ~known || (call->arg[2] & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        call->arg[3] & STATX__RESERVED)
        return -EINVAL;
    error = path_walk_user(call, call->arg[0], call->arg[1], walk_flags_from_at(call->arg[2]),
                           &walk);
    if (error)
        return error;
    inode = walk.inode;
    memset(&st, 0, sizeof st);
    st.stx_mask = STATX_BASIC_STATS | STATX_BTIME;
    st.stx_blksize = FS_BLOCK_BYTES;
    st.stx_nlink = inode->nlink;
    st.stx_uid = inode->uid;
    st.stx_gid = inode->gid;
    st.stx_mode = (uint16_t)inode->mode;
    st.stx_ino = inode->ino;
    st.stx_size = inode->size;
    st.stx_blocks = inode_blocks(inode);
    st.stx_atime = statx_time(inode->atime);
    st.stx_btime = statx_time(inode->btime);
    st.stx_ctime = statx_time(inode->ctime);
    st.stx_mtime = statx_time(inode->mtime);
    st.stx_rdev_major = device_major(inode->rdev);
    st.stx_rdev_minor = device_minor(inode->rdev);
    st.stx_dev_major = FS_MAJOR;
    st.stx_dev_minor = FS_MINOR;
    return copy_out(call, call->arg[4], &st, sizeof st);
}

/* Like ramfs, it has no size of its own: blocks are 0. */
static int64_t statfs_out(struct call *call, uint64_t to)
{
    struct statfs st;

    memset(&st, 0, sizeof st);
    st.f_type = RAMFS_MAGIC;
    st.f_bsize = st.f_frsize = FS_BLOCK_BYTES;
    st.f_namelen = NAME_BYTES_MAX;
    return copy_out(call, to, &st, sizeof st);
}

int64_t sys_statfs(struct call *call)
{
    struct walk walk;
    int error = path_walk_user(call, (uint64_t)AT_FDCWD, call->arg[0], WALK_FOLLOW, &walk);

    return error ? error : statfs_out(call, call->arg[1]);
}

int64_t sys_fstatfs(struct call *call)
{
    return call_file_or_path(call, call->arg[0]) ? statfs_out(call, call->arg[1]) : -EBADF;
}
