/*
 * readiness TEST - what pipes, epoll, eventfd, timerfd, poll and splice do, call by call,
 * printed in a form that is the same in every run, to be compared with the host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BASE "/tmp/readiness"
#define MS   1000000l

static char buffer[1 << 21];

static void show(const char *what, long result)
{
    if (result < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, result);
}
#define SHOW(call) show(#call, (long)(call))

static void pipe_make(int end[2], int flags)
{
    if (pipe2(end, flags)) {
        perror("pipe2");
        exit(1);
    }
}

/* ---- epoll -------------------------------------------------------------------------------- */

static int control(int ep, int operation, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = { .events = events, .data = { .u64 = data } };

    return epoll_ctl(ep, operation, fd, &event);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct epoll_event *)a)->data.u64;
    uint64_t y = ((const struct epoll_event *)b)->data.u64;

    return (x > y) - (x < y);
}

static void events(const char *what, int ep)
{
    struct epoll_event event[16];
    int                count = epoll_wait(ep, event, 16, 0);

    if (count < 0) {
        show(what, count);
        return;
    }
    printf("%s:", what);
    qsort(event, (size_t)count, sizeof *event, compare);
    for (int i = 0; i < count; i++)
        printf(" %d=%#x", (int)event[i].data.u64, event[i].events);
    printf("\n");
}

static void test_epoll_errors(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int                ep = epoll_create1(EPOLL_CLOEXEC), end[2];
    int                file = open(BASE "/file", O_RDWR | O_CREAT, 0600);
    int                path = open(BASE, O_PATH), dir = open(BASE, O_RDONLY);

    pipe_make(end, 0);
    SHOW(epoll_create(0));
    SHOW(epoll_create1(1));
    SHOW(fcntl(ep, F_GETFD));
    SHOW(fcntl(ep, F_GETFL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, 77, &event));
    SHOW(epoll_ctl(77, EPOLL_CTL_ADD, end[0], &event));
    SHOW(epoll_ctl(end[0], EPOLL_CTL_ADD, end[1], &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, file, &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, dir, &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, path, &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, end[0], NULL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, end[0], NULL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, end[0], &event));
    SHOW(epoll_ctl(ep, 9, end[0], &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, end[0], &event));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, end[0], &event));
    SHOW(epoll_wait(ep, &event, 0, 0));
    SHOW(epoll_wait(ep, &event, -1, 0));
    SHOW(epoll_wait(ep, &event, 1 << 28, 0));
    SHOW(epoll_wait(end[0], &event, 1, 0));
    SHOW(epoll_wait(77, &event, 1, 0));
    SHOW(read(ep, buffer, 8));
    SHOW(write(ep, buffer, 8));
    SHOW(lseek(ep, 5, SEEK_SET));
    SHOW(pread(ep, buffer, 1, 0));
    SHOW(write(end[1], "x", 1));
    SHOW(epoll_wait(ep, (void *)1, 1, 0));
    events("after the fault", ep);
}

static void test_epoll_modes(void)
{
    int level = epoll_create1(0), edge = epoll_create1(0), once = epoll_create1(0), end[2];

    pipe_make(end, O_NONBLOCK);
    control(level, EPOLL_CTL_ADD, end[0], EPOLLIN, 1);
    control(edge, EPOLL_CTL_ADD, end[0], EPOLLIN | EPOLLET, 2);
    control(once, EPOLL_CTL_ADD, end[0], EPOLLIN | EPOLLONESHOT, 3);
    for (int i = 0; i < 3; i++) {
        printf("step %d\n", i);
        events("level", level);
        events("edge", edge);
        events("once", once);
        SHOW(write(end[1], "xy", 2));
        events("level", level);
        events("edge", edge);
        events("once", once);
        SHOW(read(end[0], buffer, 1));
    }
    SHOW(control(edge, EPOLL_CTL_MOD, end[0], EPOLLIN | EPOLLET, 4));
    SHOW(control(once, EPOLL_CTL_MOD, end[0], EPOLLIN | EPOLLONESHOT, 5));
    SHOW(close(end[1]));
    events("level", level);
    events("edge", edge);
    events("edge", edge);
    events("once", once);
    events("once", once);
    SHOW(read(end[0], buffer, 100));
    events("level", level);
    SHOW(close(end[0]));
    events("level", level);
}

