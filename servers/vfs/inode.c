#include <servers/vfs/inode.h>

#include <lib/native/native.h>
#include <servers/vfs/locks.h>
#include <servers/vfs/pipe.h>
#include <servers/vfs/realtime.h>
#include <stdlib.h>
#include <string.h>

#define RELATIME_NS (24 * 3600 * NS_PER_SECOND)

static uint64_t last_ino = 1; /* 1 is never used, as on most file systems */
static uint64_t count;

struct inode *inode_create(uint32_t mode, uint32_t uid, uint32_t gid)
{
    struct inode *inode = calloc(1, sizeof *inode);

    if (!inode)
        return NULL;
    inode->ino = ++last_ino;
    inode->refs = 1;
    inode->mode = mode;
    inode->uid = uid;
    inode->gid = gid;
    inode->atime = inode->mtime = inode->ctime = inode->btime = realtime_ns();
    if (S_ISDIR(mode))
        inode->directory.next_cookie = COOKIE_FIRST;
    count++;
    return inode;
}

struct inode *inode_create_symlink(const char *target, uint32_t uid, uint32_t gid)
{
    struct inode *inode = inode_create(S_IFLNK | 0777, uid, gid);
    size_t        bytes = strlen(target);

    if (!inode)
        return NULL;
    inode->target = malloc(bytes + 1);
    if (!inode->target) {
        inode_put(inode);
        return NULL;
    }
    memcpy(inode->target, target, bytes + 1);
    inode->size = bytes;
    return inode;
}

struct inode *inode_get(struct inode *inode)
{
    must(inode->refs > 0);
    inode->refs++;
    return inode;
}

/* Frees what the inode holds. Returns the parent, whose reference the caller must put. */
static struct inode *inode_free(struct inode *inode)
{
    struct inode *parent = NULL;

    must(!inode->range_locks && !inode->whole_locks);
    switch (inode->mode & S_IFMT) {
    case S_IFREG: pages_free(&inode->pages); break;
    case S_IFLNK: free(inode->target); break;
    case S_IFIFO: pipe_free(inode->pipe); break;
    case S_IFDIR:
        must(directory_is_empty(inode) && !inode->directory.cursors);
        parent = inode->directory.parent;
        break;
    default: break;
    }
    free(inode);
    count--;
    return parent;
}

void inode_put(struct inode *inode)
{
    while (inode) {
        must(inode->refs > 0);
        if (--inode->refs)
            return;
        inode = inode_free(inode);
    }
}

void inode_modified(struct inode *inode) { inode->mtime = inode->ctime = realtime_ns(); }

void inode_changed(struct inode *inode) { inode->ctime = realtime_ns(); }

void inode_accessed(struct inode *inode)
{
    int64_t now = realtime_ns();

    if (inode->atime <= inode->mtime || inode->atime <= inode->ctime ||
        now - inode->atime >= RELATIME_NS)
        inode->atime = now;
}

int inode_resize(struct inode *inode, uint64_t size)
{
    must(S_ISREG(inode->mode));
    if (size < inode->size && pages_trim(&inode->pages, size))
        return -ENOMEM;
    inode->size = size;
    inode_modified(inode);
    return 0;
}

uint64_t inode_count(void) { return count; }
