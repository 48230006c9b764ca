/*
 * pipe(2), pipe2(2).
 */
#include <servers/vfs/file.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <servers/vfs/pipe.h>
#include <servers/vfs/process.h>

/* One end of a new pipe. */
static struct file *pipe_end(struct inode *inode, unsigned flags)
{
    struct file *file = file_create(inode, &pipe_ops, flags);

    if (file)
        pipe_attach(file);
    return file;
}

/* Two open files; takes the reference to inode. Returns 0 or -ENOMEM. */
static int pipe_ends(struct inode *inode, unsigned flags, struct file *end[2])
{
    end[0] = end[1] = NULL;
    if (inode && pipe_of(inode)) {
        inode->nlink = 1;
        end[0] = pipe_end(inode, O_RDONLY | flags);
        end[1] = pipe_end(inode, O_WRONLY | flags);
    }
    inode_put(inode);
    if (end[0] && end[1])
        return 0;
    for (unsigned i = 0; i < 2; i++)
        if (end[i])
            file_put(end[i]);
    return -ENOMEM;
}

/* Two descriptors, with room in the table. */
static int reserve_two(struct descriptors *all, int fd[2])
{
    fd[0] = descriptors_reserve(all, 0);
    if (fd[0] < 0)
        return fd[0];
    if (fd[0] + 1u >= DESCRIPTORS_MAX)
        return -EMFILE;
    fd[1] = descriptors_reserve(all, (unsigned)fd[0] + 1);
    return fd[1] < 0 ? fd[1] : 0;
}

static int64_t make_pipe(struct call *call, uint64_t flags)
{
    struct process           *process = call_process(call);
    const struct credentials *who = &process->credentials;
    struct file              *end[2];
    int                       fd[2];
    int                       error;

    if (flags & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    if (flags & O_DIRECT) /* packets */
        return -EINVAL;
    error = reserve_two(&process->descriptors, fd);
    if (error)
        return error;
    if (copy_out(call, call->arg[0], fd, sizeof fd)) /* first, as nothing can fail after it */
        return 0;
    error = pipe_ends(inode_create(S_IFIFO | 0600, who->uid, who->gid),
                      (unsigned)flags & O_NONBLOCK, end);
    if (error)
        return error;
    descriptors_set(&process->descriptors, fd[0], end[0], flags & O_CLOEXEC);
    descriptors_set(&process->descriptors, fd[1], end[1], flags & O_CLOEXEC);
    return 0;
}

int64_t sys_pipe(struct call *call) { return make_pipe(call, 0); }

int64_t sys_pipe2(struct call *call) { return make_pipe(call, call->arg[1]); }