static void test_epoll_write(void)
{
    int edge = epoll_create1(0), end[2];

    pipe_make(end, O_NONBLOCK);
    SHOW(control(edge, EPOLL_CTL_ADD, end[1], EPOLLOUT | EPOLLET, 1));
    events("new", edge);
    SHOW(write(end[1], buffer, 100));
    SHOW(read(end[0], buffer, 100));
    events("not full before", edge);
    SHOW(write(end[1], buffer, 65536));
    SHOW(write(end[1], buffer, 1));
    events("full", edge);
    SHOW(read(end[0], buffer, 1));
    events("a byte less", edge);
    SHOW(read(end[0], buffer, 4095));
    events("a page less", edge);
    SHOW(write(end[1], buffer, 1));
    SHOW(close(end[0]));
    events("without reader", edge);
}

/* Registrations follow open file descriptions, not descriptors. */
static void test_epoll_close(void)
{
    int ep = epoll_create1(0), end[2], copy;

    pipe_make(end, 0);
    copy = dup(end[0]);
    SHOW(write(end[1], "x", 1));
    SHOW(control(ep, EPOLL_CTL_ADD, end[0], EPOLLIN, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    events("both", ep);
    SHOW(close(end[0]));
    events("the first is closed", ep);
    SHOW(control(ep, EPOLL_CTL_DEL, end[0], 0, 0));
    SHOW(dup2(end[1], end[0]) == end[0]);
    SHOW(control(ep, EPOLL_CTL_ADD, end[0], EPOLLOUT, 3));
    events("the number is used again", ep);
    SHOW(dup2(ep, copy) == copy);
    events("replaced by dup2", ep);
}

static void test_epoll_nested(void)
{
    int chain[7], ep = epoll_create1(0), end[2];

    pipe_make(end, 0);
    for (int i = 0; i < 7; i++)
        chain[i] = epoll_create1(0);
    for (int i = 0; i < 6; i++)
        SHOW(control(chain[i], EPOLL_CTL_ADD, chain[i + 1], EPOLLIN, 1));
    SHOW(control(chain[1], EPOLL_CTL_ADD, chain[0], EPOLLIN, 1));
    SHOW(control(chain[4], EPOLL_CTL_ADD, chain[0], EPOLLIN, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, chain[0], EPOLLIN, 2));
    SHOW(control(ep, EPOLL_CTL_ADD, chain[1], EPOLLIN | EPOLLET, 3));
    SHOW(control(chain[4], EPOLL_CTL_ADD, end[0], EPOLLIN, 4));
    events("nothing", ep);
    SHOW(write(end[1], "x", 1));
    events("outermost", ep);
    events("again", ep);
    events("middle", chain[2]);
    SHOW(write(end[1], "x", 1));
    events("written again", ep);
    SHOW(read(end[0], buffer, 10));
    events("read", ep);
    events("read", chain[4]);
    SHOW(close(chain[4]));
    SHOW(write(end[1], "x", 1));
    events("innermost closed", ep);
}

static void test_epoll_exclusive(void)
{
    int ep = epoll_create1(0), other = epoll_create1(0), end[2];

    pipe_make(end, 0);
    SHOW(control(ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, end[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, end[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI, 1));
    SHOW(control(ep, EPOLL_CTL_ADD, end[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 1));
    SHOW(control(ep, EPOLL_CTL_MOD, end[0], EPOLLIN, 1));
    SHOW(control(ep, EPOLL_CTL_MOD, end[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
    SHOW(control(other, EPOLL_CTL_ADD, end[0], EPOLLIN | EPOLLEXCLUSIVE, 2));
    SHOW(write(end[1], "x", 1));
    events("first", ep);
    events("second", other);
    SHOW(control(ep, EPOLL_CTL_DEL, end[0], 0, 0));
}

/* ---- eventfd ------------------------------------------------------------------------------ */

static long event_write(int fd, uint64_t value) { return write(fd, &value, sizeof value); }

static void event_read(int fd)
{
    uint64_t value = 0;
    long     result = read(fd, &value, sizeof value);

    show("event_read", result);
    if (result > 0)
        printf("    value %llu\n", (unsigned long long)value);
}

static void test_eventfd(void)
{
    int      fd = eventfd(5, EFD_NONBLOCK), semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    int      ep = epoll_create1(0);
    uint64_t values[2] = { 7, 8 };

    SHOW(eventfd(0, 2));
    SHOW(control(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLET, 1));
    events("new", ep);
    event_read(fd);
    events("read", ep);
    event_read(fd);
    SHOW(read(fd, values, 4));
    SHOW(read(fd, values, 16));
    SHOW(write(fd, values, 4));
    SHOW(write(fd, values, 16));
    SHOW(event_write(fd, UINT64_MAX));
    SHOW(event_write(fd, UINT64_MAX - 1));
    events("full", ep);
    SHOW(event_write(fd, 0));
    SHOW(event_write(fd, 1));
    SHOW(read(fd, values, 16));
    SHOW(values[0] == UINT64_MAX - 1);
    events("empty", ep);
    event_read(semaphore);
    event_read(semaphore);
    event_read(semaphore);
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(pread(fd, buffer, 8, 0));
    SHOW(ftruncate(fd, 0));
}

/* ---- timerfd ------------------------------------------------------------------------------ */

static int timer_set(int fd, int flags, long value_ns, long interval_ns)
{
    const struct itimerspec new = {
        .it_value = { value_ns / (1000 * MS), value_ns % (1000 * MS) },
        .it_interval = { interval_ns / (1000 * MS), interval_ns % (1000 * MS) },
    };

    return timerfd_settime(fd, flags, &new, NULL);
}

static void test_timerfd(void)
{
    struct itimerspec bad = { .it_value = { 0, 1000 * MS } }, now;
    int               fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ep = epoll_create1(0);
    int               real = timerfd_create(CLOCK_REALTIME, 0);
    struct pollfd     polled = { fd, POLLIN, 0 };

    SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    SHOW(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC) >= 0);
    SHOW(timerfd_create(CLOCK_MONOTONIC, 1));
    SHOW(timerfd_settime(fd, 0, &bad, NULL));
    SHOW(timerfd_settime(fd, 8, &bad, NULL));
    SHOW(timerfd_settime(ep, 0, &(struct itimerspec){ .it_value = { 1, 0 } }, NULL));
    SHOW(timerfd_gettime(ep, &now));
    SHOW(timerfd_gettime(77, &now));
    event_read(fd);
    SHOW(write(fd, buffer, 8));
    SHOW(timer_set(fd, 0, 5 * MS, 0));
    SHOW(timerfd_gettime(fd, &now));
    SHOW(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 5 * MS);
    SHOW(poll(&polled, 1, 10000));
    SHOW(poll(&polled, 1, 10000));
    SHOW(timerfd_gettime(fd, &now));
    SHOW(now.it_value.tv_nsec);
    SHOW(read(fd, buffer, 7));
    event_read(fd);
    event_read(fd);
    SHOW(timer_set(real, TFD_TIMER_ABSTIME, 1, 0)); /* long ago */
    event_read(real);
    SHOW(timer_set(fd, 0, 0, 5 * MS)); /* this disarms it */
    event_read(fd);
    SHOW(timer_set(fd, 0, 5 * MS, 1000000 * MS));
    SHOW(control(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 1));
    SHOW(epoll_wait(ep, &(struct epoll_event){ 0 }, 1, 10000));
    events("reported", ep);
    event_read(fd);
    SHOW(timer_set(fd, 0, 1, 0));
    SHOW(epoll_wait(ep, &(struct epoll_event){ 0 }, 1, 10000));
}

/* ---- pipes -------------------------------------------------------------------------------- */

static void test_pipes(void)
{
    int end[2], bytes;

    SHOW(pipe2(end, O_APPEND));
    pipe_make(end, O_NONBLOCK | O_CLOEXEC);
    SHOW(fcntl(end[0], F_GETFL));
    SHOW(fcntl(end[1], F_GETFL));
    SHOW(fcntl(end[0], F_GETPIPE_SZ));
    SHOW(fcntl(end[0], F_SETPIPE_SZ, 0));
    SHOW(fcntl(end[0], F_SETPIPE_SZ, 4097));
    SHOW(fcntl(end[0], F_SETPIPE_SZ, -1));
    SHOW(fcntl(end[0], F_SETPIPE_SZ, 1 << 20));
    SHOW(fcntl(end[0], F_SETPIPE_SZ, 65536));
    SHOW(fcntl(eventfd(0, 0), F_SETPIPE_SZ, 65536));
    SHOW(write(end[1], buffer, 5000));
    SHOW(fcntl(end[0], F_SETPIPE_SZ, 4096));
    SHOW(ioctl(end[0], FIONREAD, &bytes));
    SHOW(bytes);
    SHOW(read(end[0], buffer, 5000));
    SHOW(write(end[1], buffer, 100000));
    SHOW(write(end[1], buffer, 4096));
    SHOW(read(end[0], buffer, 100000));
    SHOW(read(end[0], buffer, 1));
    SHOW(write(end[0], buffer, 1));
    SHOW(read(end[1], buffer, 1));
    SHOW(close(end[0]));
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(end[1], buffer, 0));
    SHOW(write(end[1], buffer, 1));
}

static short poll_one(int fd, short wanted)
{
    struct pollfd polled = { fd, wanted, 0 };

    poll(&polled, 1, 0);
    return polled.revents;
}

static void test_fifos(void)
{
    int reader, writer, both;

    SHOW(mkfifo(BASE "/fifo", 0600));
    SHOW(open(BASE "/fifo", O_WRONLY | O_NONBLOCK));
    reader = open(BASE "/fifo", O_RDONLY | O_NONBLOCK);
    SHOW(poll_one(reader, POLLIN)); /* nobody has hung up yet */
    SHOW(read(reader, buffer, 1));
    writer = open(BASE "/fifo", O_WRONLY | O_NONBLOCK);
    SHOW(poll_one(reader, POLLIN));
    SHOW(poll_one(writer, POLLOUT));
    SHOW(read(reader, buffer, 1));
    SHOW(write(writer, "abc", 3));
    SHOW(close(writer));
    SHOW(poll_one(reader, POLLIN));
    SHOW(read(reader, buffer, 10));
    SHOW(poll_one(reader, POLLIN));
    both = open(BASE "/fifo", O_RDWR);
    SHOW(poll_one(reader, POLLIN));
    SHOW(poll_one(both, POLLIN | POLLOUT));
    SHOW(close(reader));
    SHOW(write(both, "abc", 3));
    SHOW(read(both, buffer, 10));
    SHOW(close(both));
    SHOW(unlink(BASE "/fifo"));
}

static void on_alarm(int signal) { (void)signal; }

/* What ends by a signal, a timeout or the other side. */
static void test_waits(void)
{
    struct sigaction  action = { .sa_handler = on_alarm };
    struct itimerspec once = { .it_value = { 0, 20 * MS } };
    struct pollfd     polled;
    struct timespec   pause = { 0, 10 * MS };
    timer_t           timer;
    sigset_t          all;
    int               end[2], ep = epoll_create1(0), event = eventfd(0, 0);

    pipe_make(end, 0);
    polled = (struct pollfd){ end[0], POLLIN, 0 };
    sigaction(SIGALRM, &action, NULL);
    SHOW(timer_create(CLOCK_MONOTONIC, NULL, &timer));
#define ALARM(call) (timer_settime(timer, 0, &once, NULL), SHOW(call))
    ALARM(read(end[0], buffer, 1));
    ALARM(poll(&polled, 1, -1));
    ALARM(select(end[0] + 1, &(fd_set){ 0 }, NULL, NULL, NULL));
    ALARM(epoll_wait(ep, &(struct epoll_event){ 0 }, 1, -1));
    ALARM(read(event, buffer, 8));
    mkfifo(BASE "/fifo", 0600);
    ALARM(open(BASE "/fifo", O_RDONLY));
    ALARM(open(BASE "/fifo", O_WRONLY));
    unlink(BASE "/fifo");
    ALARM(write(end[1], buffer, 100000));
    SHOW(read(end[0], buffer, 100000));
    sigemptyset(&all);
    sigaddset(&all, SIGALRM);
    sigprocmask(SIG_BLOCK, &all, NULL);
    ALARM(ppoll(&polled, 1, &pause, NULL)); /* still blocked, and pending from now on */
    timer_settime(timer, 0, &once, NULL);
    SHOW(ppoll(&polled, 1, &(struct timespec){ 0, 40 * MS }, NULL));
    sigemptyset(&all);
    SHOW(ppoll(&polled, 1, NULL, &all));
    SHOW(write(end[1], "x", 1));
    kill(getpid(), SIGALRM);
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, end[0], &(struct epoll_event){ .events = EPOLLIN }));
    SHOW(epoll_pwait(ep, &(struct epoll_event){ 0 }, 1, -1, &all)); /* what is ready counts more */
    SHOW(read(end[0], buffer, 1));
    SHOW(epoll_pwait(ep, &(struct epoll_event){ 0 }, 1, -1, &all));
    SHOW(poll(&polled, 1, 5));
    SHOW(epoll_wait(ep, &(struct epoll_event){ 0 }, 1, 5));
}

/* ---- splice ------------------------------------------------------------------------------- */

static void test_splice(void)
{
    int   a[2], b[2], file = open(BASE "/file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t offset = 3;

    pipe_make(a, O_NONBLOCK);
    pipe_make(b, O_NONBLOCK);
    SHOW(write(file, "0123456789", 10));
    SHOW(splice(file, &offset, a[1], NULL, 4, 0));
    SHOW(offset);
    SHOW(splice(file, NULL, a[1], NULL, 4, 0));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(splice(file, NULL, a[1], NULL, 100, 0));
    SHOW(splice(a[0], NULL, a[1], NULL, 1, 0));
    SHOW(splice(file, NULL, file, NULL, 1, 0));
    SHOW(splice(a[0], &offset, file, NULL, 1, 0));
    SHOW(splice(file, NULL, a[1], &offset, 1, 0));
    SHOW(splice(a[0], NULL, 77, NULL, 1, 0));
    SHOW(splice(a[1], NULL, file, NULL, 1, 0));
    SHOW(splice(a[0], NULL, file, NULL, 1, 16));
    SHOW(splice(a[0], NULL, file, NULL, 0, 16));
    SHOW(tee(a[0], b[1], 5, 0));
    SHOW(tee(a[0], b[1], 500, 0));
    SHOW(tee(a[0], a[1], 5, 0));
    SHOW(tee(file, b[1], 5, 0));
    SHOW(splice(a[0], NULL, b[1], NULL, 2, 0));
    SHOW(read(b[0], buffer, 100));
    printf("%.21s\n", buffer);
    offset = 20;
    SHOW(splice(a[0], NULL, file, &offset, 100, 0));
    SHOW(offset);
    SHOW(splice(a[0], NULL, file, &offset, 100, 0));
    SHOW(lseek(file, 0, SEEK_END));
    SHOW(vmsplice(a[1], &(struct iovec){ "hello", 5 }, 1, 0));
    SHOW(vmsplice(a[0], &(struct iovec){ buffer, 3 }, 1, 0));
    SHOW(vmsplice(file, &(struct iovec){ buffer, 3 }, 1, 0));
    SHOW(sendfile(b[1], file, &(off_t){ 0 }, 7));
    SHOW(splice(b[0], NULL, a[1], NULL, 100, 0));
    SHOW(read(a[0], buffer, 100));
    printf("%.9s\n", buffer);
    SHOW(close(a[1]));
    SHOW(splice(a[0], NULL, b[1], NULL, 100, 0));
    SHOW(tee(a[0], b[1], 100, 0));
    signal(SIGPIPE, SIG_IGN);
    SHOW(close(b[0]));
    SHOW(splice(file, &(off_t){ 0 }, b[1], NULL, 5, 0));
}

/* ---- processes ---------------------------------------------------------------------------- */

static void test_processes(void)
{
    int   end[2], event = eventfd(0, 0), ep = epoll_create1(0), status;
    pid_t pid;

    pipe_make(end, 0);
    SHOW(control(ep, EPOLL_CTL_ADD, end[0], EPOLLIN, 1));
    pid = fork();
    if (pid == 0) {
        uint64_t value;

        close(end[0]); /* the registration stays: the parent has it open */
        status = read(event, &value, sizeof value) == 8 && value == 3;
        _exit(write(end[1], "x", 1) == 1 && status ? 0 : 1);
    }
    SHOW(event_write(event, 3));
    SHOW(epoll_wait(ep, &(struct epoll_event){ 0 }, 1, 10000));
    SHOW(waitpid(pid, &status, 0) == pid);
    SHOW(status);
    SHOW(read(end[0], buffer, 1));
    pid = fork();
    if (pid == 0) {
        close(end[0]);
        for (;;)
            if (write(end[1], buffer, 1000) < 0)
                _exit(1);
    }
    SHOW(read(end[0], buffer, 100));
    SHOW(close(end[0]));
    SHOW(waitpid(pid, &status, 0) == pid);
    SHOW(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    mkfifo(BASE "/fifo", 0600);
    pid = fork();
    if (pid == 0) {
        int fd = open(BASE "/fifo", O_WRONLY);

        _exit(write(fd, "hello", 5) == 5 ? 0 : 1);
    }
    end[0] = open(BASE "/fifo", O_RDONLY);
    SHOW(read(end[0], buffer, 5));
    SHOW(read(end[0], buffer, 5));
    SHOW(waitpid(pid, &status, 0) == pid);
    SHOW(status);
    unlink(BASE "/fifo");
}

static const struct {
    const char *name;
    void      (*run)(void);
} tests[] = {
    { "epoll-errors", test_epoll_errors },
    { "epoll-modes", test_epoll_modes },
    { "epoll-write", test_epoll_write },
    { "epoll-close", test_epoll_close },
    { "epoll-nested", test_epoll_nested },
    { "epoll-exclusive", test_epoll_exclusive },
    { "eventfd", test_eventfd },
    { "timerfd", test_timerfd },
    { "pipes", test_pipes },
    { "fifos", test_fifos },
    { "splice", test_splice },
    { "waits", test_waits },
    { "processes", test_processes },
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir(BASE, 0700);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (argc == 2 && !strcmp(argv[1], tests[i].name)) {
            tests[i].run();
            unlink(BASE "/file");
            rmdir(BASE);
            return 0;
        }
    fprintf(stderr, "usage: readiness TEST\n");
    return 2;
}
