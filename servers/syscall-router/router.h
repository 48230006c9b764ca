/*
 * The router: every Linux call arrives here, and only here does a thread wait.
 *
 *   dispatch.c   a message of a thread: which function, which server
 *   forward.c    a call to a server, until it is done
 *   slot.c       the pool of handlers       process.c  processes and threads
 *   exec.c       execve                     exit.c     the end of a process
 *   fault.c      page faults, exceptions    memory.c   the memory of programs
 *   kill.c arch.c mmap.c sched.c            calls that span servers or need the kernel
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
    bool      is_first; /* its end is the end of the run */
    struct thread *thread;
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
    _Atomic uint32_t death;   /* DEATH_DUE | wait status; anybody may set it */
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
/* Slots in use by a thread; slots that exist. */
unsigned slots_in_use(void);
unsigned slots_made(void);

/* ---- process.c ------------------------------------------------------------------ */

/* What a process or a new program runs in: made completely before it is used. */
struct image {
    cap_sel_t pd, ec;
    uint32_t  space;
};
MUST_USE int image_create(struct image *image, struct thread *thread);
void image_destroy(struct image *image);
/* Lets the thread run in the image, from ip and sp on; the image is the
 * process's from now on. */
MUST_USE int thread_run(struct thread *thread, const struct image *image, uint64_t ip,
                            uint64_t sp);
/* Gives files that the space no longer maps back to vfs. */
void space_files_release(uint32_t space);
/* Ends the address space and gives the files that it held back to vfs. */
void space_end(uint32_t space);

/* ---- forward.c -------------------------------------------------------------------- */

int64_t forward(struct thread *thread, enum owner owner, unsigned nr, const uint64_t arg[6]);
/* Whether the thread must give up a wait. */
bool thread_interrupted(const struct thread *thread);
/* Tells vfs the ids of the thread's process, which proc owns. */
void credentials_tell(const struct thread *thread);

/* ---- memory.c ----------------------------------------------------------------------- */

/* Makes the range accessible. error_code as of a page fault. Returns 0; -EFAULT
 * with the signal that the access deserves; -ENOMEM; -EINTR: the thread is to die. */
int memory_fault_in(struct thread *thread, uint64_t address, uint64_t bytes, uint32_t error_code,
                    unsigned *signal);
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

/* ---- exit.c, kill.c -------------------------------------------------------------------- */

/* Marks the thread; its own handler ends it before it returns to user mode. */
void thread_doom(struct thread *thread, uint32_t status);
/* The same for another thread, whatever it does now. The caller holds the threads' lock. */
void thread_kill(struct thread *thread, uint32_t status);
/* Every thread of the process. */
void process_kill(uint32_t pid, uint32_t status);
/* Ends the process of a doomed thread. Called by its own handler as the last thing
 * before it replies; the thread's slot is free afterwards. */
void thread_die(struct thread *thread);
/* A signal of a process, target and tid as proto/proc.def has them: kills what it kills. */
int64_t signal_send(uint32_t sender, int32_t target, uint32_t tid, unsigned signal);
/* A signal of a terminal to a process group. */
int64_t signal_send_group(uint32_t group, unsigned signal);

/* ---- main.c ------------------------------------------------------------------------------ */

/* Called when the first process has ended. */
void run_finished(uint32_t status);
