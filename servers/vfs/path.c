#include <servers/vfs/path.h>

#include <lib/native/native.h>
#include <servers/vfs/file.h>
#include <servers/vfs/permission.h>
#include <string.h>

#define LINKS_MAX 40u /* path_resolution(7) */

/* Where a walk is. While a symbolic link is followed, what comes after it waits on a stack;
 * the strings are the links' own, which can't change meanwhile. */
struct position {
    const struct process *process;
    struct inode         *dir;
    const char           *rest;
    const char           *pending[LINKS_MAX];
    unsigned              depth;
    unsigned              links;
};

static const char *skip_slashes(const char *path, bool *slash)
{
    for (; *path == '/'; path++)
        *slash = true;
    return path;
}

/* Takes the next component. last: nothing follows it but slashes (then *slash). Returns its
 * length, 0 at the end of the path. */
static size_t component_next(struct position *at, const char **name, bool *last, bool *slash)
{
    size_t bytes;

    *slash = false;
    at->rest = skip_slashes(at->rest, slash);
    while (!*at->rest && at->depth)
        at->rest = skip_slashes(at->pending[--at->depth], slash);
    *name = at->rest;
    bytes = strcspn(at->rest, "/");
    *slash = false;
    at->rest = skip_slashes(at->rest + bytes, slash);
    while (!*at->rest && at->depth)
        at->rest = skip_slashes(at->pending[--at->depth], slash);
    *last = !*at->rest;
    return bytes;
}

static int link_enter(struct position *at, const struct inode *link)
{
    if (++at->links > LINKS_MAX)
        return -ELOOP;
    if (*at->rest) {
        must(at->depth < LINKS_MAX);
        at->pending[at->depth++] = at->rest;
    }
    at->rest = link->target;
    if (link->target[0] == '/')
        at->dir = at->process->root;
    return 0;
}

static enum last_kind name_kind(const char *name, size_t bytes)
{
    if (bytes == 1 && name[0] == '.')
        return LAST_DOT;
    if (bytes == 2 && name[0] == '.' && name[1] == '.')
        return LAST_DOT_DOT;
    return LAST_NAME;
}

static struct inode *directory_above(const struct position *at)
{
    if (at->dir == at->process->root || !at->dir->directory.parent)
        return at->dir;
    return at->dir->directory.parent;
}

static void walk_end_at_directory(struct walk *walk, struct inode *dir, enum last_kind last)
{
    *walk = (struct walk){ .last = last, .inode = dir, .slash = walk->slash };
}

/* One component: looks the name up in at->dir. Returns 0 and fills walk. */
static int component_find(struct position *at, const char *name, size_t bytes, struct walk *walk)
{
    int error;

    if (!S_ISDIR(at->dir->mode))
        return -ENOTDIR;
    error = permission_check(at->dir, &at->process->credentials, MAY_EXECUTE);
    if (error)
        return error;
    if (bytes > NAME_BYTES_MAX)
        return -ENAMETOOLONG;
    walk->last = name_kind(name, bytes);
    if (walk->last != LAST_NAME) {
        struct inode *dir = walk->last == LAST_DOT ? at->dir : directory_above(at);

        walk_end_at_directory(walk, dir, walk->last);
        return 0;
    }
    walk->parent = at->dir;
    walk->name = name;
    walk->name_bytes = bytes;
    walk->entry = directory_find(at->dir, name, bytes);
    walk->inode = walk->entry ? walk->entry->inode : NULL;
    return 0;
}

static bool link_is_followed(const struct walk *walk, bool last, unsigned flags)
{
    if (!walk->inode || !S_ISLNK(walk->inode->mode))
        return false;
    if (!last)
        return true;
    return !(flags & WALK_PARENT) && ((flags & WALK_FOLLOW) || walk->slash);
}

