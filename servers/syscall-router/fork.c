/*
 * fork(2), vfork(2), clone(2), clone3(2): a child is prepared at every server and
 * in the kernel; the scheduling context, with which it runs, commits it. Whatever
 * fails before leaves the parent as it was.
 */
#include "router.h"

#include "kernel.h"

#include <errno.h>
#include <gen/proc_client.h>
#include <gen/vfs_client.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What a child that is a process of its own can have. CLONE_UNTRACED and CLONE_PTRACE ask for
 * what is so anyway, as there is no tracing. */
#define CLONE_SUPPORTED                                                                           \
    (CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_SETTLS | CLONE_PARENT_SETTID |                  \
     CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_UNTRACED | CLONE_PTRACE |                  \
     CLONE_CLEAR_SIGHAND)

struct clone_request {
    uint64_t flags;      /* CLONE_*, without the signal */
    unsigned exit_signal;
    uint64_t stack;      /* the child's stack pointer; 0: as the parent's */
    uint64_t parent_tid, child_tid, tls;
};

/* What the child starts with, until it does. */
struct fork_state {
    struct ec_state registers;
    uint64_t set_tid;   /* address for its thread id, or 0 */
    size_t   fpu_bytes; /* 0: the parent had never used it */
    uint8_t  fpu[UTCB_DATA_BYTES];
};

struct child {
    struct thread *thread;
    struct process *process;
    struct image image;
    bool at_vfs;
};

/* ---- registers --------------------------------------------------------------------- */

static int registers_copy(const struct thread *parent, struct fork_state *state,
                          const struct clone_request *request)
{
    int error = kernel_ec_get_state(parent->ec, &state->registers);

    state->fpu_bytes = sizeof state->fpu;
    if (!error)
        error = kernel_ec_get_fpu(parent->ec, state->fpu, &state->fpu_bytes);
    state->registers.rax = 0;
    if (request->stack)
        state->registers.rsp = request->stack;
    if (request->flags & CLONE_SETTLS)
        state->registers.fs_base = request->tls;
    if (request->flags & CLONE_CHILD_SETTID)
        state->set_tid = request->child_tid;
    return error;
}

void fork_begin(struct thread *thread)
{
    struct fork_state *state = thread->forked;
    const int32_t tid = (int32_t)thread->tid;
    int error = kernel_ec_set_state(thread->ec, &state->registers);

    if (!error && state->fpu_bytes)
        error = kernel_ec_set_fpu(thread->ec, state->fpu, state->fpu_bytes);
    if (error)
        thread_doom(thread, status_killed(SIGKILL));
    else if (state->set_tid && memory_write(thread, state->set_tid, &tid, sizeof tid))
        log_line("thread %u: no memory for its id", thread->tid); /* Linux does not mind */
    thread->forked = NULL;
    free(state);
}

/* ---- prepare, commit, abort ---------------------------------------------------------- */

static int child_alloc(struct child *child, const struct thread *parent,
                       const struct clone_request *request)
{
    unsigned cpu = request->flags & CLONE_VFORK ? parent->cpu : slot_cpu(parent->cpu);

    *child = (struct child){ .image = { .pd = SEL_NONE, .ec = SEL_NONE } };
    child->thread = slot_take(cpu);
    if (!child->thread)
        return -EAGAIN;
    child->process = calloc(1, sizeof *child->process);
    child->thread->forked = calloc(1, sizeof *child->thread->forked);
    if (!child->process || !child->thread->forked)
        return -ENOMEM;
    child->process->pd = SEL_NONE;
    return registers_copy(parent, child->thread->forked, request);
}

static int64_t servers_enter(struct child *child, const struct thread *parent,
                             const struct clone_request *request)
{
    struct process *process = child->process;
    uint64_t clear_tid = request->flags & CLONE_CHILD_CLEARTID ? request->child_tid : 0;
    int64_t result = proc_process_fork(&server_proc, parent->tid, request->flags,
                                       request->exit_signal, clear_tid, child->image.pd,
                                       &process->pid);

    if (result == 0)
        result = vfs_process_create(&server_vfs, process->pid, parent->process->pid, 0,
                                    child->image.pd);
    child->at_vfs = result == 0;
    return result;
}

static int64_t child_prepare(struct child *child, const struct thread *parent,
                             const struct clone_request *request)
{
    int64_t result = child_alloc(child, parent, request);

    if (result == 0)
        result = request->flags & CLONE_VM
                     ? image_share(&child->image, child->thread, parent)
                     : image_create(&child->image, child->thread, parent->process->space);
    if (result == 0)
        result = servers_enter(child, parent, request);
    return result;
}

static void child_abort(struct child *child)
{
    struct thread *thread = child->thread;
    struct process *process = child->process;

    if (!thread)
        return;
    if (process && process->pid) {
        if (slot_bind(thread, NULL, 0))
            log_line("slot %u stays bound at a server", thread->slot);
        if (child->at_vfs && vfs_process_exit(&server_vfs, process->pid) < 0)
            log_line("vfs does not know process %u", process->pid);
        if (proc_process_abort(&server_proc, process->pid) < 0)
            log_line("proc does not know process %u", process->pid);
    }
    image_destroy(&child->image, thread);
    free(process);
    free(thread->forked);
    thread->forked = NULL;
    slot_release(thread);
}

