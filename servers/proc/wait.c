/*
 * Waiting for children: wait4(2), waitid(2).
 */
#include "rusage.h"

#include <gen/linux_calls_proc.h>
#include <limits.h>
#include <linux/wait.h>
#include <string.h>

#define WAIT_STOPPED 0x7fu
#define WAIT_CONTINUED 0xffffu
#define OPTIONS_COMMON (WNOHANG | __WNOTHREAD | __WCLONE | __WALL)

/* slot->aux of a waiting call: the caller's group when it began */
enum { AUX_GROUP = 0 };

struct wait_request {
    int      which;   /* P_ALL, P_PID, P_PGID */
    uint32_t id;
    uint32_t options; /* WEXITED, WSTOPPED, WCONTINUED are explicit here */
};

/* What is to be told about a child. */
struct wait_report {
    struct process *child; /* NULL: nothing */
    int      code;         /* CLD_* */
    uint32_t status;       /* as wait(2) has it */
    bool     has_children; /* that could be waited for */
};

/* ---- finding a child ---------------------------------------------------------------- */

static bool is_eligible(const struct wait_request *request, const struct process *child)
{
    bool is_clone = child->sig.exit_signal != SIGCHLD;

    if (!(request->options & __WALL) && is_clone != !!(request->options & __WCLONE))
        return false;
    switch (request->which) {
    case P_PID: return child->pid == request->id;
    case P_PGID: return child->group == request->id;
    default: return true;
    }
}

static int end_code(uint32_t status)
{
    if (!(status & WAIT_SIGNAL_MASK))
        return CLD_EXITED;
    return status & WAIT_CORE ? CLD_DUMPED : CLD_KILLED;
}

/* Whether the child has changed its state in a way that was asked for. */
static bool has_news(const struct wait_request *request, const struct process *child,
                     struct wait_report *report)
{
    const struct process_signals *sig = &child->sig;

    if (child->zombie) {
        report->code = end_code(child->status);
        report->status = child->status;
        return request->options & WEXITED;
    }
    if (sig->stop_unwaited && request->options & WSTOPPED) {
        report->code = CLD_STOPPED;
        report->status = sig->stop_unwaited << 8 | WAIT_STOPPED;
        return true;
    }
    report->code = CLD_CONTINUED;
    report->status = WAIT_CONTINUED;
    return sig->continue_unwaited && request->options & WCONTINUED;
}

static void wait_find(const struct process *parent, const struct wait_request *request,
                      struct wait_report *report)
{
    *report = (struct wait_report){ 0 };
    for (struct process *child = parent->child_first; child; child = child->sibling_next) {
        if (!is_eligible(request, child))
            continue;
        report->has_children = true;
        if (has_news(request, child, report)) {
            report->child = child;
            return;
        }
    }
}

/* The news has been told. */
static void wait_take(struct process *parent, const struct wait_report *report)
{
    struct process *child = report->child;

    switch (report->code) {
    case CLD_STOPPED: child->sig.stop_unwaited = 0; break;
    case CLD_CONTINUED: child->sig.continue_unwaited = false; break;
    default: process_reap(parent, child); break;
    }
}

/* ---- waiting -------------------------------------------------------------------------- */

/* Writes what is known to the caller. Returns what copy_out does. */
typedef int tell_fn(struct call *call, const struct wait_report *report);

/* Returns the child's id, or 0: none yet, and WNOHANG. A child that is there counts more
 * than a signal. What can't be told is lost, as in Linux. */
static int64_t wait_step(struct call *call, const struct wait_request *request, tell_fn *tell)
{
    struct process *process = process_of(call);
    struct wait_report report;
    int64_t pid;

    wait_find(process, request, &report);
    if (report.child) {
        pid = report.child->pid;
        if (call->reason != CALL_FAULTED && tell(call, &report))
            return 0;
        if (!(request->options & WNOWAIT))
            wait_take(process, &report);
        return call->reason == CALL_FAULTED ? -EFAULT : pid;
    }
    if (!report.has_children)
        return -ECHILD;
    if (request->options & WNOHANG)
        return 0;
    if (call->reason == CALL_INTERRUPTED)
        return -EINTR;
    return call_wait(call, &process->child_events, 0);
}

static uint32_t own_group(struct call *call)
{
    uint64_t *group = &call->slot->aux[AUX_GROUP];

    if (!*group)
        *group = process_of(call)->group;
    return (uint32_t)*group;
}

