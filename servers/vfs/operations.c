/*
 * The server's own operations: proto/vfs.def.
 */
#include "gen/vfs_server.h"

#include <linux/mman.h>
#include <lib/native/native.h>
#include <servers/vfs/console.h>
#include <servers/vfs/content.h>
#include <servers/vfs/file.h>
#include <servers/vfs/operations.h>
#include <servers/vfs/path.h>
#include <servers/vfs/permission.h>
#include <servers/vfs/terminal.h>
#include <string.h>

#define PAGES_AT_ONCE 64u
#define READ_BYTES    3072u

static struct inode *root_directory;
static cap_sel_t     input_semaphore = SEL_NONE;

void operations_init(struct inode *root) { root_directory = root; }

void operations_use_input(cap_sel_t semaphore) { input_semaphore = semaphore; }

/* ---- processes ---------------------------------------------------------------------------- */

/* The first process. On failure the capability stays with the kit. */
static int first_process_create(uint32_t pid, uint32_t stdio, cap_sel_t space)
{
    struct process *process = process_create(pid, root_directory, SEL_NONE);

    if (!process)
        return -ENOMEM;
    if (console_open_stdio(process, stdio)) {
        process_exit(process);
        return -ENOMEM;
    }
    process->space = space;
    return 0;
}

int64_t vfs_op_process_create(struct call *call, uint32_t pid, uint32_t parent, uint32_t stdio,
                              cap_sel_t space)
{
    const struct process *from;

    (void)call;
    if (pid == 0)
        return -EINVAL;
    if (process_find(pid))
        return -EEXIST;
    if (!parent)
        return first_process_create(pid, stdio, space);
    from = process_find(parent);
    if (!from)
        return -ESRCH;
    return process_fork(pid, from, space) ? 0 : -ENOMEM;
}

int64_t vfs_op_process_exit(struct call *call, uint32_t pid)
{
    struct process *process = process_find(pid);

    (void)call;
    if (!process)
        return -ESRCH;
    process_exit(process);
    return 0;
}

int64_t vfs_op_process_exec(struct call *call, uint32_t pid, cap_sel_t space)
{
    struct process *process = process_find(pid);

    (void)call;
    if (!process)
        return -ESRCH;
    process_exec(process, space);
    return 0;
}

int64_t vfs_op_process_credentials(struct call *call, uint32_t pid, uint32_t fsuid, uint32_t fsgid,
                                   const void *groups, size_t groups_bytes)
{
    struct process     *process = process_find(pid);
    struct credentials *who;

    (void)call;
    if (!process)
        return -ESRCH;
    if (groups_bytes % sizeof(uint32_t) || groups_bytes > sizeof who->groups)
        return -EINVAL;
    who = &process->credentials;
    who->uid = fsuid;
    who->gid = fsgid;
    who->group_count = (uint32_t)(groups_bytes / sizeof(uint32_t));
    memcpy(who->groups, groups, groups_bytes);
    return 0;
}

int64_t vfs_op_process_chdir(struct call *call, uint32_t pid, const char *path)
{
    struct process *process = process_find(pid);
    struct inode   *former;
    struct walk     walk;
    int             error;

    (void)call;
    if (!process)
        return -ESRCH;
    error = path_walk(process, AT_FDCWD, path, WALK_FOLLOW, &walk);
    if (error)
        return error;
    if (!S_ISDIR(walk.inode->mode))
        return -ENOTDIR;
    former = process->cwd;
    process->cwd = inode_get(walk.inode);
    inode_put(former);
    return 0;
}

/* ---- programs and mappings ---------------------------------------------------------------- */

static int check_executable(const struct process *process, const struct inode *inode)
{
    if (S_ISLNK(inode->mode))
        return -ELOOP;
    if (!S_ISREG(inode->mode))
        return -EACCES;
    if (permission_check(inode, &process->credentials, MAY_EXECUTE))
        return -EACCES;
    return inode->writers ? -ETXTBSY : 0;
}