/* From here on others may find the child. */
static void child_publish(struct child *child, cap_sel_t sc)
{
    struct thread *thread = child->thread;

    threads_lock();
    thread->tid = child->process->pid;
    thread->process = child->process;
    threads_unlock();
    image_install(thread, &child->image, sc);
}

static void child_unpublish(struct child *child)
{
    struct thread *thread = child->thread;

    threads_lock();
    thread->process = NULL;
    thread->ec = thread->sc = SEL_NONE;
    threads_unlock();
}

static int64_t child_run(struct child *child)
{
    struct thread *thread = child->thread;
    cap_sel_t sc = kernel_sel_alloc(1);
    int error;

    if (sc == SEL_NONE)
        return -ENOMEM;
    child_publish(child, sc);
    error = slot_bind(thread, child->process, thread->tid);
    if (!error)
        error = kernel_sc_create(sc, child->image.pd, child->image.ec);
    if (error) {
        child_unpublish(child);
        kernel_drop(sc, 1);
    }
    return error;
}

/* Returns the child's process id. */
static int64_t process_clone(struct thread *parent, const struct clone_request *request)
{
    bool waits = request->flags & CLONE_VFORK;
    struct child child;
    int64_t result = child_prepare(&child, parent, request);
    int32_t pid = 0;

    if (result == 0) {
        pid = (int32_t)child.process->pid;
        if (waits)
            vfork_link(parent, child.process);
        result = child_run(&child);
    }
    if (result < 0) {
        if (pid)
            vfork_release(child.process);
        child_abort(&child);
        return result;
    }
    if (request->flags & CLONE_PARENT_SETTID &&
        memory_write(parent, request->parent_tid, &pid, sizeof pid))
        log_line("thread %u: no memory for its child's id", parent->tid); /* as above */
    if (waits)
        vfork_wait(parent);
    return pid;
}

/* ---- calls ------------------------------------------------------------------------------ */

static int64_t clone_checked(struct thread *thread, const struct clone_request *request)
{
    if (request->flags & ~(uint64_t)CLONE_SUPPORTED)
        return -EINVAL;
    if (request->flags & CLONE_PARENT && thread->process->is_first)
        return -EINVAL;
    if (request->flags & CLONE_SETTLS && request->tls >= USER_END)
        return -EPERM;
    if (request->stack >= USER_END)
        return -EINVAL;
    return process_clone(thread, request);
}

int64_t sys_fork(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const struct clone_request request = { .exit_signal = SIGCHLD };

    (void)nr;
    (void)arg;
    return process_clone(thread, &request);
}

int64_t sys_vfork(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const struct clone_request request = { .flags = CLONE_VM | CLONE_VFORK,
                                           .exit_signal = SIGCHLD };

    (void)nr;
    (void)arg;
    return process_clone(thread, &request);
}

/* The upper half of the flags does not count here; CLONE_DETACHED is ignored, clone(2). */
int64_t sys_clone(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const struct clone_request request = {
        .flags = (uint32_t)arg[0] & ~(uint32_t)(CSIGNAL | CLONE_DETACHED),
        .exit_signal = arg[0] & CSIGNAL,
        .stack = arg[1],
        .parent_tid = arg[2],
        .child_tid = arg[3],
        .tls = arg[4],
    };

    (void)nr;
    return clone_checked(thread, &request);
}

/* The structure may be longer than we know it, if all that is unknown is zero. */
static int64_t clone_args_read(struct thread *thread, struct clone_args *args, uint64_t from,
                               uint64_t bytes)
{
    uint8_t raw[PAGE_BYTES] = { 0 };

    if (bytes < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (bytes > sizeof raw)
        return -E2BIG;
    if (memory_read(thread, raw, from, bytes))
        return -EFAULT;
    for (size_t at = sizeof *args; at < bytes; at++)
        if (raw[at])
            return -E2BIG;
    memcpy(args, raw, sizeof *args);
    return 0;
}

static bool clone_args_valid(const struct clone_args *args)
{
    if (args->exit_signal > 64 || args->set_tid || args->set_tid_size)
        return false;
    if (args->flags & CLONE_PARENT && args->exit_signal)
        return false;
    if (!args->stack != !args->stack_size || args->stack >= USER_END)
        return false;
    return args->stack_size <= USER_END - args->stack;
}

int64_t sys_clone3(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    struct clone_args args;
    struct clone_request request;
    int64_t error = clone_args_read(thread, &args, arg[0], arg[1]);

    (void)nr;
    if (error)
        return error;
    if (!clone_args_valid(&args))
        return -EINVAL;
    request = (struct clone_request){
        .flags = args.flags, .exit_signal = (unsigned)args.exit_signal,
        .stack = args.stack + args.stack_size, .parent_tid = args.parent_tid,
        .child_tid = args.child_tid, .tls = args.tls,
    };
    return clone_checked(thread, &request);
}
