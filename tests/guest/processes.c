/*
 * processes TEST - what Linux calls about processes do, printed in a form that is the
 * same in every run, to be compared with the host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program; /* our own path */

/* ---- helpers -------------------------------------------------------------------- */

static pid_t child(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    return pid;
}

static const char *error_name(long result)
{
    return result < 0 ? strerror(errno) : "ok";
}

static void print_status(const char *what, int status)
{
    if (WIFEXITED(status))
        printf("%s: exited %d\n", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: killed by %d\n", what, WTERMSIG(status));
    else if (WIFSTOPPED(status))
        printf("%s: stopped by %d\n", what, WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        printf("%s: continued\n", what);
    else
        printf("%s: %#x\n", what, (unsigned)status);
}

/* Waits for it and prints how it ended. */
static void end(const char *what, pid_t pid)
{
    int status;
    pid_t got = waitpid(pid, &status, 0);

    if (got != pid)
        printf("%s: waitpid: %s\n", what, error_name(got));
    else
        print_status(what, status);
}

/* A pipe to wait for each other: the reader sleeps until the writer is there. */
static int channel[2];

static void channel_make(void)
{
    if (pipe(channel)) {
        perror("pipe");
        exit(1);
    }
}
static void channel_wait(void)
{
    char byte;

    if (read(channel[0], &byte, 1) < 0)
        perror("read");
}
static void channel_signal(void)
{
    if (write(channel[1], "x", 1) != 1)
        perror("write");
}

/* ---- ends ------------------------------------------------------------------------- */

static void test_status(void)
{
    static const int codes[] = { 0, 1, 42, 255, 256, 257, -1 };
    static const int signals[] = { SIGKILL, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGPIPE };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        pid_t pid = child();

        if (pid == 0)
            _exit(codes[i]);
        end("exit", pid);
    }
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t pid = child();

        if (pid == 0) {
            kill(getpid(), signals[i]);
            _exit(99);
        }
        end("signal", pid);
    }
}

static void test_wait_errors(void)
{
    siginfo_t info;
    int status = 0x1234;
    pid_t pid;

    printf("no child: %s\n", error_name(waitpid(-1, &status, 0)));
    printf("no child, WNOHANG: %s\n", error_name(waitpid(-1, &status, WNOHANG)));
    printf("options: %s\n", error_name(waitpid(-1, &status, 0x100)));
    printf("INT_MIN: %s\n", error_name(syscall(SYS_wait4, 1 << 31, &status, 0, NULL)));
    printf("waitid without kind: %s\n", error_name(waitid(P_ALL, 0, &info, WNOHANG)));
    printf("waitid P_PID 0: %s\n", error_name(waitid(P_PID, 0, &info, WEXITED)));
    printf("waitid which: %s\n", error_name(waitid((idtype_t)9, 0, &info, WEXITED)));
    channel_make();
    pid = child();
    if (pid == 0) {
        channel_wait();
        _exit(3);
    }
    printf("other pid: %s\n", error_name(waitpid(pid + 1, &status, 0)));
    printf("other group: %s\n", error_name(waitpid(-(pid + 1), &status, 0)));
    printf("clone child: %s\n", error_name(waitpid(-1, &status, __WCLONE)));
    printf("runs: %d\n", waitpid(pid, &status, WNOHANG));
    memset(&info, 0xff, sizeof info);
    printf("waitid runs: %d", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG));
    printf(" %d %d\n", info.si_signo, info.si_pid);
    channel_signal();
    printf("bad address: %s\n", error_name(waitpid(pid, (int *)8, 0)));
    printf("after that: %s\n", error_name(waitpid(pid, &status, 0)));
    printf("status is still %#x\n", (unsigned)status);
}

