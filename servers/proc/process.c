/*
 * Processes and threads come into being and end.
 */
#include "proc.h"

#include <gen/proc_server.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_TIMER_SLACK_NS 50000u

static struct process *processes;
static struct thread *threads;

struct process *process_find(uint32_t pid)
{
    struct process *process;

    HASH_FIND(hh, processes, &pid, sizeof pid, process);
    return process;
}

struct thread *thread_find(uint32_t tid)
{
    struct thread *thread;

    HASH_FIND(hh, threads, &tid, sizeof tid, thread);
    return thread;
}

/* Linux's pid_t arguments are ints: the upper half of the register does not count. */
struct process *process_named(const struct call *call, uint64_t pid)
{
    return (uint32_t)pid ? process_find((uint32_t)pid) : process_of(call);
}

struct thread *thread_named(const struct call *call, uint64_t tid)
{
    return (uint32_t)tid ? thread_find((uint32_t)tid) : thread_of(call);
}

struct process *process_first(void) { return processes; }
uint64_t process_count(void) { return HASH_COUNT(processes); }
uint64_t thread_count(void) { return HASH_COUNT(threads); }

/* ---- threads ------------------------------------------------------------------- */

static struct thread *thread_new(struct process *process, uint32_t tid)
{
    struct thread *thread = calloc(1, sizeof *thread);

    if (!thread)
        return NULL;
    thread->tid = tid;
    thread->process = process;
    thread->timer_slack_ns = DEFAULT_TIMER_SLACK_NS;
    thread->time_source = SEL_NONE;
    thread->alt_stack.ss_flags = SS_DISABLE;
    HASH_ADD(hh, threads, tid, sizeof thread->tid, thread);
    if (!thread->hh.tbl) {
        free(thread);
        return NULL;
    }
    thread->next = process->threads;
    process->threads = thread;
    return thread;
}

static void thread_free(struct thread *thread)
{
    struct thread **link = &thread->process->threads;

    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
    thread->process->time_ns += thread_time_ns(thread);
    ipc_cap_drop(thread->time_source);
    HASH_DELETE(hh, threads, thread);
    id_unref(thread->tid);
    free(thread);
}

/* A new thread begins with the name, mask and niceness of its creator. */
static void thread_inherit(struct thread *thread, const struct thread *creator)
{
    memcpy(thread->name, creator->name, sizeof thread->name);
    thread->mask = creator->mask;
    thread->nice = creator->nice;
    thread->timer_slack_ns = creator->timer_slack_ns;
}

int64_t proc_op_thread_create(struct call *call, uint32_t pid, uint32_t *tid)
{
    struct process *process = process_find(pid);
    struct thread *thread;

    (void)call;
    if (!process || process->zombie || !process->threads)
        return -ESRCH;
    *tid = id_alloc();
    if (!*tid)
        return -EAGAIN;
    thread = thread_new(process, *tid);
    if (!thread) {
        id_unref(*tid);
        return -ENOMEM;
    }
    thread_inherit(thread, thread->next);
    return 0;
}

int64_t proc_op_thread_exit(struct call *call, uint32_t pid, uint32_t tid)
{
    struct thread *thread = thread_find(tid);

    (void)call;
    if (!thread || thread->process->pid != pid)
        return -ESRCH;
    thread_free(thread);
    return 0;
}

int64_t proc_op_thread_time_source(struct call *call, uint32_t tid, cap_sel_t sc)
{
    struct thread *thread = thread_find(tid);

    (void)call;
    if (!thread)
        return -ESRCH;
    thread->time_ns = thread_time_ns(thread);
    ipc_cap_drop(thread->time_source);
    thread->time_source = sc;
    return 0;
}

/* ---- processes ------------------------------------------------------------------- */

static void process_init_first(struct process *process)
{
    process->dumpable = true;
    limits_init(process->limits);
    credentials_init(&process->cred, 0, 0);
    process->group = process->session = process->pid;
}

/* fork(2): what a child has of its parent. */
static void process_inherit(struct process *process, const struct process *parent)
{
    process->parent = parent->pid;
    process->group = parent->group;
    process->session = parent->session;
    process->dumpable = parent->dumpable;
    process->no_new_privs = parent->no_new_privs;
    process->personality = parent->personality;
    process->cred = parent->cred;
    memcpy(process->limits, parent->limits, sizeof process->limits);
    memcpy(process->actions, parent->actions, sizeof process->actions);
}

static void process_free(struct process *process)
{
    while (process->threads)
        thread_free(process->threads);
    if (process->hh.tbl) {
        HASH_DELETE(hh, processes, process);
        id_unref(process->group);
        id_unref(process->session);
    }
    id_unref(process->pid);
    ipc_cap_drop(process->space);
    free(process);
}

/* With all that can fail; the caller undoes it with process_free. */
static bool process_enter(struct process *process, const struct process *parent)
{
    struct thread *thread;

    HASH_ADD(hh, processes, pid, sizeof process->pid, process);
    if (!process->hh.tbl)
        return false;
    id_ref(process->group);
    id_ref(process->session);
    id_ref(process->pid); /* the thread's */
    thread = thread_new(process, process->pid);
    if (!thread) {
        id_unref(process->pid);
        return false;
    }
    if (parent && parent->threads)
        thread_inherit(thread, parent->threads);
    return true;
}

