#include <servers/vfs/archive.h>

#include <lib/native/native.h>
#include <servers/vfs/path.h>
#include <servers/vfs/tar.h>
#include <string.h>

#define LOG_LINES_MAX 20u

/* Who unpacks: the superuser, for path_walk. */
static struct process unpacker;

/* Brings a path into the form a/b/c, in place. Returns false if it leads upwards. */
static bool path_normalise(char *path)
{
    char *to = path;

    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");

        if (length == 2 && at[0] == '.' && at[1] == '.')
            return false;
        if (length && !(length == 1 && at[0] == '.')) {
            if (to != path)
                *to++ = '/';
            memmove(to, at, length);
            to += length;
        }
        at += length;
        at += strspn(at, "/");
    }
    *to = 0;
    return true;
}

/* Adds an inode under the name where the walk ended. Takes the reference; NULL is -ENOMEM. */
static int node_place(const struct walk *walk, struct inode *inode)
{
    int error;

    if (!inode)
        return -ENOMEM;
    error = directory_add(walk->parent, walk->name, walk->name_bytes, inode);
    inode_put(inode);
    return error;
}

/* Makes the directories above path that are missing. path is changed and restored. */
static int parents_make(char *path)
{
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        struct walk walk;
        int         error;

        *slash = 0;
        error = path_walk(&unpacker, AT_FDCWD, path, WALK_FOLLOW | WALK_MISSING_OK, &walk);
        if (!error && !walk.inode)
            error = node_place(&walk, inode_create(S_IFDIR | 0755, 0, 0));
        *slash = '/';
        if (error)
            return error;
    }
    return 0;
}

/* Where path goes, with the directories above it made. */
static int place_find(char *path, struct walk *walk)
{
    int error = path_walk(&unpacker, AT_FDCWD, path, WALK_PARENT, walk);

    if (error != -ENOENT)
        return error;
    error = parents_make(path);
    return error ? error : path_walk(&unpacker, AT_FDCWD, path, WALK_PARENT, walk);
}

static void attributes_set(struct inode *inode, const struct tar_entry *entry)
{
    inode->mode = (inode->mode & S_IFMT) | entry->mode;
    inode->uid = entry->uid;
    inode->gid = entry->gid;
    if (entry->mtime > INT64_MAX / NS_PER_SECOND - 1)
        return;
    inode->atime = inode->mtime = inode->ctime = inode->btime = entry->mtime * NS_PER_SECOND;
}

static struct inode *device_create(uint32_t type, const struct tar_entry *entry)
{
    struct inode *inode = inode_create(type, 0, 0);

    if (inode)
        inode->rdev = device_make(entry->major, entry->minor);
    return inode;
}

static struct inode *file_create_borrowed(const struct tar_entry *entry)
{
    struct inode *inode = inode_create(S_IFREG, 0, 0);

    if (!inode)
        return NULL;
    inode->pages.lower = entry->data;
    inode->pages.lower_bytes = inode->size = entry->bytes;
    return inode;
}

static struct inode *inode_from_entry(const struct tar_entry *entry)
{
    switch (entry->type) {
    case TAR_SYMLINK: return inode_create_symlink(entry->target, 0, 0);
    case TAR_CHARACTER: return device_create(S_IFCHR, entry);
    case TAR_BLOCK: return device_create(S_IFBLK, entry);
    case TAR_DIRECTORY: return inode_create(S_IFDIR, 0, 0);
    case TAR_FIFO: return inode_create(S_IFIFO, 0, 0);
    default: return file_create_borrowed(entry);
    }
}

static int hard_link_place(const struct walk *walk, struct tar_entry *entry)
{
    struct walk target;
    int         error;

    if (!path_normalise(entry->target) || !entry->target[0])
        return -EINVAL;
    error = path_walk(&unpacker, AT_FDCWD, entry->target, 0, &target);
    if (error)
        return error;
    if (S_ISDIR(target.inode->mode))
        return -EPERM;
    return directory_add(walk->parent, walk->name, walk->name_bytes, target.inode);
}

/* Directories take the entry's attributes; other files make place. */
static int place_clear(const struct walk *walk, const struct tar_entry *entry, bool *done)
{
    *done = false;
    if (!walk->inode)
        return 0;
    if (!S_ISDIR(walk->inode->mode)) {
        directory_remove(walk->entry);
        return 0;
    }
    if (entry->type != TAR_DIRECTORY)
        return -EISDIR;
    attributes_set(walk->inode, entry);
    *done = true;
    return 0;
}

static int entry_place(const struct walk *walk, struct tar_entry *entry)
{
    struct inode *inode;

    if (entry->type == TAR_HARD_LINK)
        return hard_link_place(walk, entry);
    if (entry->type == TAR_SYMLINK && !entry->target[0])
        return -EINVAL;
    inode = inode_from_entry(entry);
    if (!inode)
        return -ENOMEM;
    if (entry->type != TAR_SYMLINK)
        attributes_set(inode, entry);
    inode_get(inode);
    if (node_place(walk, inode)) {
        inode_put(inode);
        return -ENOMEM;
    }
    attributes_set(inode, entry); /* adding it has touched the times */
    if (entry->type == TAR_SYMLINK)
        inode->mode |= 0777;
    inode_put(inode);
    return 0;
}

static int entry_unpack(struct inode *root, struct tar_entry *entry)
{
    struct walk walk;
    int64_t     parent_mtime;
    bool        done;
    int         error;

    if (!path_normalise(entry->path))
        return -EINVAL;
    if (!entry->path[0]) {
        if (entry->type != TAR_DIRECTORY)
            return -EINVAL;
        attributes_set(root, entry);
        return 0;
    }
    error = place_find(entry->path, &walk);
    if (!error && walk.last != LAST_NAME)
        error = -EINVAL;
    if (error)
        return error;
    parent_mtime = walk.parent->mtime;
    error = place_clear(&walk, entry, &done);
    if (error || done)
        return error;
    error = entry_place(&walk, entry);
    walk.parent->mtime = walk.parent->ctime = parent_mtime;
    return error;
}

uint64_t archive_unpack(struct inode *root, const void *archive, size_t bytes)
{
    static struct tar_entry entry; /* large */
    struct tar_reader       reader = { .base = archive, .bytes = bytes };
    enum tar_result         result;
    const char             *what;
    uint64_t                unpacked = 0, skipped = 0;

    unpacker = (struct process){ .root = root, .cwd = root };
    while ((result = tar_next(&reader, &entry, &what)) != TAR_END) {
        int error = result == TAR_CORRUPT ? 0 : entry_unpack(root, &entry);

        if (result == TAR_ENTRY && !error) {
            unpacked++;
            continue;
        }
        if (++skipped > LOG_LINES_MAX)
            continue;
        if (result == TAR_CORRUPT)
            log_line("archive: %s before offset %zu; skipped", what, reader.at);
        else
            log_line("archive: %s: error %d; skipped", entry.path, -error);
    }
    if (skipped > LOG_LINES_MAX)
        log_line("archive: %lu entries skipped in all", (unsigned long)skipped);
    return unpacked;
}
