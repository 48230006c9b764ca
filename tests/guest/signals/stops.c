/*
 * Stopping and continuing.
 */
#define _GNU_SOURCE
#include "check.h"

static volatile sig_atomic_t told;
static siginfo_t last;

static void child_changed(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    last = *info;
    told++;
}

static void say(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    printf("handler of SIG%s\n", name(signal));
    fflush(stdout);
}

static void sleep_on(void) { for (;;) pause(); }

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

static void wait_show(pid_t pid, int options)
{
    int status = 0;
    pid_t result;

    do
        result = waitpid(pid, &status, options);
    while (result < 0 && errno == EINTR);
    printf("%s\n", result == pid ? ending(status) : error_name(errno));
}

static void stop_continue(void)
{
    pid_t pid = start(sleep_on);
    int status;

    MUST(kill(pid, SIGSTOP));
    wait_show(pid, WUNTRACED);
    printf("again: %d\n", waitpid(pid, &status, WUNTRACED | WNOHANG));
    MUST(kill(pid, SIGCONT));
    wait_show(pid, WCONTINUED);
    MUST(kill(pid, SIGSTOP));
    wait_show(pid, WUNTRACED);
    MUST(kill(pid, SIGTERM));
    printf("stopped, not killed: %d\n", waitpid(pid, &status, WNOHANG));
    MUST(kill(pid, SIGCONT));
    wait_show(pid, 0);
    pid = start(sleep_on);
    MUST(kill(pid, SIGSTOP));
    wait_show(pid, WUNTRACED);
    MUST(kill(pid, SIGKILL));
    wait_show(pid, 0);
}

static int pipe_ends[2];

static void count_up(void)
{
    for (char n = 0;; n++) {
        if (write(pipe_ends[1], &n, 1) != 1)
            _exit(1);
        sleep_ms(1);
    }
}

/* A process that computes is stopped as well. */
static void stop_running(void)
{
    char buffer[65536];
    pid_t pid;

    MUST(pipe2(pipe_ends, 0));
    pid = start(count_up);
    MUST(read(pipe_ends[0], buffer, 1));
    MUST(kill(pid, SIGSTOP));
    wait_show(pid, WUNTRACED);
    MUST(write(pipe_ends[1], "", 1));
    MUST(read(pipe_ends[0], buffer, sizeof buffer));
    sleep_ms(30);
    MUST(write(pipe_ends[1], "", 1));
    printf("nothing came: %d\n", (int)read(pipe_ends[0], buffer, sizeof buffer) == 1);
    MUST(kill(pid, SIGCONT));
    printf("it goes on: %d\n", (int)read(pipe_ends[0], buffer, sizeof buffer) > 0);
    MUST(kill(pid, SIGKILL));
    wait_show(pid, 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void wait_told(int wanted)
{
    int64_t end = now_ns() + 20000000000ll;

    while (told < wanted && now_ns() < end)
        sleep_ms(1);
}

static void parent_is_told(void)
{
    pid_t pid;

    told = 0;
    handle(SIGCHLD, child_changed, SA_RESTART, 0);
    pid = start(sleep_on);
    MUST(kill(pid, SIGSTOP));
    wait_told(1);
    printf("code %d status SIG%s\n", last.si_code, name(last.si_status));
    MUST(kill(pid, SIGCONT));
    wait_told(2);
    printf("code %d status SIG%s\n", last.si_code, name(last.si_status));
    handle(SIGCHLD, child_changed, SA_RESTART | SA_NOCLDSTOP, 0);
    told = 0;
    MUST(kill(pid, SIGSTOP));
    wait_show(pid, WUNTRACED);
    printf("SA_NOCLDSTOP: told %d\n", told);
    MUST(kill(pid, SIGKILL));
    wait_told(1);
    printf("code %d status SIG%s\n", last.si_code, name(last.si_status));
    wait_show(pid, 0);
    unhandle(SIGCHLD);
}

static void handlers_of_stops(void)
{
    handle(SIGTSTP, say, 0, 0);
    handle(SIGCONT, say, 0, 0);
    raise(SIGTSTP);
    raise(SIGCONT);
    raise(SIGSTOP);
    printf("went on\n");
    fflush(stdout);
    _exit(6);
}

static void handled(void)
{
    pid_t pid = start(handlers_of_stops);

    wait_show(pid, WUNTRACED);
    MUST(kill(pid, SIGCONT));
    wait_show(pid, 0);
}

/* Each of the two forgets the other. */
static void contrary_child(void)
{
    block(SIGTSTP);
    block(SIGCONT);
    raise(SIGTSTP);
    printf("TSTP pending %d\n", is_pending(SIGTSTP));
    raise(SIGCONT);
    printf("TSTP pending %d, CONT pending %d\n", is_pending(SIGTSTP), is_pending(SIGCONT));
    raise(SIGTSTP);
    printf("TSTP pending %d, CONT pending %d\n", is_pending(SIGTSTP), is_pending(SIGCONT));
}

static void contrary(void) { in_child("contrary", contrary_child); }

/* In a group of its own in another session: nobody could continue it. */
static void orphan(void)
{
    MUST(setsid());
    raise(SIGTSTP);
    raise(SIGTTIN);
    raise(SIGTTOU);
    printf("not stopped\n");
}

static void orphaned(void) { in_child("orphaned", orphan); }

/* What is on when it is stopped goes on afterwards. */
static void sleep_100(void)
{
    struct timespec time = { 0, 100000000 };

    _exit(nanosleep(&time, NULL) == 0 ? 1 : 2);
}

static void stopped_sleep(void)
{
    pid_t pid = start(sleep_100);

    sleep_ms(20);
    MUST(kill(pid, SIGSTOP));
    wait_show(pid, WUNTRACED);
    MUST(kill(pid, SIGCONT));
    wait_show(pid, 0);
}

const struct check stop_checks[] = {
    { "stop", stop_continue },      { "stop-running", stop_running },
    { "stop-told", parent_is_told }, { "stop-handled", handled },
    { "contrary", contrary },       { "orphaned", orphaned },
    { "stopped-sleep", stopped_sleep }, { NULL, NULL },
};
