#include <servers/vfs/process.h>

#include <lib/native/native.h>
#include <servers/vfs/inode.h>
#include <servers/vfs/locks.h>
#include <stdlib.h>

#define DEFAULT_UMASK 022u

static struct process *processes; /* by pid */

struct process *call_process(const struct call *call)
{
    must(call->slot && call->slot->data);
    return call->slot->data;
}

struct process *process_find(uint32_t pid)
{
    struct process *process;

    HASH_FIND(hh, processes, &pid, sizeof pid, process);
    return process;
}

static void space_release(cap_sel_t space)
{
    if (space != SEL_NONE)
        ipc_cap_drop(space);
}

/* Without directories, descriptors and space. */
static struct process *process_alloc(uint32_t pid)
{
    struct process *process = calloc(1, sizeof *process);

    if (!process)
        return NULL;
    process->pid = pid;
    process->refs = 1;
    process->umask = DEFAULT_UMASK;
    process->space = SEL_NONE;
    HASH_ADD(hh, processes, pid, sizeof process->pid, process);
    if (!process->hh.tbl) {
        free(process);
        return NULL;
    }
    return process;
}

struct process *process_create(uint32_t pid, struct inode *root, cap_sel_t space)
{
    struct process *process = process_alloc(pid);

    if (!process)
        return NULL;
    process->root = inode_get(root);
    process->cwd = inode_get(root);
    process->space = space;
    return process;
}

struct process *process_fork(uint32_t pid, const struct process *parent, cap_sel_t space)
{
    struct process *process = process_alloc(pid);

    if (!process)
        return NULL;
    process->root = inode_get(parent->root);
    process->cwd = inode_get(parent->cwd);
    process->umask = parent->umask;
    process->credentials = parent->credentials;
    if (descriptors_copy(&process->descriptors, &parent->descriptors)) {
        process_exit(process);
        return NULL;
    }
    process->space = space;
    return process;
}

static void process_put(struct process *process)
{
    must(process->refs > 0);
    if (--process->refs)
        return;
    descriptors_close_all(&process->descriptors, process); /* made by calls after its exit */
    free(process);
}

void process_exit(struct process *process)
{
    descriptors_close_all(&process->descriptors, process);
    inode_put(process->root);
    inode_put(process->cwd);
    process->root = process->cwd = NULL;
    space_release(process->space);
    process->space = SEL_NONE;
    HASH_DEL(processes, process);
    process_put(process);
}

void process_exec(struct process *process, cap_sel_t space)
{
    space_release(process->space);
    process->space = space;
    descriptors_close_marked(&process->descriptors, process);
}

int process_on_bind(struct slot *slot)
{
    struct process *former = slot->data;
    struct process *process = NULL;

    if (slot->owner) {
        process = process_find(slot->owner);
        if (!process)
            return -ESRCH;
        process->refs++;
    }
    slot->data = process;
    if (former)
        process_put(former);
    return 0;
}

cap_sel_t process_space_of(struct slot *slot)
{
    const struct process *process = slot->data;

    return process ? process->space : SEL_NONE;
}
