/*
 * Calls that a signal interrupts: signal(7), "Interruption of system calls".
 */
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>

static int ends[2];
static volatile sig_atomic_t runs;

static void count(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    runs++;
}

/* So that a call that begins again comes to an end. */
static void count_and_write(int signal, siginfo_t *info, void *context)
{
    count(signal, info, context);
    if (write(ends[1], "x", 1) != 1)
        _exit(9);
}

static void result(const char *what, long value)
{
    int error = errno;

    printf("%s: %ld %s, handler ran %d\n", what, value, value < 0 ? error_name(error) : "", runs);
    runs = 0;
}

static void reading(void)
{
    char byte;

    MUST(pipe(ends));
    handle(SIGALRM, count_and_write, SA_RESTART, 0);
    alarm_in(20);
    result("read, SA_RESTART", read(ends[0], &byte, 1));
    handle(SIGALRM, count, 0, 0);
    alarm_in(20);
    result("read", read(ends[0], &byte, 1));
    close(ends[0]);
    close(ends[1]);
    unhandle(SIGALRM);
}

/* What was written stays written. */
static void writing(void)
{
    static char block_of[65536 + 100];
    long first;

    MUST(pipe(ends));
    handle(SIGALRM, count, SA_RESTART, 0);
    alarm_in(20);
    first = write(ends[1], block_of, sizeof block_of);
    result("write, SA_RESTART", first);
    handle(SIGALRM, count, 0, 0);
    alarm_in(20);
    result("write to a full pipe", write(ends[1], block_of, 100));
    result("read", read(ends[0], block_of, sizeof block_of));
    close(ends[0]);
    close(ends[1]);
    unhandle(SIGALRM);
}

static void sleeping(void)
{
    struct timespec time = { 5, 0 }, left = { 0, 0 }, until;

    handle(SIGALRM, count, SA_RESTART, 0);
    alarm_in(30);
    result("nanosleep", nanosleep(&time, &left));
    printf("left: %d\n", left.tv_sec == 4 && left.tv_nsec < 970000000 + 1);
    alarm_in(30);
    left = (struct timespec){ 0, 0 };
    result("clock_nanosleep", -clock_nanosleep(CLOCK_REALTIME, 0, &time, &left));
    printf("left: %d\n", left.tv_sec == 4);
    MUST(clock_gettime(CLOCK_MONOTONIC, &until));
    until.tv_sec += 5;
    left = (struct timespec){ 77, 0 };
    alarm_in(30);
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left);
    result("until", errno ? -1 : 0);
    printf("left: %ld\n", (long)left.tv_sec);
    signal(SIGALRM, SIG_IGN);
    time = (struct timespec){ 0, 60000000 };
    alarm_in(20);
    result("nanosleep, ignored", nanosleep(&time, NULL));
    unhandle(SIGALRM);
}

static void polling(void)
{
    struct pollfd poll_for;
    struct timeval second = { 5, 0 };
    struct timespec spec = { 5, 0 };
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = MUST(epoll_create1(0));
    fd_set set;

    MUST(pipe(ends));
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    poll_for = (struct pollfd){ .fd = ends[0], .events = POLLIN };
    handle(SIGALRM, count, SA_RESTART, 0);
    alarm_in(20);
    result("poll", poll(&poll_for, 1, 5000));
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    alarm_in(20);
    result("select", select(ends[0] + 1, &set, NULL, NULL, &second));
    alarm_in(20);
    result("ppoll", ppoll(&poll_for, 1, &spec, NULL));
    alarm_in(20);
    result("epoll_wait", epoll_wait(epoll, &event, 1, 5000));
    close(epoll);
    close(ends[0]);
    close(ends[1]);
    unhandle(SIGALRM);
}

