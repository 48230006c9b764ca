/*
 * The process server: who exists, and with what authority.
 *
 *   ids.c         numbers for processes and threads
 *   process.c     processes and threads come and go
 *   group.c       process groups and sessions
 *   credentials.c user and group ids           capability.c  what they may do
 *   limit.c       resource limits              clock.c       clocks, CPU time
 *   sleep.c       waiting for a time           signal.c      dispositions and masks
 *   kill.c        sending signals              thread.c sched.c prctl.c info.c
 *
 * Requests run one at a time, so nothing here needs a lock.
 */
#pragma once

#include "linux_signal.h"

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
    uint32_t status;      /* of a zombie, as wait(2) has it */
    bool     zombie;
    bool     dying;       /* a fatal signal is on its way */
    bool     has_execed;
    bool     dumpable, no_new_privs, subreaper;
    uint32_t death_signal; /* PR_SET_PDEATHSIG */
    uint32_t personality;
    cap_sel_t space;
    struct credentials cred;
    struct rlimit64 limits[RLIM_NLIMITS];
    struct linux_sigaction actions[SIGNAL_COUNT];
    signal_set_t pending;
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
    signal_set_t mask, pending;
    linux_stack_t alt_stack;
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

/* ---- limit.c, signal.c, clock.c -------------------------------------------------------- */

void limits_init(struct rlimit64 *limits);

enum signal_effect { SIGNAL_IGNORED, SIGNAL_FATAL, SIGNAL_STOPS, SIGNAL_HANDLED };
/* What the signal does to the process when it is not blocked. */
enum signal_effect signal_effect(const struct process *process, unsigned signal);
/* Dispositions at execve(2): what has a handler goes back to the default. */
void signals_after_exec(struct process *process, struct thread *thread);
/* After pending signals may have become deliverable: the death, if one is due. */
void signals_check(struct call *call);

uint64_t thread_time_ns(const struct thread *thread);
uint64_t process_time_ns(const struct process *process);
