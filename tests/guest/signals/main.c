/*
 * signals [CHECK...]: the checks that are named, or all.
 */
#include "check.h"

#include <sys/time.h>

int must(int result, const char *what)
{
    if (result >= 0)
        return result;
    printf("FAILED %s: %s\n", what, strerror(errno));
    exit(1);
}

void handle(int signal, handler_fn *handler, int flags, int mask)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };

    sigemptyset(&action.sa_mask);
    if (mask)
        sigaddset(&action.sa_mask, mask);
    MUST(sigaction(signal, &action, NULL));
}

void unhandle(int number)
{
    if (signal(number, SIG_DFL) == SIG_ERR)
        must(-1, "signal");
}

static void mask_change(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    MUST(sigprocmask(how, &set, NULL));
}

void block(int signal) { mask_change(SIG_BLOCK, signal); }
void unblock(int signal) { mask_change(SIG_UNBLOCK, signal); }

int is_blocked(int signal)
{
    sigset_t set;

    MUST(sigprocmask(SIG_BLOCK, NULL, &set));
    return sigismember(&set, signal);
}

int is_pending(int signal)
{
    sigset_t set;

    MUST(sigpending(&set));
    return sigismember(&set, signal);
}

const char *name(int signal)
{
    static const char *const names[] = {
        [SIGHUP] = "HUP", [SIGINT] = "INT", [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
        [SIGTRAP] = "TRAP", [SIGABRT] = "ABRT", [SIGBUS] = "BUS", [SIGFPE] = "FPE",
        [SIGKILL] = "KILL", [SIGUSR1] = "USR1", [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
        [SIGPIPE] = "PIPE", [SIGALRM] = "ALRM", [SIGTERM] = "TERM", [SIGCHLD] = "CHLD",
        [SIGCONT] = "CONT", [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP", [SIGTTIN] = "TTIN",
        [SIGTTOU] = "TTOU", [SIGURG] = "URG", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF",
        [SIGWINCH] = "WINCH",
    };
    static char text[8];

    if ((size_t)signal < sizeof names / sizeof *names && names[signal])
        return names[signal];
    snprintf(text, sizeof text, "%d", signal);
    return text;
}

const char *error_name(int error)
{
    switch (error) {
    case 0: return "no error";
    case EINTR: return "EINTR";
    case EAGAIN: return "EAGAIN";
    case EINVAL: return "EINVAL";
    case EPERM: return "EPERM";
    case ESRCH: return "ESRCH";
    case ENOMEM: return "ENOMEM";
    case EPIPE: return "EPIPE";
    case ECHILD: return "ECHILD";
    case EFAULT: return "EFAULT";
    default: return strerror(error);
    }
}

const char *ending(int status)
{
    static char text[32];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "killed by %s", name(WTERMSIG(status)));
    else if (WIFSTOPPED(status))
        snprintf(text, sizeof text, "stopped by %s", name(WSTOPSIG(status)));
    else if (WIFCONTINUED(status))
        snprintf(text, sizeof text, "continued");
    else
        snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    return text;
}

void in_child(const char *what, void (*run)(void))
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = MUST(fork());
    if (pid == 0) {
        run();
        fflush(stdout);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            must(-1, "waitpid");
    printf("%s: %s\n", what, ending(status));
}

void alarm_in(int ms)
{
    const struct itimerval time = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

    MUST(setitimer(ITIMER_REAL, &time, NULL));
}

int64_t now_ns(void)
{
    struct timespec now;

    MUST(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void sleep_ms(int ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000l };

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

static const struct check *const lists[] = {
    handler_checks, frame_checks, queue_checks, restart_checks,
    fault_checks,   timer_checks, child_checks, stop_checks,
};

static int run_matching(const char *wanted)
{
    int count = 0;

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (const struct check *check = lists[i]; check->name; check++) {
            if (wanted && strcmp(wanted, check->name))
                continue;
            printf("--- %s\n", check->name);
            check->run();
            fflush(stdout);
            count++;
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return run_matching(NULL) == 0;
    for (int i = 1; i < argc; i++) {
        if (!run_matching(argv[i])) {
            fprintf(stderr, "no check %s\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
