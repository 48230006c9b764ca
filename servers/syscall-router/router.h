/*
 * The router: every Linux call arrives here, and only here does a thread wait.
 *
 *   dispatch.c   a message of a thread: which function, which server
 *   forward.c    a call to a server, until it is done
 *   slot.c       the pool of handlers       process.c  processes and threads
 *   exec.c       execve                     exit.c     the end of a process
 *   fork.c       fork, clone                vfork.c    a parent that waits for its child
 *   fault.c      page faults, exceptions    memory.c   the memory of programs
 *   signal.c     taking signals             signal_calls.c  calls about them
 *   sigframe.c   frames of handlers         timer.c    timers
 *   arch.c mmap.c                           calls that span servers or need the kernel
 *   input.c      the terminal               main.c     start and end of the system
 *   init.c script.c                         parsers
 *   trace.c stats.c usage.c                 what a run looked like
 *   kernel.c    what is asked of the kernel
 */
#pragma once

#include "kernel.h"

#include <abi/message.h>
#include <gen/linux_router.h>
#include <lib/native/native.h>
#include <lib/native/runtime.h>
#include <lib/server/server.h>
#include <stdatomic.h>

/* The servers of Linux calls, in the order of a slot's portals. */
enum owner { OWNER_VFS, OWNER_PROC, OWNER_MEM, OWNER_COUNT };

/* The same for everybody: without a badge, for their own operations. */
extern struct server_ref server_root, server_vfs, server_proc, server_mem;

struct process {
    uint32_t  pid;
    uint32_t  space;  /* address space at mem */
    cap_sel_t pd;
    struct share *share; /* pd and space are used by others too; NULL: they are not */
    bool      is_first; /* its end is the end of the run */
    struct thread *vfork_parent; /* waits until we exec or end. Under the threads' lock */
};

/* A signal that was taken from proc, for which a handler is to run. */
struct signal_taken {
    bool     is_there;
    uint32_t signal;
    uint64_t handler, flags, restorer; /* of its sigaction */
    uint64_t mask;                     /* comes back at the end of the handler, ... */
    uint64_t stack, stack_bytes;       /* ... and the alternate stack */
    uint32_t stack_flags;
    uint8_t  info[128];                /* siginfo_t */
};

/* A slot of the pool and the Linux thread on it. Only its own handler writes to
 * it while the thread lives, except for what is marked. */
struct thread {
    struct portal portal; /* its address is the identity of the event portal */
    uint32_t  slot;       /* number, and badge at the servers; 0 is never used */
    unsigned  cpu;
    cap_sel_t handler, event, sem;
    struct server_ref server[OWNER_COUNT];
    struct thread *free_next; /* under the threads' lock */

    struct process *process;  /* NULL: the slot is free. Under the threads' lock */
    uint32_t  tid;
    cap_sel_t ec, sc;         /* written under the threads' lock */
    uint64_t  start_ip, start_sp;
    struct fork_state *forked; /* with what it starts instead, if it was forked */
    struct process *vfork_child; /* for which it waits. Under the threads' lock */
    _Atomic uint32_t death;   /* DEATH_DUE | wait status; anybody may set it */
    _Atomic bool signalled;   /* it must look for signals; anybody may set it */
    bool registers_set;       /* the call's result is in its registers already */
    struct signal_taken taken;
};

#define DEATH_DUE (1u << 31)

/* A wait status (wait(2)) for an exit code, and for death by a signal. */
static inline uint32_t status_exited(uint64_t code) { return (uint32_t)(code & 0xff) << 8; }
static inline uint32_t status_killed(unsigned signal) { return signal & 0x7f; }

/* ---- slot.c ------------------------------------------------------------------- */

/* A free slot on that CPU; a new one when there is none. NULL: no memory, or
 * MAX_SLOTS are in use. */
struct thread *slot_take(unsigned cpu);
/* The caller must not touch the slot afterwards. */
void slot_release(struct thread *thread);
/* Tells the servers which thread runs on the slot, or (process NULL) that none does. */
MUST_USE int slot_bind(struct thread *thread, const struct process *process, uint32_t tid);
/* The CPU with the fewest threads; preferred, if no other has fewer. */
unsigned slot_cpu(unsigned preferred);
/* Slots in use by a thread; slots that exist. */
unsigned slots_in_use(void);
unsigned slots_made(void);
/* The thread on this slot must look for signals. */
void slot_signal(uint32_t number);

/* ---- process.c ------------------------------------------------------------------ */

/* What a process or a new program runs in: made completely before it is used. */
struct image {
    cap_sel_t pd, ec;
    uint32_t  space;
    struct share *share;
};
/* parent_space 0: empty memory; else a copy of that address space. */
MUST_USE int image_create(struct image *image, struct thread *thread, uint32_t parent_space);
/* In the memory of the owner's process. */
MUST_USE int image_share(struct image *image, struct thread *thread, const struct thread *owner);
/* thread: that for which it was made. */
void image_destroy(struct image *image, const struct thread *thread);
/* The image in which the process is, without an EC. */
struct image image_of(const struct process *process);
/* The image is the process's from now on. sc: selector for the scheduling context. */
void image_install(struct thread *thread, const struct image *image, cap_sel_t sc);
/* Lets the thread run in the image, from ip and sp on, and ends its old one. */
MUST_USE int thread_run(struct thread *thread, const struct image *image, uint64_t ip,
                            uint64_t sp);
/* The thread's new EC is about to run its first instruction. */
void thread_begin(struct thread *thread);
/* Gives files that the space no longer maps back to vfs. */
void space_files_release(uint32_t space);
/* Ends the address space and gives the files that it held back to vfs. */
void space_end(uint32_t space);

