/*
 * Processes and threads come into being; what execve(2) makes of them.
 */
#include "proc.h"

#include "timers.h"

#include <gen/proc_server.h>
#include <linux/capability.h>
#include <linux/sched.h>
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
    signals_thread_init(thread, NULL, false);
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
    signals_thread_free(thread);
    HASH_DELETE(hh, threads, thread);
    id_unref(thread->tid);
    free(thread);
}

/* A new thread begins with the name, mask and niceness of its creator. */
static void thread_inherit(struct thread *thread, const struct thread *creator, bool own_memory)
{
    signals_thread_init(thread, creator, own_memory);
    memcpy(thread->name, creator->name, sizeof thread->name);
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
    thread_inherit(thread, thread->next, false);
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
    signals_inherit(process, NULL);
    limits_init(process->limits);
    credentials_init(&process->cred, 0, 0);
    process->group = process->session = process->pid;
}

/* fork(2): what a child has of its parent. */
static void process_inherit(struct process *process, const struct process *parent)
{
    process->group = parent->group;
    process->session = parent->session;
    process->dumpable = parent->dumpable;
    process->no_new_privs = parent->no_new_privs;
    process->personality = parent->personality;
    process->cred = parent->cred;
    memcpy(process->limits, parent->limits, sizeof process->limits);
    signals_inherit(process, parent);
}

void threads_free(struct process *process)
{
    while (process->threads)
        thread_free(process->threads);
}

void process_free(struct process *process)
{
    if (!process->zombie)
        signals_process_free(process);
    threads_free(process);
    child_remove(process);
    if (process->hh.tbl) {
        HASH_DELETE(hh, processes, process);
        id_unref(process->group);
        id_unref(process->session);
    }
    id_unref(process->pid);
    ipc_cap_drop(process->space);
    free(process);
}

/* Memory and a number; without them NULL and *error. */
static struct process *process_alloc(int64_t *error)
{
    struct process *process = calloc(1, sizeof *process);

    *error = -ENOMEM;
    if (!process)
        return NULL;
    process->space = SEL_NONE;
    itimers_init(process);
    process->pid = id_alloc();
    if (process->pid)
        return process;
    free(process);
    *error = -EAGAIN;
    return NULL;
}

/* With all else that can fail; the caller undoes it with process_free. */
static bool process_enter(struct process *process)
{
    HASH_ADD(hh, processes, pid, sizeof process->pid, process);
    if (!process->hh.tbl)
        return false;
    id_ref(process->group);
    id_ref(process->session);
    id_ref(process->pid); /* the thread's */
    if (thread_new(process, process->pid))
        return true;
    id_unref(process->pid);
    return false;
}

/* What a child has in common with its creator. parent: whose child it becomes. */
static int64_t process_make(const struct thread *creator, struct process *parent, uint64_t flags,
                            struct process **made)
{
    int64_t error;
    struct process *process = process_alloc(&error);

    if (!process)
        return error;
    if (creator)
        process_inherit(process, creator->process);
    else
        process_init_first(process);
    if (!process_enter(process)) {
        process_free(process);
        return -ENOMEM;
    }
    if (creator) {
        thread_inherit(process->threads, creator,
                       (flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM);
        child_add(parent, process);
    }
    *made = process;
    return 0;
}

int64_t proc_op_process_create(struct call *call, uint32_t parent_pid, cap_sel_t space,
                               uint32_t *pid)
{
    struct process *parent = process_find(parent_pid), *process;
    int64_t error;

    (void)call;
    if (parent_pid && (!parent || parent->zombie))
        return -ESRCH;
    error = process_make(parent ? parent->threads : NULL, parent, 0, &process);
    if (error)
        return error;
    process->space = space;
    *pid = process->pid;
    return 0;
}

/* ---- fork(2) ---------------------------------------------------------------------- */

/* RLIMIT_NPROC of getrlimit(2): zombies count, the privileged are exempt. */
static bool may_have_another(const struct process *process)
{
    const struct credentials *cred = &process->cred;
    uint64_t limit = process->limits[RLIMIT_NPROC].rlim_cur, count = 0;

    if (cred->uid.real == 0 || credentials_capable(cred, CAP_SYS_RESOURCE) ||
        credentials_capable(cred, CAP_SYS_ADMIN))
        return true;
    for (const struct process *other = processes; other; other = other->hh.next)
        count += other->cred.uid.real == cred->uid.real;
    return count < limit;
}

/* Signals with handlers go back to the default, CLONE_CLEAR_SIGHAND. */
static void handlers_clear(struct process *process)
{
    for (unsigned signal = 1; signal <= SIGNAL_COUNT; signal++)
        if (signal_effect(process, signal) == SIGNAL_HANDLED)
            memset(&process->sig.actions[signal - 1], 0, sizeof process->sig.actions[0]);
}

int64_t proc_op_process_fork(struct call *call, uint32_t parent_tid, uint64_t flags,
                             uint32_t exit_signal, uint64_t clear_tid, cap_sel_t space,
                             uint32_t *pid)
{
    const struct thread *creator = thread_find(parent_tid);
    struct process *process, *parent;
    int64_t error;

    (void)call;
    if (!creator)
        return -ESRCH;
    parent = flags & CLONE_PARENT ? process_find(creator->process->parent) : creator->process;
    if (!parent)
        return -ESRCH;
    if (!may_have_another(creator->process))
        return -EAGAIN;
    error = process_make(creator, parent, flags, &process);
    if (error)
        return error;
    if (flags & CLONE_CLEAR_SIGHAND)
        handlers_clear(process);
    process->sig.exit_signal = exit_signal;
    process->threads->clear_tid = clear_tid;
    process->space = space;
    *pid = process->pid;
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
    struct thread *thread = slot->data;

    if (thread) {
        thread_need_not_look(thread);
        thread->slot = NULL;
    }
    slot->data = NULL;
    if (!slot->owner)
        return 0;
    thread = thread_find(slot->tid);
    if (!thread || thread->process->pid != slot->owner)
        return -ESRCH;
    slot->data = thread;
    thread->slot = slot;
    return 0;
}

cap_sel_t proc_space_of(struct slot *slot)
{
    const struct thread *thread = slot->data;

    return thread ? thread->process->space : SEL_NONE;
}
