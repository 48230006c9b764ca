/*
 * What pends, in which order it comes, and waiting for it.
 */
#include "check.h"

#include <sys/resource.h>
#include <sys/syscall.h>

static void show(int signal, siginfo_t *info, void *context)
{
    (void)context;
    printf("SIGRTMIN+%d value %d code %d\n", signal - SIGRTMIN, info->si_value.sival_int,
           info->si_code);
}

static void queue(int signal, int value)
{
    MUST(sigqueue(getpid(), signal, (union sigval){ .sival_int = value }));
}

static void real_time(void)
{
    for (int i = 0; i < 3; i++) {
        handle(SIGRTMIN + i, show, 0, 0);
        block(SIGRTMIN + i);
    }
    for (int value = 0; value < 9; value++)
        queue(SIGRTMIN + 2 - value % 3, value);
    for (int i = 0; i < 3; i++)
        printf("pending %d\n", is_pending(SIGRTMIN + i));
    for (int i = 0; i < 3; i++)
        unblock(SIGRTMIN + i);
    for (int i = 0; i < 3; i++)
        unhandle(SIGRTMIN + i);
}

static void fill_queue(void)
{
    struct rlimit limit = { 5, 5 };
    int queued = 0;

    MUST(setrlimit(RLIMIT_SIGPENDING, &limit));
    MUST(setuid(12345)); /* whose user has no others */
    block(SIGRTMIN);
    while (sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = queued }) == 0)
        queued++;
    printf("%d queued, then %s\n", queued, error_name(errno));
    printf("kill: %s\n", error_name(kill(getpid(), SIGUSR1 + 0 * SIGRTMIN) ? errno : 0));
}

static void queue_limit(void)
{
    signal(SIGUSR1, SIG_IGN);
    in_child("limit", fill_queue);
    unhandle(SIGUSR1);
}

/* ---- waiting ------------------------------------------------------------------------- */

static sigset_t set_of(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static void wait_for(const char *what, int signal, int timeout_ms)
{
    struct timespec timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000000l };
    sigset_t set = set_of(signal);
    siginfo_t info;
    int result;

    memset(&info, 0, sizeof info);
    result = sigtimedwait(&set, &info, timeout_ms < 0 ? NULL : &timeout);
    if (result < 0)
        printf("%s: %s\n", what, error_name(errno));
    else
        printf("%s: SIG%s code %d value %d\n", what, name(result), info.si_code,
               info.si_value.sival_int);
}

static void nothing(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    printf("handler of SIG%s\n", name(signal));
}

static void timed_wait(void)
{
    int64_t start;

    block(SIGUSR1);
    block(SIGALRM);
    sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 });
    wait_for("there", SIGUSR1, -1);
    wait_for("not there", SIGUSR1, 0);
    start = now_ns();
    wait_for("in vain", SIGUSR1, 30);
    printf("took long enough: %d\n", now_ns() - start >= 30000000);
    alarm_in(20);
    wait_for("coming", SIGALRM, 10000);
    unblock(SIGALRM);
    handle(SIGALRM, nothing, SA_RESTART, 0);
    alarm_in(20);
    wait_for("another one comes", SIGUSR1, 10000);
    alarm_in(20);
    wait_for("not blocked", SIGALRM, 10000);
    wait_for("bad time", SIGUSR1, -1000 * 1000 * 1000 + 1);
    unhandle(SIGALRM);
    unblock(SIGUSR1);
}

static void suspend(void)
{
    sigset_t empty;

    sigemptyset(&empty);
    handle(SIGUSR1, nothing, SA_RESTART, 0);
    handle(SIGALRM, nothing, SA_RESTART, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    printf("sent\n");
    printf("sigsuspend %d %s\n", sigsuspend(&empty), error_name(errno));
    printf("blocked again %d\n", is_blocked(SIGUSR1));
    alarm_in(20);
    printf("sigsuspend %d %s\n", sigsuspend(&empty), error_name(errno));
    alarm_in(20);
    printf("pause %d %s\n", pause(), error_name(errno));
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
    unhandle(SIGALRM);
}

/* Ignored signals do not end a wait. */
static void suspend_ignores(void)
{
    sigset_t empty;
    pid_t pid, parent = getpid();

    sigemptyset(&empty);
    block(SIGUSR1);
    block(SIGWINCH);
    handle(SIGUSR1, nothing, 0, 0);
    fflush(stdout);
    pid = MUST(fork());
    if (pid == 0) {
        sleep_ms(20);
        kill(parent, SIGWINCH);
        sleep_ms(20);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    printf("sigsuspend %d %s\n", sigsuspend(&empty), error_name(errno));
    MUST(waitpid(pid, NULL, 0));
    unblock(SIGWINCH);
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
}

static void ignored_while_blocked(void)
{
    block(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    printf("ignored but blocked: pending %d\n", is_pending(SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    printf("ignored again: pending %d\n", is_pending(SIGUSR1));
    unhandle(SIGUSR1);
    raise(SIGUSR1);
    printf("default, blocked: pending %d\n", is_pending(SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
}

static void forged(void)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_code = SI_USER;
    printf("to the parent: %s\n",
           error_name(syscall(SYS_rt_sigqueueinfo, getppid(), SIGWINCH, &info) ? errno : 0));
    info.si_code = SI_QUEUE;
    printf("honestly: %s\n",
           error_name(syscall(SYS_rt_sigqueueinfo, getppid(), SIGWINCH, &info) ? errno : 0));
    info.si_code = SI_USER;
    signal(SIGUSR1, SIG_IGN);
    printf("to oneself: %s\n",
           error_name(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info) ? errno : 0));
    printf("no memory: %s\n",
           error_name(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, (void *)16) ? errno : 0));
}

static void forging(void) { in_child("forging", forged); }

const struct check queue_checks[] = {
    { "real-time", real_time },   { "queue-limit", queue_limit },
    { "timed-wait", timed_wait }, { "suspend", suspend },
    { "suspend-ignores", suspend_ignores }, { "ignored-blocked", ignored_while_blocked },
    { "forging", forging },       { NULL, NULL },
};