/* ---- forward.c -------------------------------------------------------------------- */

int64_t forward(struct thread *thread, enum owner owner, unsigned nr, const uint64_t arg[6]);
/* Tells vfs the ids of the thread's process, which proc owns. */
void credentials_tell(const struct thread *thread);

/* ---- memory.c ----------------------------------------------------------------------- */

/* What an access deserves that is not possible. */
struct fault_verdict {
    uint32_t signal, code; /* si_signo, si_code */
};

/* Makes the range accessible. error_code as of a page fault. Returns 0; -EFAULT
 * with the verdict; -ENOMEM; -EINTR: the thread is to die. */
int memory_fault_in(struct thread *thread, uint64_t address, uint64_t bytes, uint32_t error_code,
                    struct fault_verdict *verdict);
/* Copies between us and the program. Returns 0 or -EFAULT. */
MUST_USE int memory_read(struct thread *thread, void *to, uint64_t from, size_t bytes);
MUST_USE int memory_write(struct thread *thread, uint64_t to, const void *from, size_t bytes);
/* Reads a piece of a string: up to bytes, ended: with its zero byte. Returns the
 * bytes before the zero, or -EFAULT. */
int64_t memory_read_string(struct thread *thread, char *to, uint64_t from, size_t bytes,
                           bool *ended);

/* ---- exec.c ---------------------------------------------------------------------------- */

/* Where argument strings come from: a program's memory, or our own. */
struct exec_strings {
    struct thread *thread; /* NULL: addresses are our own */
    uint64_t argv, envp;   /* arrays of addresses, ended by 0; 0: empty */
};
/* Replaces the program of the thread's process by that of the path. Returns 0: the
 * thread starts in it, or is doomed because the last step failed; or a negative
 * errno with everything as it was. */
int64_t exec_program(struct thread *thread, int32_t dirfd, const char *path, uint32_t flags,
                     const struct exec_strings *strings);

/* ---- fork.c, vfork.c ------------------------------------------------------------------- */

/* A forked thread is about to run: it goes on where its parent was. */
void fork_begin(struct thread *thread);
/* Before the child runs: its parent will wait for it. */
void vfork_link(struct thread *parent, struct process *child);
/* Waits until the child executes a program or ends, or the parent must die. */
void vfork_wait(struct thread *parent);
/* The process does not use its parent's memory any more. */
void vfork_release(struct process *child);

/* ---- signal.c, sigframe.c, timer.c ------------------------------------------------------- */

/* Whether the thread is to die. */
static inline bool thread_doomed(const struct thread *thread)
{
    return atomic_load_explicit(&thread->death, memory_order_acquire) != 0;
}
/* Whether there is anything to do before the thread goes on. */
static inline bool thread_has_news(const struct thread *thread)
{
    return thread_doomed(thread) ||
           atomic_load_explicit(&thread->signalled, memory_order_acquire);
}
/* Whether the thread must give up a wait: it is to die, or a handler is to run. Does what
 * else signals ask for, so that the thread's semaphore may have been waited for. */
bool thread_interrupted(struct thread *thread);
/* For waits that only a signal ends that kills: looks, but takes no signal. */
bool thread_interrupted_fatally(struct thread *thread);
/* Before the thread goes on after a message (kind MSG_*): runs handlers. nr: number of a call,
 * result: what it answers. Returns flags of HC_REPLY. */
unsigned signal_finish(struct thread *thread, unsigned kind, unsigned nr, int64_t *result);
/* The threads that proc names must look for signals. Called after proc_signal_group,
 * proc_timers_expire and proc_process_exit. */
void signals_fetch(void);
/* The answer FOLLOW_SIGNALS of proc: this slot must look, and there are more. */
void signals_follow_up(struct thread *thread, uint64_t slot, bool more);
/* A fault of the thread; code: si_code, address: si_addr. */
void signal_fault(struct thread *thread, uint32_t signal, int32_t code, uint64_t address);
/* A signal that the thread brings upon itself, SIGPIPE for example. */
void signal_raise(struct thread *thread, uint32_t signal);

/* A signal mask for the time of a call, and its end: then a handler's frame brings the old
 * mask back, if one is to run. */
void signal_mask_set(struct thread *thread, uint64_t mask);
void signal_mask_back(struct thread *thread);

/* Builds the frame of the handler on the program's stack; state is then the handler's.
 * -EFAULT, with nothing changed. */
MUST_USE int sigframe_push(struct thread *thread, struct ec_state *state,
                           const struct signal_taken *taken);

/* Timers: starts the thread that waits for them. */
bool timers_start(void);
/* There is an earlier deadline. */
void timers_look(void);

/* ---- exit.c -------------------------------------------------------------------- */

/* Marks the thread; its own handler ends it before it returns to user mode. */
void thread_doom(struct thread *thread, uint32_t status);
/* The same for another thread, whatever it does now. The caller holds the threads' lock. */
void thread_kill(struct thread *thread, uint32_t status);
/* Every thread of the process; of all processes. */
void process_kill(uint32_t pid, uint32_t status);
void everybody_kill(uint32_t status);
/* Ends the process of a doomed thread. Called by its own handler as the last thing
 * before it replies; the thread's slot is free afterwards. */
void thread_die(struct thread *thread);

/* ---- main.c ------------------------------------------------------------------------------ */

/* Called when the first process has ended. */
void run_finished(uint32_t status);
/* Ends the system, whatever runs. */
void system_stop(void);