static void child_rusage(const struct process *child, struct rusage *usage)
{
    rusage_fill(usage, process_time_ns(child) + child->children_time_ns);
}

/* ---- wait4 ------------------------------------------------------------------------------- */

static int wait4_tell(struct call *call, const struct wait_report *report)
{
    struct rusage usage;

    if (call->arg[1] && copy_out(call, call->arg[1], &report->status, sizeof report->status))
        return 1;
    if (!call->arg[3])
        return 0;
    child_rusage(report->child, &usage);
    return copy_out(call, call->arg[3], &usage, sizeof usage);
}

int64_t sys_wait4(struct call *call)
{
    int32_t pid = (int32_t)call->arg[0];
    uint32_t options = (uint32_t)call->arg[2];
    struct wait_request request = { .which = P_ALL, .options = options | WEXITED };

    if (options & ~(uint32_t)(OPTIONS_COMMON | WUNTRACED | WCONTINUED))
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    if (pid > 0) {
        request.which = P_PID;
        request.id = (uint32_t)pid;
    } else if (pid != -1) {
        request.which = P_PGID;
        request.id = pid ? (uint32_t)-pid : own_group(call);
    }
    return wait_step(call, &request, wait4_tell);
}

/* ---- waitid ------------------------------------------------------------------------------ */

/* The parts of siginfo_t that are written. */
struct wait_info {
    int32_t signo, error, code;
};
struct wait_info_child {
    int32_t  pid;
    uint32_t uid;
    int32_t  status;
};

static int info_out(struct call *call, const struct wait_info *info,
                    const struct wait_info_child *child)
{
    uint64_t at = call->arg[2];

    if (!at)
        return 0;
    return copy_out(call, at, info, sizeof *info) ||
           copy_out(call, at + offsetof(siginfo_t, si_pid), child, sizeof *child);
}

static int32_t info_status(const struct wait_report *report)
{
    switch (report->code) {
    case CLD_EXITED: return (int32_t)(report->status >> 8 & 0xff);
    case CLD_STOPPED: return (int32_t)(report->status >> 8);
    case CLD_CONTINUED: return SIGCONT;
    default: return (int32_t)(report->status & WAIT_SIGNAL_MASK);
    }
}

static int waitid_tell(struct call *call, const struct wait_report *report)
{
    const struct wait_info info = { .signo = SIGCHLD, .code = report->code };
    const struct wait_info_child child = { .pid = (int32_t)report->child->pid,
                                           .uid = report->child->cred.uid.real,
                                           .status = info_status(report) };
    struct rusage usage;

    if (call->arg[4]) {
        child_rusage(report->child, &usage);
        if (copy_out(call, call->arg[4], &usage, sizeof usage))
            return 1;
    }
    return info_out(call, &info, &child);
}

static int64_t waitid_request(struct call *call, struct wait_request *request)
{
    const uint32_t kinds = WEXITED | WSTOPPED | WCONTINUED;
    int32_t id = (int32_t)call->arg[1];

    *request = (struct wait_request){ .which = (int32_t)call->arg[0], .id = (uint32_t)id,
                                      .options = (uint32_t)call->arg[3] };
    if (request->options & ~(uint32_t)(OPTIONS_COMMON | WNOWAIT | kinds) ||
        !(request->options & kinds))
        return -EINVAL;
    switch (request->which) {
    case P_ALL: return 0;
    case P_PID: return id > 0 ? 0 : -EINVAL;
    case P_PGID:
        if (id == 0)
            request->id = own_group(call);
        return id >= 0 ? 0 : -EINVAL;
    case P_PIDFD: return id >= 0 ? -EBADF : -EINVAL; /* there are no such descriptors */
    default: return -EINVAL;
    }
}

/* Without news the structure is zeroed, also with an error. */
int64_t sys_waitid(struct call *call)
{
    static const struct wait_info no_info;
    static const struct wait_info_child no_child;
    struct wait_request request;
    int64_t result = waitid_request(call, &request);

    if (result == 0)
        result = wait_step(call, &request, waitid_tell);
    if (call->answer != ANSWER_DONE || result > 0)
        return 0;
    if (call->reason == CALL_FAULTED)
        return -EFAULT;
    return info_out(call, &no_info, &no_child) ? 0 : result;
}
