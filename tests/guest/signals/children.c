/*
 * Signals between processes: SIGCHLD, groups, permissions.
 */
#include "check.h"

static volatile sig_atomic_t count;
static siginfo_t last;

static void child_changed(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    last = *info;
    count++;
}

static pid_t start(void (*run)(void))
{
    pid_t pid;

    fflush(stdout);
    pid = MUST(fork());
    if (pid == 0) {
        run();
        _exit(0);
    }
    return pid;
}

static void exit_7(void) { _exit(7); }
static void sleep_on(void) { for (;;) pause(); }

static void wait_count(int wanted)
{
    int64_t end = now_ns() + 20000000000ll;

    while (count < wanted && now_ns() < end)
        sleep_ms(1);
}

static void show(pid_t pid)
{
    wait_count(1);
    printf("SIG%s code %d, pid %d, status %d\n", name(last.si_signo), last.si_code,
           last.si_pid == pid, last.si_status);
    count = 0;
}

static void child_signal(void)
{
    pid_t pid;
    int status;

    count = 0;
    handle(SIGCHLD, child_changed, SA_RESTART, 0);
    pid = start(exit_7);
    show(pid);
    MUST(waitpid(pid, &status, 0));
    printf("%s\n", ending(status));
    pid = start(sleep_on);
    MUST(kill(pid, SIGTERM));
    show(pid);
    MUST(waitpid(pid, &status, 0));
    printf("%s\n", ending(status));
    unhandle(SIGCHLD);
}

static void unwanted(const char *what)
{
    pid_t pid = start(exit_7);
    int status;

    printf("%s: waitpid %s\n", what, error_name(waitpid(pid, &status, 0) < 0 ? errno : 0));
}

static void no_zombies(void)
{
    signal(SIGCHLD, SIG_IGN);
    unwanted("SIG_IGN");
    count = 0;
    handle(SIGCHLD, child_changed, SA_NOCLDWAIT | SA_RESTART, 0);
    unwanted("SA_NOCLDWAIT");
    wait_count(1);
    printf("told %d\n", count);
    unhandle(SIGCHLD);
    unwanted("default");
}

static int ready[2];

static void in_group(void)
{
    char byte = 'r';

    setpgid(0, 0);
    (void)!write(ready[1], &byte, 1);
    sleep_on();
}

static void member(void)
{
    char byte = 'r';

    (void)!write(ready[1], &byte, 1);
    sleep_on();
}

static void leader_with_members(void)
{
    setpgid(0, 0);
    start(member);
    start(member);
    in_group();
}

static void groups(void)
{
    char byte;
    pid_t pid;
    int status;

    MUST(pipe(ready));
    pid = start(leader_with_members);
    for (int i = 0; i < 3; i++)
        MUST(read(ready[0], &byte, 1));
    printf("nobody's group: %s\n", error_name(kill(-0x3ffffff0, SIGTERM) ? errno : 0));
    printf("test: %s\n", error_name(kill(-pid, 0) ? errno : 0));
    MUST(kill(-pid, SIGUSR1));
    MUST(waitpid(pid, &status, 0));
    printf("leader %s\n", ending(status));
    close(ready[1]);
    printf("all are gone: %d\n", read(ready[0], &byte, 1) == 0);
    close(ready[0]);
}

static void become_nobody(void)
{
    pid_t parent = getppid();

    MUST(setuid(65534));
    printf("nobody to root: %s\n", error_name(kill(parent, SIGTERM) ? errno : 0));
    printf("test: %s\n", error_name(kill(parent, 0) ? errno : 0));
    printf("continue: %s\n", error_name(kill(parent, SIGCONT) ? errno : 0));
    printf("to oneself: %s\n", error_name(kill(getpid(), 0) ? errno : 0));
}

static void permissions(void) { in_child("permissions", become_nobody); }

static void blocked_child(void)
{
    printf("inherited: blocked %d, pending %d, handled %d\n", is_blocked(SIGUSR1),
           is_pending(SIGUSR1), signal(SIGUSR2, SIG_DFL) != SIG_DFL);
}

static void inheritance(void)
{
    block(SIGUSR1);
    raise(SIGUSR1);
    handle(SIGUSR2, child_changed, 0, 0);
    in_child("fork", blocked_child);
    printf("still pending %d\n", is_pending(SIGUSR1));
    signal(SIGUSR1, SIG_IGN);
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
    unhandle(SIGUSR2);
}

/* Many signals between two processes: none is lost, because each waits for the other. */
static volatile sig_atomic_t turns;

static void take_turn(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    turns++;
}

static void ping_pong(void)
{
    pid_t parent = getpid(), pid;
    sigset_t empty;
    int status;

    sigemptyset(&empty);
    turns = 0;
    handle(SIGUSR1, take_turn, 0, 0);
    block(SIGUSR1);
    fflush(stdout);
    pid = MUST(fork());
    for (int i = 0; i < 500; i++) {
        if (pid == 0)
            kill(parent, SIGUSR1);
        while (turns <= i)
            sigsuspend(&empty);
        if (pid != 0)
            kill(pid, SIGUSR1);
    }
    if (pid == 0)
        _exit(turns != 500);
    MUST(waitpid(pid, &status, 0));
    printf("turns %d, child %s\n", turns, ending(status));
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
}

const struct check child_checks[] = {
    { "child", child_signal },      { "no-zombies", no_zombies },   { "groups", groups },
    { "permissions", permissions }, { "inheritance", inheritance }, { "ping-pong", ping_pong },
    { NULL, NULL },
};
