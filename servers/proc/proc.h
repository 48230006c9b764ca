/*
 * The process server: who exists, and with what authority.
 *
 *   ids.c         numbers for processes and threads
 *   process.c     processes and threads come into being
 *   family.c      their ends, parents and children   wait.c   wait4, waitid
 *   group.c       process groups and sessions        rusage.c time used
 *   credentials.c user and group ids           capability.c  what they may do
 *   limit.c       resource limits              clock.c       clocks, CPU time
 *   sleep.c       waiting for a time           signal_state.h signals
 *   thread.c sched.c prctl.c info.c            calls about the caller and the system
 *
 * Requests run one at a time, so nothing here needs a lock.
 */
#pragma once

#include "signal_state.h"

#include <errno.h>
#include <lib/native/native.h>
#include <lib/server/server.h>
#include <linux/resource.h>

/* A failing insertion must not end the server: hh.tbl stays NULL. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ID_MAX 32768u
#define THREAD_NAME_BYTES 16
#define GROUPS_MAX 256u

struct id_set {
    uint32_t real, effective, saved, fs;
};

struct credentials {
    struct id_set uid, gid;
    uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding;
    bool     keep_caps;
    uint32_t group_count;
    uint32_t groups[GROUPS_MAX];
};

struct process {
    uint32_t pid, parent, group, session; /* each holds a reference to its number */
    struct process *child_first, *child_last, *sibling_next, *sibling_prev;
    uint32_t status;      /* of a zombie, as wait(2) has it */
    bool     zombie;
    bool     has_execed;
    bool     dumpable, no_new_privs, subreaper;
    uint32_t death_signal; /* PR_SET_PDEATHSIG */
    uint32_t personality;
    cap_sel_t space;
    struct credentials cred;
    struct rlimit64 limits[RLIM_NLIMITS];
    struct process_signals sig;
    struct wait_queue child_events; /* its threads in wait4(2) */
    uint64_t time_ns;          /* used by threads that have ended */
    uint64_t children_time_ns;
    struct thread *threads;
    UT_hash_handle hh;
};

struct thread {
    uint32_t tid; /* holds a reference to its number */
    struct process *process;
    struct thread *next; /* of the same process */
    char     name[THREAD_NAME_BYTES];
    struct slot *slot; /* NULL: none, or not yet */
    struct thread_signals sig;
    uint64_t clear_tid, robust_list;
    int      nice;
    uint64_t timer_slack_ns;
    cap_sel_t time_source; /* SC, or SEL_NONE */
    uint64_t time_ns;      /* used on earlier ones */
    UT_hash_handle hh;
};

static inline struct thread *thread_of(const struct call *call)
{
    must(call->slot && call->slot->data);
    return call->slot->data;
}
static inline struct process *process_of(const struct call *call)
{
    return thread_of(call)->process;
}

/* ---- ids.c -------------------------------------------------------------------- */

/* A number that nobody uses, with one reference; 0 when there is none. */
uint32_t id_alloc(void);
void id_ref(uint32_t id);
void id_unref(uint32_t id);

/* ---- process.c ------------------------------------------------------------------ */

/* NULL if there is none; zombies are found too. pid 0: NULL. */
struct process *process_find(uint32_t pid);
struct thread *thread_find(uint32_t tid);
/* For calls that name a process, 0 being the caller's. */
struct process *process_named(const struct call *call, uint64_t pid);
struct thread *thread_named(const struct call *call, uint64_t tid);
/* All processes, in order of creation: for (p = process_first(); p; p = p->hh.next). */
struct process *process_first(void);
uint64_t process_count(void);
uint64_t thread_count(void);
/* The kit's hooks. */
int proc_on_bind(struct slot *slot);
cap_sel_t proc_space_of(struct slot *slot);

/* What process_create and process_fork made, or a zombie, vanishes without a trace. */
void process_free(struct process *process);
void threads_free(struct process *process);

/* ---- family.c --------------------------------------------------------------------- */

/* A wait status: the signal by which the process ended (0: it exited), with a core dump. */
#define WAIT_SIGNAL_MASK 0x7fu
#define WAIT_CORE 0x80u

void child_add(struct process *parent, struct process *child);
void child_remove(struct process *child);
/* Frees a zombie whose end the parent has taken note of. */
void process_reap(struct process *parent, struct process *zombie);

/* ---- group.c ---------------------------------------------------------------------- */

void process_set_group(struct process *process, uint32_t group);
void process_set_session(struct process *process, uint32_t session);

/* ---- credentials.c, capability.c ---------------------------------------------------- */

void credentials_init(struct credentials *cred, uint32_t uid, uint32_t gid);
bool credentials_has_group(const struct credentials *cred, uint32_t gid);
/* capability: CAP_* of <linux/capability.h>. */
bool credentials_capable(const struct credentials *cred, unsigned capability);
/* capabilities(7), "Effect of user ID changes on capabilities". */
void capabilities_after_set_uid(struct credentials *cred, const struct id_set *old);
void capabilities_after_set_fsuid(struct credentials *cred, uint32_t old);
/* capabilities(7), "Transformation of capabilities during execve()". */
void capabilities_after_exec(struct credentials *cred);

/* ---- limit.c, clock.c -------------------------------------------------------- */

void limits_init(struct rlimit64 *limits);

uint64_t thread_time_ns(const struct thread *thread);
uint64_t process_time_ns(const struct process *process);

#include "signals.h"