static void test_waitid(void)
{
    struct rusage usage;
    siginfo_t info;
    pid_t pid = child();

    if (pid == 0)
        _exit(17);
    for (int i = 0; i < 2; i++) {
        memset(&info, 0, sizeof info);
        printf("WNOWAIT: %d", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
        printf(" signo %d code %d status %d pid %d uid %d\n", info.si_signo, info.si_code,
               info.si_status, info.si_pid == pid, info.si_uid == getuid());
    }
    memset(&usage, 0xff, sizeof usage);
    printf("raw: %ld", syscall(SYS_waitid, P_PGID, 0, NULL, WEXITED, &usage));
    printf(" usage %d\n", usage.ru_utime.tv_sec == 0 && usage.ru_nswap == 0);
    printf("gone: %s\n", error_name(waitid(P_ALL, 0, &info, WEXITED)));
    pid = child();
    if (pid == 0) {
        raise(SIGKILL);
        _exit(0);
    }
    memset(&info, 0, sizeof info);
    printf("killed: %d", waitid(P_ALL, 0, &info, WEXITED));
    printf(" code %d status %d\n", info.si_code, info.si_status);
}

static void test_stopped(void)
{
    siginfo_t info;
    int status;
    pid_t pid = child();

    if (pid == 0) {
        raise(SIGSTOP);
        _exit(5);
    }
    waitpid(pid, &status, WUNTRACED);
    print_status("WUNTRACED", status);
    printf("again: %d\n", waitpid(pid, &status, WUNTRACED | WNOHANG));
    kill(pid, SIGCONT);
    waitpid(pid, &status, WCONTINUED);
    print_status("WCONTINUED", status);
    end("then", pid);
    pid = child();
    if (pid == 0) {
        setpgid(0, 0); /* not in a group that is orphaned */
        raise(SIGTSTP);
        _exit(6);
    }
    memset(&info, 0, sizeof info);
    printf("waitid: %d", waitid(P_PID, (id_t)pid, &info, WSTOPPED));
    printf(" code %d status %d\n", info.si_code, info.si_status);
    kill(pid, SIGKILL);
    end("killed while stopped", pid);
}

/* Without zombies: wait returns when the last one has gone. */
static void test_no_zombies(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN };
    int status;

    sigaction(SIGCHLD, &action, NULL);
    for (int i = 0; i < 3; i++)
        if (child() == 0)
            _exit(i);
    printf("SIG_IGN: %s\n", error_name(wait(&status)));
    action.sa_handler = SIG_DFL;
    action.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, NULL);
    if (child() == 0)
        _exit(1);
    printf("SA_NOCLDWAIT: %s\n", error_name(wait(&status)));
}

static void test_zombies(void)
{
    enum { COUNT = 1000 };
    static pid_t pids[COUNT];
    int status, sum = 0, in_order = 1;

    fflush(stdout);
    for (int i = 0; i < COUNT; i++) {
        pids[i] = child();
        if (pids[i] == 0)
            _exit(i & 0x7f);
    }
    for (int i = COUNT; i-- > 0;) {
        in_order &= waitpid(pids[i], &status, 0) == pids[i];
        sum += WEXITSTATUS(status);
    }
    printf("%d zombies, sum %d, each found: %d\n", COUNT, sum, in_order);
    printf("then: %s\n", error_name(wait(&status)));
}

/* ---- memory and registers ------------------------------------------------------------- */

static int variable = 1;

static void test_memory(void)
{
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *heap = strdup("parent");
    pid_t pid;

    *shared = *private = 1;
    pid = child();
    if (pid == 0) {
        variable = *shared = *private = 2;
        strcpy(heap, "child");
        printf("child: %d %d %d %s\n", variable, *shared, *private, heap);
        exit(0);
    }
    end("child", pid);
    printf("parent: %d %d %d %s\n", variable, *shared, *private, heap);
    free(heap);
}

static void test_vfork(void)
{
    volatile int value = 1;
    pid_t pid;

    fflush(stdout);
    pid = vfork();
    if (pid == 0) {
        value = 2;
        _exit(9);
    }
    printf("after exit: %d\n", value);
    end("vfork", pid);
    pid = vfork();
    if (pid == 0) {
        value = 3;
        execl("/no/such/file", "x", NULL);
        value = errno == ENOENT ? 4 : 5;
        _exit(127);
    }
    printf("after a failed exec: %d\n", value);
    end("vfork", pid);
}

/* A child that was made by vfork makes one itself. */
static void test_vfork_nested(void)
{
    volatile int depth = 0;
    pid_t pid, inner;
    int status;

    fflush(stdout);
    pid = vfork();
    if (pid == 0) {
        depth = 1;
        inner = vfork();
        if (inner == 0) {
            depth = 2;
            _exit(21);
        }
        waitpid(inner, &status, 0);
        _exit(WEXITSTATUS(status) + depth);
    }
    printf("depth %d\n", depth);
    end("nested", pid);
}