/* What is left to check when the last component was looked up. */
static int walk_finish(const struct walk *walk, unsigned flags)
{
    if (!walk->inode)
        return flags & (WALK_MISSING_OK | WALK_PARENT) ? 0 : -ENOENT;
    if (walk->slash && !(flags & WALK_PARENT) && !S_ISDIR(walk->inode->mode))
        return -ENOTDIR;
    return 0;
}

static int walk_run(struct position *at, unsigned flags, struct walk *walk)
{
    bool slash_wanted = false; /* by a link's place in the path, such as link/ */

    walk_end_at_directory(walk, at->dir, LAST_ROOT);
    for (;;) {
        const char *name;
        bool        last, slash;
        size_t      bytes = component_next(at, &name, &last, &slash);
        int         error;

        if (!bytes)
            return walk_finish(walk, flags);
        error = component_find(at, name, bytes, walk);
        if (error)
            return error;
        walk->slash = last && (slash || slash_wanted);
        if (walk->slash && (flags & WALK_CREATE))
            return -EISDIR;
        if (link_is_followed(walk, last, flags)) {
            slash_wanted = slash_wanted || walk->slash;
            error = link_enter(at, walk->inode);
            if (error)
                return error;
            walk_end_at_directory(walk, at->dir, LAST_ROOT);
            continue;
        }
        if (last)
            return walk_finish(walk, flags);
        if (!walk->inode)
            return -ENOENT;
        at->dir = walk->inode;
    }
}

/* The file behind a descriptor, or the working directory. */
static int start_of(const struct process *process, int dirfd, struct inode **start)
{
    struct file *file;

    if (dirfd == AT_FDCWD) {
        *start = process->cwd;
        return 0;
    }
    file = descriptors_find(&process->descriptors, dirfd);
    if (!file)
        return -EBADF;
    *start = file->inode;
    return 0;
}

int path_walk(const struct process *process, int dirfd, const char *path, unsigned flags,
              struct walk *walk)
{
    struct position at = { .process = process, .rest = path };
    int             error;

    *walk = (struct walk){ .last = LAST_ROOT };
    if (!process->root)
        return -ENOENT; /* it has exited */
    if (!*path && !(flags & WALK_EMPTY))
        return -ENOENT;
    if (*path == '/') {
        at.dir = process->root;
    } else {
        error = start_of(process, dirfd, &at.dir);
        if (error)
            return error;
    }
    if (!*path) {
        walk_end_at_directory(walk, at.dir, LAST_ROOT);
        walk->empty = true;
        return 0;
    }
    return walk_run(&at, flags, walk);
}

static int walk_copied(struct call *call, char *buffer, uint64_t dirfd, uint64_t path,
                       unsigned flags, struct walk *walk)
{
    int error = copy_in_string(call, buffer, path, PATH_MAX);

    return error ? error : path_walk(call_process(call), (int)dirfd, buffer, flags, walk);
}

int path_walk_user(struct call *call, uint64_t dirfd, uint64_t path, unsigned flags,
                   struct walk *walk)
{
    static char buffer[PATH_MAX]; /* requests are serialised */

    return walk_copied(call, buffer, dirfd, path, flags, walk);
}

int path_walk_second(struct call *call, uint64_t dirfd, uint64_t path, unsigned flags,
                     struct walk *walk)
{
    static char buffer[PATH_MAX];

    return walk_copied(call, buffer, dirfd, path, flags, walk);
}

unsigned walk_flags_from_at(uint64_t at_flags)
{
    return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
           (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

const char *path_of_directory(const struct process *process, const struct inode *dir,
                              char *buffer, size_t room, int *error)
{
    char *start = buffer + room;

    must(room >= 2);
    *--start = 0;
    if (dir == process->root)
        *--start = '/';
    while (dir != process->root) {
        const struct dentry *self = dir->directory.self;

        *error = self ? -ENAMETOOLONG : -ENOENT;
        if (!self || self->name_bytes + 1u > (size_t)(start - buffer))
            return NULL;
        start -= self->name_bytes;
        memcpy(start, self->name, self->name_bytes);
        *--start = '/';
        dir = self->parent;
    }
    return start;
}
