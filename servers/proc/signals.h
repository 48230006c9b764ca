/*
 * Signals inside the process server: signal_state.h says which file does what.
 */
#pragma once

#include "proc.h"

/* si_signo of a signal for which nothing more is known is enough: the rest is 0. */

/* ---- signal.c ------------------------------------------------------------------ */

enum signal_effect { SIGNAL_IGNORED, SIGNAL_FATAL, SIGNAL_STOPS, SIGNAL_HANDLED };
/* What the signal does to the process when it is not blocked. */
enum signal_effect signal_effect(const struct process *process, unsigned signal);
/* fork(2): dispositions are the parent's, nothing pends. */
void signals_inherit(struct process *child, const struct process *parent);
/* A new thread: the mask is its creator's; also the alternate stack, if own_memory. */
void signals_thread_init(struct thread *thread, const struct thread *creator, bool own_memory);
/* execve(2): what has a handler goes back to the default. */
void signals_after_exec(struct process *process, struct thread *thread);
/* Before the memory of the thread, or of a process that ends, is freed. */
void signals_thread_free(struct thread *thread);
void signals_process_free(struct process *process);
/* What pends for the thread and is not blocked. */
signal_set_t signals_deliverable(const struct thread *thread);
/* Changes the mask; others take over what pends for the process and is blocked now. */
void signals_set_mask(struct thread *thread, signal_set_t mask);

/* ---- signal_queue.c --------------------------------------------------------------- */

/* Adds a signal of the process. -EAGAIN: it can only be sent with its information, and
 * there is no room for that (RLIMIT_SIGPENDING, memory). */
int signal_queue_add(struct signal_queue *queue, struct process *process, const siginfo_t *info);
/* The same with an entry that exists already, of a timer. */
void signal_queue_add_entry(struct signal_queue *queue, struct queued_signal *entry);
/* The next signal of the set, or 0; faults first, then by number. It is taken out. */
unsigned signal_queue_take(struct signal_queue *queue, struct process *process, signal_set_t set,
                           siginfo_t *info);
/* Takes an entry of a timer out again. */
void signal_queue_remove_entry(struct signal_queue *queue, struct queued_signal *entry);
/* An entry that a timer keeps: it counts for the limit. false: the limit is reached. */
bool signal_entry_reserve(struct process *process);
void signal_entry_release(struct process *process);
void signal_queue_drop(struct signal_queue *queue, struct process *process, signal_set_t set);

/* ---- signal_send.c ------------------------------------------------------------------ */

/* Sends info->si_signo. thread NULL: to the process as a whole. Returns 0, also when it is
 * ignored; -EAGAIN as signal_queue_add. */
int signal_send(struct process *process, struct thread *thread, const siginfo_t *info);
/* The same, of a timer's own entry. false: it is ignored, the entry was not used. */
bool signal_send_entry(struct process *process, struct thread *thread, struct queued_signal *entry);
/* To all members of a process group, from the kernel. */
void signal_send_group(uint32_t group, unsigned signal);
/* A fault of the thread itself: it can neither block nor ignore it. */
void signal_force(struct thread *thread, const siginfo_t *info);
/* Wakes a thread for what pends for the process, if one can take it. */
void signal_redirect(struct process *process, signal_set_t set);
/* The thread must look for signals: the router is told with the next answer. */
void thread_must_look(struct thread *thread);
void thread_need_not_look(struct thread *thread);
/* Makes the answer of a Linux call say who must look. */
void signals_follow(struct call *call);

/* ---- stop.c ---------------------------------------------------------------------------- */

/* A signal with the effect SIGNAL_STOPS was taken. */
void process_stop(struct process *process, unsigned signal);
/* SIGCONT, or SIGKILL (continued false). */
void process_resume(struct process *process, bool continued);
/* A thread has stopped, or has gone. */
void process_stop_check(struct process *process);
/* The process has changed its state: SIGCHLD for its parent, with a code CLD_* and a
 * status, and its waiting threads are woken. */
void signal_parent(struct process *process, int code, int status);
/* Whether the parent does not want to wait for its children: they leave no zombies. */
bool parent_ignores_children(const struct process *parent);
/* Of a process group all whose parents are in the group itself or in another session. */
bool group_is_orphaned(uint32_t group);

/* ---- signal_take.c ------------------------------------------------------------------------ */

/* The thread on the slot with this number, or NULL. */
struct thread *thread_on(const struct call *call, uint32_t slot);

/* ---- signal_stack.c ----------------------------------------------------------------------- */

/* sigaltstack(2), with the stack pointer sp. -EPERM, -EINVAL, -ENOMEM. */
int64_t signal_stack_set(struct thread *thread, uint64_t sp, uint64_t base, uint64_t bytes,
                         uint32_t flags);