static void test_registers(void)
{
    double values[8], sum = 0;
    pid_t pid;
    int ok;

    for (int i = 0; i < 8; i++)
        values[i] = i * 1.25;
    fflush(stdout);
    __asm__ volatile("movupd %2, %%xmm8; movupd %3, %%xmm15; mov $0x1234567, %%r12; syscall;"
                     "cmp $0x1234567, %%r12; sete %%bl; movzbl %%bl, %1;"
                     "movupd %%xmm8, %2; movupd %%xmm15, %3"
                     : "=a"(pid), "=&r"(ok), "+m"(*(double(*)[2])&values[2]),
                       "+m"(*(double(*)[2])&values[6])
                     : "0"(SYS_fork)
                     : "rcx", "r11", "r12", "rbx", "xmm8", "xmm15", "memory");
    for (int i = 0; i < 8; i++)
        sum += values[i];
    if (pid == 0) {
        printf("child: %d %.2f\n", ok, sum);
        exit(0);
    }
    end("child", pid);
    printf("parent: %d %.2f\n", ok, sum);
}

/* ---- clone --------------------------------------------------------------------------------- */

static long raw_clone(unsigned long flags, void *stack, int *parent_tid, int *child_tid)
{
    return syscall(SYS_clone, flags, stack, parent_tid, child_tid, 0ul);
}

static void test_clone_errors(void)
{
    static const struct {
        const char *name;
        unsigned long flags;
    } cases[] = {
        { "SIGHAND without VM", CLONE_SIGHAND },
        { "THREAD without SIGHAND", CLONE_THREAD | CLONE_VM },
        { "NEWNS with FS", CLONE_NEWNS | CLONE_FS },
    };
    struct clone_args args = { .exit_signal = SIGCHLD };
    char big[8192] = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        printf("%s: %s\n", cases[i].name,
               error_name(raw_clone(cases[i].flags | SIGCHLD, NULL, NULL, NULL)));
    printf("clone3 short: %s\n", error_name(syscall(SYS_clone3, &args, 32)));
    printf("clone3 long: %s\n", error_name(syscall(SYS_clone3, big, sizeof big)));
    big[200] = 1;
    printf("clone3 unknown: %s\n", error_name(syscall(SYS_clone3, big, 256)));
    printf("clone3 address: %s\n", error_name(syscall(SYS_clone3, 8, sizeof args)));
    args.exit_signal = 99;
    printf("clone3 signal: %s\n", error_name(syscall(SYS_clone3, &args, sizeof args)));
    args.exit_signal = SIGCHLD;
    args.stack_size = 4096;
    printf("clone3 size without stack: %s\n", error_name(syscall(SYS_clone3, &args, sizeof args)));
    args.stack_size = 0;
    args.flags = SIGCHLD;
    printf("clone3 signal in flags: %s\n", error_name(syscall(SYS_clone3, &args, sizeof args)));
    args.flags = CLONE_PARENT;
    printf("clone3 parent with signal: %s\n", error_name(syscall(SYS_clone3, &args, sizeof args)));
}

static void test_clone_tids(void)
{
    int parent_tid = -1, child_tid = -1, status;
    pid_t pid;

    fflush(stdout);
    pid = (pid_t)raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                               SIGCHLD,
                           NULL, &parent_tid, &child_tid);
    if (pid == 0)
        _exit(child_tid == (int)syscall(SYS_getpid) ? 11 : 12);
    printf("parent's: %d, child's here: %d\n", parent_tid == pid, child_tid);
    end("child", pid);
    pid = (pid_t)raw_clone(0, NULL, NULL, NULL);
    if (pid == 0)
        _exit(13);
    printf("without a signal: %s\n", error_name(waitpid(pid, &status, 0)));
    printf("with __WALL: %d", waitpid(pid, &status, __WALL) == pid);
    printf(" %d\n", WEXITSTATUS(status));
}

static void test_clone3(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    volatile struct clone_args args = {
        .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD,
        .stack = (unsigned long)stack, .stack_size = sizeof stack,
    };
    static volatile int seen;
    long pid;

    fflush(stdout);
    /* The child has another stack: it may only use registers here. */
    __asm__ volatile("syscall; test %%rax, %%rax; jnz 1f;"
                     "movl $77, %1; mov $60, %%eax; mov $33, %%edi; syscall; 1:"
                     : "=a"(pid), "=m"(seen)
                     : "0"(SYS_clone3), "D"(&args), "S"(sizeof args)
                     : "rcx", "r11", "memory");
    printf("clone3: %d, seen %d\n", pid > 0, seen);
    end("child", (pid_t)pid);
}

/* ---- families ---------------------------------------------------------------------------- */

static void test_orphan(void)
{
    pid_t pid, self = getpid();
    int status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    channel_make();
    pid = child();
    if (pid == 0) {
        if (child() == 0) {
            channel_wait();
            _exit(getppid() == self ? 31 : 32);
        }
        _exit(30);
    }
    end("middle", pid);
    channel_signal();
    printf("orphan: %d", wait(&status) > 0);
    printf(" %d\n", WEXITSTATUS(status));
    printf("then: %s\n", error_name(wait(&status)));
}