int64_t vfs_op_exec_open(struct call *call, uint32_t pid, int32_t dirfd, uint32_t flags,
                         const char *path, uint64_t *file, uint64_t *file_bytes, uint32_t *mode,
                         uint32_t *uid, uint32_t *gid)
{
    const struct process *process = process_find(pid);
    struct content       *content;
    struct walk           walk;
    int                   error;

    (void)call;
    if (!process)
        return -ESRCH;
    if (flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    error = path_walk(process, dirfd, path, walk_flags_from_at(flags), &walk);
    if (!error)
        error = check_executable(process, walk.inode);
    if (error)
        return error;
    content = content_create(walk.inode, CONTENT_EXECUTE);
    if (!content)
        return -ENOMEM;
    *file = content_id(content);
    *file_bytes = walk.inode->size;
    *mode = walk.inode->mode;
    *uid = walk.inode->uid;
    *gid = walk.inode->gid;
    return 0;
}

int64_t vfs_op_file_read(struct call *call, uint64_t file, uint64_t offset, void *data,
                         size_t *data_bytes)
{
    const struct content *content = content_find(file);
    const struct inode   *inode = content ? content_inode(content) : NULL;
    size_t                room = *data_bytes < READ_BYTES ? *data_bytes : READ_BYTES;
    size_t                total = 0;

    (void)call;
    *data_bytes = 0;
    if (!inode)
        return -EBADF;
    while (total < room && offset < inode->size) {
        uint64_t    to_end = inode->size - offset;
        const void *at;
        size_t      run = pages_read_run(&inode->pages, offset,
                                         to_end < room - total ? to_end : room - total, &at);

        memcpy((uint8_t *)data + total, at, run);
        total += run;
        offset += run;
    }
    *data_bytes = total;
    return 0;
}

int64_t vfs_op_file_pages(struct call *call, uint64_t file, uint64_t index, uint32_t pages,
                          void *frames, size_t *frames_bytes)
{
    struct content *content = content_find(file);
    uint64_t        found[PAGES_AT_ONCE];
    uint64_t        count = 0, end;

    (void)call;
    must(*frames_bytes >= sizeof found);
    *frames_bytes = 0;
    if (!content)
        return -EBADF;
    end = (content_inode(content)->size + PAGE_BYTES - 1) / PAGE_BYTES;
    while (count < pages && count < PAGES_AT_ONCE && index + count < end &&
           index + count >= index) {
        found[count] = content_frame(content, index + count);
        if (!found[count])
            break;
        count++;
    }
    if (!count && pages && index < end)
        return -ENOMEM;
    memcpy(frames, found, count * sizeof *found);
    *frames_bytes = count * sizeof *found;
    return (int64_t)count;
}

int64_t vfs_op_file_release(struct call *call, uint64_t file)
{
    struct content *content = content_find(file);

    (void)call;
    if (!content)
        return -EBADF;
    content_release(content);
    return 0;
}

int64_t vfs_op_file_map(struct call *call, uint32_t pid, int32_t fd, uint32_t prot, uint32_t flags,
                        uint64_t *file, uint64_t *file_bytes)
{
    const struct process *process = process_find(pid);
    const struct file    *open_file = process ? descriptors_find(&process->descriptors, fd) : NULL;
    bool                  shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    struct content       *content;

    (void)call;
    if (!open_file || (open_file->flags & O_PATH))
        return -EBADF;
    if (!S_ISREG(open_file->inode->mode))
        return -ENODEV;
    if (!open_file->can_read || (shared && (prot & PROT_WRITE) && !open_file->can_write))
        return -EACCES;
    content = content_create(open_file->inode, shared ? CONTENT_MAP_SHARED : CONTENT_MAP);
    if (!content)
        return -ENOMEM;
    *file = content_id(content);
    *file_bytes = open_file->inode->size;
    return 0;
}

/* ---- console input ------------------------------------------------------------------------ */

int64_t vfs_op_input_semaphore(struct call *call, cap_sel_t *sem)
{
    (void)call;
    *sem = input_semaphore;
    return input_semaphore == SEL_NONE ? -ENODEV : 0;
}

int64_t vfs_op_input(struct call *call, uint32_t *signal, uint32_t *pgrp)
{
    struct terminal *terminal = console_terminal();

    (void)call;
    console_pull();
    *signal = 0;
    *pgrp = terminal->pgrp;
    if (!terminal->signals)
        return 0;
    *signal = (uint32_t)__builtin_ctzll(terminal->signals);
    terminal->signals &= terminal->signals - 1;
    return terminal->signals != 0;
}
