/*
 * From paths to inodes: path_resolution(7).
 */
#pragma once

#include <servers/vfs/inode.h>
#include <servers/vfs/process.h>

enum walk_flag {
    WALK_FOLLOW     = 1 << 0, /* a symbolic link as last component is followed */
    WALK_MISSING_OK = 1 << 1, /* the last component need not exist */
    WALK_PARENT     = 1 << 2, /* the last component is to be made, renamed or removed: it need
                                 not exist and is not followed, even before a slash */
    WALK_EMPTY      = 1 << 3, /* AT_EMPTY_PATH: "" is the file behind the descriptor */
    WALK_CREATE     = 1 << 4, /* O_CREAT: a slash after the last component is -EISDIR */
};

enum last_kind {
    LAST_NAME,
    LAST_DOT,
    LAST_DOT_DOT,
    LAST_ROOT, /* "/", or the empty path */
};

/* Everything here is valid until the file system or the path's buffer changes. */
struct walk {
    enum last_kind last;
    struct inode  *parent;     /* of the last name; NULL if last is not LAST_NAME */
    const char    *name;
    size_t         name_bytes;
    struct dentry *entry;      /* NULL if missing or not LAST_NAME */
    struct inode  *inode;      /* NULL if missing */
    bool           slash;      /* the path ended in a slash: only a directory will do */
    bool           empty;      /* it was "" */
};

/* dirfd: of process, or AT_FDCWD. Returns 0, -ENOENT, -ENOTDIR, -EACCES, -ELOOP,
 * -ENAMETOOLONG, -EISDIR or -EBADF. */
int path_walk(const struct process *process, int dirfd, const char *path, unsigned flags,
              struct walk *walk) __attribute__((warn_unused_result));

/* The same with a path in the caller's memory. Returns also 1 (fault in; return at once).
 * path_walk_second is for the second path of calls with two: the first stays valid. */
int path_walk_user(struct call *call, uint64_t dirfd, uint64_t path, unsigned flags,
                   struct walk *walk) __attribute__((warn_unused_result));
int path_walk_second(struct call *call, uint64_t dirfd, uint64_t path, unsigned flags,
                     struct walk *walk) __attribute__((warn_unused_result));

/* WALK_FOLLOW or not, WALK_EMPTY or not, from AT_* flags. */
unsigned walk_flags_from_at(uint64_t at_flags);

/* The absolute path of a directory as process sees it, at the end of buffer. Returns its
 * start, or NULL with *error -ENOENT (removed or outside the root) or -ENAMETOOLONG. */
const char *path_of_directory(const struct process *process, const struct inode *dir,
                              char *buffer, size_t room, int *error);