static void test_orphan_zombie(void)
{
    pid_t pid;
    int status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = child();
    if (pid == 0) {
        siginfo_t info;

        if (child() == 0)
            _exit(41);
        waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
        _exit(40);
    }
    end("middle", pid);
    printf("zombie: %d", wait(&status) > 0);
    printf(" %d\n", WEXITSTATUS(status));
}

static void test_death_signal(void)
{
    pid_t pid;
    int status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    channel_make();
    pid = child();
    if (pid == 0) {
        if (child() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            channel_signal();
            for (;;)
                pause();
        }
        channel_wait();
        _exit(50);
    }
    end("parent", pid);
    wait(&status);
    print_status("its child", status);
}

/* ---- groups and sessions --------------------------------------------------------------------- */

/* In a process that is not 1: a process group can not have that number for wait. */
static void groups(void)
{
    pid_t pid, self = getpid();
    int status;

    setpgid(0, 0);
    printf("own group: %d\n", getpgrp() == getpid());
    printf("negative: %s\n", error_name(setpgid(0, -1)));
    printf("no process: %s\n", error_name(setpgid(99999, 0)));
    printf("no such group: %s\n", error_name(setpgid(0, 99999)));
    channel_make();
    pid = child();
    if (pid == 0) {
        channel_wait();
        execl(program, program, "sleep", NULL);
        _exit(126);
    }
    printf("inherited: %d\n", getpgid(pid) == self);
    printf("child's own: %s", error_name(setpgid(pid, 0)));
    printf(" %d\n", getpgid(pid) == pid);
    printf("back: %s", error_name(setpgid(pid, self)));
    printf(" %d\n", getpgid(pid) == self);
    channel_signal();
    while (setpgid(pid, 0) == 0 && setpgid(pid, self) == 0)
        usleep(1000);
    printf("after exec: %s\n", error_name(-1));
    kill(pid, SIGKILL);
    wait(&status);
    pid = child();
    if (pid == 0) {
        printf("setsid: %d", setsid() == getpid());
        printf(" %d %d\n", getsid(0) == getpid(), getpgrp() == getpid());
        printf("again: %s\n", error_name(setsid()));
        printf("leader's group: %s\n", error_name(setpgid(0, 0)));
        printf("parent: %s\n", error_name(setpgid(getppid(), 0)));
        exit(0);
    }
    end("session", pid);
    pid = child();
    if (pid == 0) {
        setsid();
        channel_signal();
        for (;;)
            pause();
    }
    channel_wait();
    printf("child in another session: %s\n", error_name(setpgid(pid, self)));
    printf("wait for a group: %s\n", error_name(waitpid(-self, &status, WNOHANG)));
    kill(-pid, SIGTERM);
    printf("wait for its group: %d\n", waitpid(-pid, &status, 0) == pid);
}

static void test_groups(void)
{
    pid_t pid = child();

    if (pid == 0) {
        groups();
        exit(0);
    }
    end("groups", pid);
}

/* A stopped job whose last connection to the outside ends gets SIGHUP and SIGCONT. */
static volatile sig_atomic_t hangups, continues;
static void on_hangup(int signal) { (void)signal; hangups++; }
static void on_continue(int signal) { (void)signal; continues++; }

static void test_orphaned_group(void)
{
    int status, result[2];
    pid_t pid;
    char text[32] = "";

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe(result))
        return;
    pid = child();
    if (pid == 0) {
        setsid();
        pid = child();
        if (pid == 0) {
            signal(SIGHUP, on_hangup);
            signal(SIGCONT, on_continue);
            setpgid(0, 0);
            raise(SIGSTOP);
            dprintf(result[1], "%d %d", (int)hangups, (int)continues);
            _exit(0);
        }
        waitpid(pid, &status, WUNTRACED);
        _exit(60);
    }
    end("leader", pid);
    wait(&status);
    print_status("member", status);
    if (read(result[0], text, sizeof text - 1) < 0)
        perror("read");
    printf("hangups and continues: %s\n", text);
}

/* ---- limits, time, exec -------------------------------------------------------------------------- */