/* A signal that is blocked but for the time of the call. */
static void masks_of_calls(void)
{
    struct timespec second = { 1, 0 }, none = { 0, 0 };
    struct pollfd poll_for;
    sigset_t empty;
    fd_set set;

    sigemptyset(&empty);
    MUST(pipe(ends));
    poll_for = (struct pollfd){ .fd = ends[0], .events = POLLIN };
    handle(SIGUSR1, count, SA_RESTART, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    result("ppoll", ppoll(&poll_for, 1, &second, &empty));
    printf("blocked again %d, pending %d\n", is_blocked(SIGUSR1), is_pending(SIGUSR1));
    raise(SIGUSR1);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    result("pselect", pselect(ends[0] + 1, &set, NULL, NULL, &second, &empty));
    printf("blocked again %d, pending %d\n", is_blocked(SIGUSR1), is_pending(SIGUSR1));
    result("ppoll without", ppoll(&poll_for, 1, &none, &empty));
    printf("blocked again %d\n", is_blocked(SIGUSR1));
    close(ends[0]);
    close(ends[1]);
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
}

static void waiting_for_children(void)
{
    pid_t pid;
    int status;

    handle(SIGALRM, count, SA_RESTART, 0);
    fflush(stdout);
    pid = MUST(fork());
    if (pid == 0) {
        sleep_ms(60);
        _exit(5);
    }
    alarm_in(20);
    result("waitpid, SA_RESTART", waitpid(pid, &status, 0) == pid);
    printf("%s\n", ending(status));
    handle(SIGALRM, count, 0, 0);
    fflush(stdout);
    pid = MUST(fork());
    if (pid == 0)
        pause();
    alarm_in(20);
    result("waitpid", waitpid(pid, &status, 0));
    kill(pid, SIGTERM);
    MUST(waitpid(pid, &status, 0));
    printf("%s\n", ending(status));
    unhandle(SIGALRM);
}

static void fifo(void)
{
    static const char path[] = "/tmp/signals-fifo";
    int fd;

    unlink(path);
    if (mkfifo(path, 0600) < 0) {
        printf("no FIFO: %s\n", error_name(errno));
        return;
    }
    handle(SIGALRM, count, 0, 0);
    alarm_in(20);
    fd = open(path, O_RDONLY);
    result("open", fd);
    unlink(path);
    unhandle(SIGALRM);
}

/* Signals with no handler, and stops, do not interrupt. */
static void not_interrupted(void)
{
    pid_t pid, parent = getpid();
    char byte = 'a';

    MUST(pipe(ends));
    fflush(stdout);
    pid = MUST(fork());
    if (pid == 0) {
        sleep_ms(20);
        kill(parent, SIGWINCH);
        sleep_ms(10);
        kill(parent, SIGSTOP);
        sleep_ms(30);
        kill(parent, SIGCONT);
        sleep_ms(10);
        _exit(write(ends[1], "b", 1) != 1);
    }
    result("read", read(ends[0], &byte, 1));
    printf("%c\n", byte);
    MUST(waitpid(pid, NULL, 0));
    close(ends[0]);
    close(ends[1]);
}

static void broken_pipe_default(void)
{
    MUST(pipe(ends));
    close(ends[0]);
    (void)!write(ends[1], "x", 1);
    _exit(3);
}

static void broken_pipe(void)
{
    MUST(pipe(ends));
    close(ends[0]);
    handle(SIGPIPE, count, SA_RESTART, 0);
    result("write", write(ends[1], "x", 1));
    signal(SIGPIPE, SIG_IGN);
    result("write, ignored", write(ends[1], "x", 1));
    unhandle(SIGPIPE);
    close(ends[1]);
    in_child("default", broken_pipe_default);
}

const struct check restart_checks[] = {
    { "read", reading },         { "write", writing },
    { "sleep", sleeping },       { "poll", polling },
    { "call-masks", masks_of_calls }, { "wait", waiting_for_children },
    { "fifo", fifo },            { "not-interrupted", not_interrupted },
    { "broken-pipe", broken_pipe }, { NULL, NULL },
};
