/*
 * open(2), openat(2), creat(2).
 */
#include <servers/vfs/file.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/kinds.h>
#include <servers/vfs/node.h>
#include <servers/vfs/permission.h>
#include <servers/vfs/pipe.h>

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
/* What is remembered for F_GETFL. */
#define STATUS_FLAGS                                                                               \
    ((unsigned)(O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT | O_LARGEFILE | O_NOATIME |  \
                O_DIRECTORY | O_NOFOLLOW | O_PATH | O_TMPFILE | O_DSYNC | FASYNC))

/* In slot->aux, while open(2) waits for the other end of a FIFO. */
enum { AUX_FILE = 0, AUX_SEEN_OPENS = 1 };

struct request {
    struct process *process;
    unsigned        flags;
    uint32_t        mode; /* of a new file */
};

/* MAY_* that the access mode needs. */
static unsigned access_needed(unsigned flags)
{
    static const unsigned by_mode[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
                                        MAY_READ | MAY_WRITE };

    return by_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static bool wants_write(unsigned flags) { return access_needed(flags) & MAY_WRITE; }

/* Whether flags allow what was found, and credentials allow the flags. */
static int check_existing(const struct request *request, const struct inode *inode)
{
    const struct credentials *who = &request->process->credentials;
    unsigned                  flags = request->flags;
    int                       error;

    if ((flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (S_ISLNK(inode->mode) && !(flags & O_DIRECTORY))
        return -ELOOP;
    if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
        return -ENOTDIR;
    if (S_ISDIR(inode->mode) && (wants_write(flags) || (flags & O_CREAT)))
        return -EISDIR;
    error = permission_check(inode, who, access_needed(flags));
    if (error)
        return error;
    if ((flags & O_NOATIME) && !permission_is_owner(inode, who))
        return -EPERM;
    if (wants_write(flags) && inode->executions)
        return -ETXTBSY;
    return kind_of(inode) ? 0 : -ENXIO;
}

static struct file *open_inode(const struct request *request, struct inode *inode)
{
    const struct file_ops *ops = request->flags & O_PATH ? &path_ops : kind_of(inode);
    unsigned               large = request->flags & O_PATH ? 0 : O_LARGEFILE;

    return file_create(inode, ops, (request->flags & STATUS_FLAGS) | large);
}

static int open_existing(const struct request *request, struct inode *inode, struct file **file)
{
    int error = check_existing(request, inode);

    if (error)
        return error;
    if (S_ISFIFO(inode->mode) && !pipe_of(inode))
        return -ENOMEM;
    *file = open_inode(request, inode);
    if (!*file)
        return -ENOMEM;
    if ((request->flags & O_TRUNC) && S_ISREG(inode->mode)) {
        error = inode_resize(inode, 0);
        if (error)
            file_put(*file);
    }
    return error;
}

static int open_path_only(const struct request *request, struct inode *inode, struct file **file)
{
    if ((request->flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
        return -ENOTDIR;
    *file = open_inode(request, inode);
    return *file ? 0 : -ENOMEM;
}

/* A new regular file with an open file on it: named, or for O_TMPFILE nameless in dir. */
static int open_new(const struct request *request, const struct walk *walk, struct inode *dir,
                    struct file **file)
{
    struct inode *inode;
    int           error = permission_add(dir, &request->process->credentials);

    if (error)
        return error;
    inode = node_create(request->process, dir, S_IFREG | request->mode);
    if (!inode)
        return -ENOMEM;
    *file = open_inode(request, inode);
    if (!*file)
        error = -ENOMEM;
    else if (walk)
        error = directory_add(dir, walk->name, walk->name_bytes, inode);
    else
        inode->linkable = !(request->flags & O_EXCL);
    if (error && *file)
        file_put(*file);
    inode_put(inode);
    return error;
}

static int open_temporary(const struct request *request, const struct walk *walk,
                          struct file **file)
{
    if (!S_ISDIR(walk->inode->mode))
        return -ENOTDIR;
    return open_new(request, NULL, walk->inode, file);
}

static int open_walked(const struct request *request, const struct walk *walk, struct file **file)
{
    *file = NULL;
    if (request->flags & O_PATH)
        return open_path_only(request, walk->inode, file);
    if (request->flags & TMPFILE_BIT)
        return open_temporary(request, walk, file);
    if (walk->inode)
        return open_existing(request, walk->inode, file);
    return open_new(request, walk, walk->parent, file);
}

/* Cleans the flags as Linux does. Returns 0 or -EINVAL. */
static int request_check(struct request *request)
{
    unsigned flags = request->flags;

    if (flags & O_PATH)
        request->flags = flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    else if (flags & TMPFILE_BIT)
        return (flags & O_TMPFILE) == O_TMPFILE && wants_write(flags & O_ACCMODE) &&
                       !(flags & O_CREAT)
                   ? 0
                   : -EINVAL;
    else if ((flags & O_CREAT) && (flags & O_DIRECTORY))
        return -EINVAL;
    return 0;
}

static unsigned request_walk_flags(unsigned flags)
{
    unsigned walk_flags = 0;

    if (!(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)))
        walk_flags |= WALK_FOLLOW;
    if (flags & O_CREAT)
        walk_flags |= WALK_MISSING_OK | WALK_CREATE;
    return walk_flags;
}

static int64_t install(struct process *process, int fd, struct file *file, unsigned flags)
{
    descriptors_set(&process->descriptors, fd, file, flags & O_CLOEXEC);
    return fd;
}

/* Opening one end of a FIFO waits for the other: fifo(7). The open file exists meanwhile. */
static int64_t fifo_wait(struct call *call, struct file *file)
{
    struct wait_queue *queue;
    int64_t            answer;

    if (!pipe_open_must_wait(file, call->slot->aux[AUX_SEEN_OPENS], &queue))
        return 0;
    answer = call_wait(call, queue, 0);
    return answer < 0 ? answer : 1;
}

/* Another attempt at an open that waited, with its file. */
static int64_t fifo_continue(struct call *call, unsigned flags)
{
    struct file    *file = (struct file *)call->slot->aux[AUX_FILE];
    struct process *process = call_process(call);
    int64_t         answer = call->reason == CALL_INTERRUPTED ? -CALL_RESTARTS : fifo_wait(call, file);
    int             fd;

    if (answer > 0)
        return 0;
    fd = answer < 0 ? (int)answer : descriptors_reserve(&process->descriptors, 0);
    call->slot->aux[AUX_FILE] = 0;
    if (fd >= 0)
        return install(process, fd, file, flags);
    file_put(file);
    return fd;
}

static int64_t fifo_begin(struct call *call, struct file *file, unsigned flags)
{
    bool only_write = file->can_write && !file->can_read;

    if (only_write && (flags & O_NONBLOCK) && !pipe_has_readers(file->inode->pipe)) {
        pipe_attach(file);
        file_put(file);
        return -ENXIO;
    }
    pipe_attach(file);
    call->slot->aux[AUX_FILE] = (uint64_t)file;
    call->slot->aux[AUX_SEEN_OPENS] =
        flags & O_NONBLOCK ? UINT64_MAX : pipe_opens_of_other_end(file);
    return fifo_continue(call, flags);
}

static int64_t open_at(struct call *call, uint64_t dirfd, uint64_t path, unsigned flags,
                       uint64_t mode)
{
    struct request request = { .process = call_process(call),
                               .flags = flags,
                               .mode = (uint32_t)mode & MODE_PERMISSIONS };
    struct walk    walk;
    struct file   *file;
    int            error, fd;

    if (call->slot->aux[AUX_FILE])
        return fifo_continue(call, flags);
    if (call->reason == CALL_INTERRUPTED || call->reason == CALL_FAULTED)
        return call->reason == CALL_INTERRUPTED ? -CALL_RESTARTS : -EFAULT;
    error = request_check(&request);
    if (error)
        return error;
    error = path_walk_user(call, dirfd, path, request_walk_flags(request.flags), &walk);
    if (error)
        return error;
    fd = descriptors_reserve(&request.process->descriptors, 0);
    if (fd < 0)
        return fd;
    error = open_walked(&request, &walk, &file);
    if (error)
        return error;
    if (S_ISFIFO(file->inode->mode) && !(flags & O_PATH))
        return fifo_begin(call, file, flags);
    return install(request.process, fd, file, flags);
}

int64_t sys_open(struct call *call)
{
    return open_at(call, (uint64_t)AT_FDCWD, call->arg[0], (unsigned)call->arg[1], call->arg[2]);
}

int64_t sys_openat(struct call *call)
{
    return open_at(call, call->arg[0], call->arg[1], (unsigned)call->arg[2], call->arg[3]);
}

int64_t sys_creat(struct call *call)
{
    return open_at(call, (uint64_t)AT_FDCWD, call->arg[0], O_CREAT | O_WRONLY | O_TRUNC,
                   call->arg[1]);
}