int64_t proc_op_process_create(struct call *call, uint32_t parent_pid, cap_sel_t space,
                               uint32_t *pid)
{
    struct process *parent = process_find(parent_pid), *process;

    (void)call;
    if (parent_pid && (!parent || parent->zombie))
        return -ESRCH;
    process = calloc(1, sizeof *process);
    if (!process)
        return -ENOMEM;
    process->space = SEL_NONE;
    process->pid = id_alloc();
    if (!process->pid) {
        free(process);
        return -EAGAIN;
    }
    if (parent)
        process_inherit(process, parent);
    else
        process_init_first(process);
    if (!process_enter(process, parent)) {
        process_free(process);
        return -ENOMEM;
    }
    process->space = space;
    *pid = process->pid;
    return 0;
}

/* Children of a process that ends lose their parent; zombies among them go. */
static void children_abandon(uint32_t parent)
{
    struct process *child, *next;

    HASH_ITER(hh, processes, child, next) {
        if (child->parent != parent)
            continue;
        child->parent = 0;
        if (child->zombie)
            process_free(child);
    }
}

int64_t proc_op_process_exit(struct call *call, uint32_t pid, uint32_t status)
{
    struct process *process = process_find(pid);

    (void)call;
    if (!process || process->zombie)
        return -ESRCH;
    children_abandon(pid);
    if (!process->parent) {
        process_free(process);
        return 0;
    }
    while (process->threads)
        thread_free(process->threads);
    ipc_cap_drop(process->space);
    process->space = SEL_NONE;
    process->status = status;
    process->zombie = true;
    return 0;
}

int64_t proc_op_process_identity(struct call *call, uint32_t pid, uint32_t uid, uint32_t gid)
{
    struct process *process = process_find(pid);

    (void)call;
    if (!process)
        return -ESRCH;
    if (uid == UINT32_MAX || gid == UINT32_MAX)
        return -EINVAL;
    credentials_init(&process->cred, uid, gid);
    return 0;
}

/* ---- execve(2) -------------------------------------------------------------------- */

/* The credentials that a file of this mode and owner gives. Returns AT_SECURE. */
static bool credentials_for_exec(const struct process *process, uint32_t mode, uint32_t uid,
                                 uint32_t gid, struct credentials *cred)
{
    *cred = process->cred;
    if (!process->no_new_privs) {
        if (mode & S_ISUID)
            cred->uid.effective = uid;
        if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
            cred->gid.effective = gid;
    }
    cred->uid.saved = cred->uid.fs = cred->uid.effective;
    cred->gid.saved = cred->gid.fs = cred->gid.effective;
    capabilities_after_exec(cred);
    return cred->uid.effective != cred->uid.real || cred->gid.effective != cred->gid.real;
}

int64_t proc_op_exec_credentials(struct call *call, uint32_t pid, uint32_t mode, uint32_t uid,
                                 uint32_t gid, uint32_t *new_uid, uint32_t *new_euid,
                                 uint32_t *new_gid, uint32_t *new_egid, uint32_t *secure)
{
    const struct process *process = process_find(pid);
    struct credentials cred;

    (void)call;
    if (!process || process->zombie)
        return -ESRCH;
    *secure = credentials_for_exec(process, mode, uid, gid, &cred);
    *new_uid = cred.uid.real;
    *new_euid = cred.uid.effective;
    *new_gid = cred.gid.real;
    *new_egid = cred.gid.effective;
    return 0;
}

/* The thread that called execve is the only one left and takes the process's id. */
static struct thread *thread_survivor(struct process *process)
{
    struct thread *thread = process->threads;

    must(thread && !thread->next);
    thread->clear_tid = 0;
    thread->robust_list = 0;
    return thread;
}

int64_t proc_op_process_exec(struct call *call, uint32_t pid, uint32_t mode, uint32_t uid,
                             uint32_t gid, cap_sel_t space, const char *name, uint32_t *secure)
{
    struct process *process = process_find(pid);
    struct thread *thread;
    struct credentials cred;

    (void)call;
    if (!process || process->zombie || !process->threads || process->threads->next)
        return -ESRCH;
    *secure = credentials_for_exec(process, mode, uid, gid, &cred);
    process->cred = cred;
    ipc_cap_drop(process->space);
    process->space = space;
    process->has_execed = true;
    process->dumpable = !*secure;
    if (*secure)
        process->death_signal = 0;
    thread = thread_survivor(process);
    signals_after_exec(process, thread);
    memset(thread->name, 0, sizeof thread->name);
    memcpy(thread->name, name, strnlen(name, sizeof thread->name - 1));
    return 0;
}

/* ---- hooks of the kit ----------------------------------------------------------------- */

int proc_on_bind(struct slot *slot)
{
    struct thread *thread;

    if (!slot->owner) {
        slot->data = NULL;
        return 0;
    }
    thread = thread_find(slot->tid);
    if (!thread || thread->process->pid != slot->owner)
        return -ESRCH;
    slot->data = thread;
    return 0;
}

cap_sel_t proc_space_of(struct slot *slot)
{
    const struct thread *thread = slot->data;

    return thread ? thread->process->space : SEL_NONE;
}