static void test_process_limit(void)
{
    struct rlimit limit = { 5, 5 };
    int made = 0, status;
    pid_t pid = child();

    if (pid == 0) {
        channel_make();
        if (setrlimit(RLIMIT_NPROC, &limit) || setgid(54321) || setuid(54321))
            _exit(1);
        fflush(stdout);
        while ((pid = fork()) > 0)
            made++;
        if (pid == 0) {
            close(channel[1]);
            channel_wait();
            _exit(0);
        }
        printf("%d made, then %s\n", made, error_name(-1));
        fflush(stdout);
        close(channel[1]);
        while (wait(&status) > 0)
            ;
        _exit(0);
    }
    end("limited", pid);
}

static void test_times(void)
{
    struct rusage before, after;
    struct tms times_before, times_after;
    pid_t pid;

    getrusage(RUSAGE_CHILDREN, &before);
    times(&times_before);
    pid = child();
    if (pid == 0) {
        struct rusage own;

        do
            getrusage(RUSAGE_SELF, &own);
        while (own.ru_utime.tv_sec == 0 && own.ru_utime.tv_usec + own.ru_stime.tv_usec < 50000);
        _exit(0);
    }
    end("busy", pid);
    getrusage(RUSAGE_CHILDREN, &after);
    times(&times_after);
    printf("children used time: %d %d\n",
           after.ru_utime.tv_usec + after.ru_stime.tv_usec + after.ru_utime.tv_sec * 1000000 >= 50000,
           times_after.tms_cutime + times_after.tms_cstime >= 4);
    printf("before: %d\n", before.ru_utime.tv_usec == 0);
}

static void test_exec(void)
{
    static char long_text[4096 * 33];
    char *arguments[] = { "x", long_text, NULL };
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = open("/dev/null", O_RDONLY);
    char text[32], kept_text[32];
    pid_t pid;

    memset(long_text, 'a', sizeof long_text - 1);
    printf("long string: %s\n", error_name(execv(program, arguments)));
    printf("directory: %s\n", error_name(execv("/bin", arguments)));
    printf("descriptors: %d\n", fcntl(fd, F_GETFD) == FD_CLOEXEC);
    snprintf(text, sizeof text, "%d", fd);
    snprintf(kept_text, sizeof kept_text, "%d", kept);
    pid = child();
    if (pid == 0) {
        execl(program, program, "descriptors", text, kept_text, NULL);
        _exit(126);
    }
    end("exec", pid);
    fflush(stdout);
    pid = vfork();
    if (pid == 0) {
        execl(program, program, "descriptors", text, kept_text, NULL);
        _exit(126);
    }
    end("vfork and exec", pid);
}

/* Called by test_exec with two descriptors: is each open? */
static int descriptors(char **argv)
{
    for (int i = 0; i < 2; i++)
        printf("%d", fcntl(atoi(argv[i]), F_GETFD) >= 0);
    printf("\n");
    return 0;
}

/* Children that make children, some of which end before their parents. */
static void test_tree(void)
{
    int status, sum = 0, depth = 0;
    pid_t pid;

    for (int level = 0; level < 5; level++) {
        pid_t left = child(), right;

        if (left == 0) {
            depth = level + 1;
            continue;
        }
        right = child();
        if (right == 0) {
            depth = level + 1;
            continue;
        }
        while ((pid = wait(&status)) > 0)
            sum += WEXITSTATUS(status);
        if (depth)
            _exit(1 + sum);
        printf("%d descendants\n", sum);
        return;
    }
    _exit(1);
}

/* ---- the end ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    { "status", test_status },           { "wait-errors", test_wait_errors },
    { "waitid", test_waitid },           { "stopped", test_stopped },
    { "no-zombies", test_no_zombies },   { "zombies", test_zombies },
    { "memory", test_memory },           { "vfork", test_vfork },
    { "vfork-nested", test_vfork_nested }, { "registers", test_registers },
    { "clone-errors", test_clone_errors }, { "clone-tids", test_clone_tids },
    { "clone3", test_clone3 },           { "orphan", test_orphan },
    { "orphan-zombie", test_orphan_zombie }, { "death-signal", test_death_signal },
    { "groups", test_groups },           { "orphaned-group", test_orphaned_group },
    { "process-limit", test_process_limit }, { "times", test_times },
    { "exec", test_exec },               { "tree", test_tree },
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    program = strchr(argv[0], '/') ? argv[0] : "/bin/processes";
    if (strcmp(name, "sleep") == 0)
        return pause();
    if (strcmp(name, "descriptors") == 0 && argc == 4)
        return descriptors(argv + 2);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (strcmp(name, tests[i].name) == 0) {
            tests[i].run();
            return 0;
        }
    fprintf(stderr, "processes: no test \"%s\"\n", name);
    return 2;
}
