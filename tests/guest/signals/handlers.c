/*
 * Handlers: what they are told, what is blocked meanwhile, how they nest.
 */
#include "check.h"

#include <setjmp.h>
#include <sys/syscall.h>

static int depth, runs;

static void show_info(int signal, siginfo_t *info, void *context)
{
    printf("SIG%s si_signo %d si_errno %d si_code %d own pid %d own uid %d, context %d\n",
           name(signal), info->si_signo == signal, info->si_errno, info->si_code,
           info->si_pid == getpid(), info->si_uid == getuid(), context != NULL);
    errno = 99; /* the interrupted code has its own */
}

static void information(void)
{
    handle(SIGUSR1, show_info, 0, 0);
    errno = 7;
    printf("kill %d\n", kill(getpid(), SIGUSR1));
    printf("raise %d\n", raise(SIGUSR1));
    printf("tkill %ld\n", syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1));
    printf("sigqueue %d\n", sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 5 }));
    unhandle(SIGUSR1);
}

static void nest(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    printf("%*sSIG%s begins, USR1 blocked %d, USR2 blocked %d\n", depth++ * 2, "", name(signal),
           is_blocked(SIGUSR1), is_blocked(SIGUSR2));
    if (signal == SIGUSR1 && depth == 1) {
        raise(SIGUSR2);
        raise(SIGUSR1);
    }
    printf("%*sSIG%s ends\n", --depth * 2, "", name(signal));
}

static void nesting(void)
{
    handle(SIGUSR1, nest, 0, 0);
    handle(SIGUSR2, nest, 0, 0);
    raise(SIGUSR1);
    printf("with USR2 in the mask\n");
    handle(SIGUSR1, nest, 0, SIGUSR2);
    raise(SIGUSR1);
    printf("afterwards USR1 blocked %d, USR2 blocked %d\n", is_blocked(SIGUSR1),
           is_blocked(SIGUSR2));
    unhandle(SIGUSR1);
    unhandle(SIGUSR2);
}

static void again(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    printf("run %d, blocked %d\n", ++runs, is_blocked(signal));
    if (runs == 1)
        raise(signal);
    printf("run ends\n");
}

static void nodefer(void)
{
    runs = 0;
    handle(SIGUSR1, again, SA_NODEFER, 0);
    raise(SIGUSR1);
    runs = 0;
    printf("without SA_NODEFER\n");
    handle(SIGUSR1, again, 0, 0);
    raise(SIGUSR1);
    unhandle(SIGUSR1);
}

static void reset_hand(void)
{
    struct sigaction action;

    runs = 1;
    handle(SIGUSR1, again, SA_RESETHAND, 0);
    raise(SIGUSR1);
    MUST(sigaction(SIGUSR1, NULL, &action));
    printf("default again: %d, flags left %#x\n", action.sa_handler == SIG_DFL,
           (unsigned)action.sa_flags & (SA_RESETHAND | SA_SIGINFO));
}

static void several_at_once(void)
{
    static const int signals[] = { SIGUSR2, SIGHUP, SIGTERM, SIGUSR1 };

    for (int i = 0; i < 4; i++) {
        handle(signals[i], nest, 0, 0);
        block(signals[i]);
        raise(signals[i]);
        raise(signals[i]);
    }
    for (int i = 0; i < 4; i++)
        printf("SIG%s pending %d\n", name(signals[i]), is_pending(signals[i]));
    depth = 1; /* so that USR1 sends no more */
    for (int i = 0; i < 4; i++)
        unblock(signals[i]);
    depth = 0;
    for (int i = 0; i < 4; i++)
        unhandle(signals[i]);
}

static sigjmp_buf jump;

static void jump_out(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    siglongjmp(jump, signal);
}

static void longjmp_out(void)
{
    int with_mask;

    handle(SIGUSR1, jump_out, 0, 0);
    for (with_mask = 1; with_mask >= 0; with_mask--) {
        int value = sigsetjmp(jump, with_mask);

        if (!value)
            raise(SIGUSR1);
        printf("back by SIG%s, blocked %d\n", name(value), is_blocked(SIGUSR1));
    }
    unblock(SIGUSR1);
    unhandle(SIGUSR1);
}

static void arguments(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN };
    sigset_t set;

    printf("SIGKILL %s\n", error_name(sigaction(SIGKILL, &action, NULL) ? errno : 0));
    printf("SIGSTOP %s\n", error_name(sigaction(SIGSTOP, &action, NULL) ? errno : 0));
    printf("65 %s\n", error_name(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8) ? errno : 0));
    printf("0 %s\n", error_name(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8) ? errno : 0));
    printf("bytes %s\n", error_name(syscall(SYS_rt_sigaction, 1, NULL, NULL, 4) ? errno : 0));
    printf("address %s\n",
           error_name(syscall(SYS_rt_sigaction, 1, (void *)16, NULL, 8) ? errno : 0));
    printf("how %s\n", error_name(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8) ? errno : 0));
    printf("no signal to oneself %s\n", error_name(kill(getpid(), 0) ? errno : 0));
    printf("kill 65 %s\n", error_name(kill(getpid(), 65) ? errno : 0));
    printf("kill nobody %s\n", error_name(kill(0x3ffffff0, SIGTERM) ? errno : 0));
    printf("tgkill -1 %s\n", error_name(syscall(SYS_tgkill, -1, 1, 0) ? errno : 0));
    sigfillset(&set);
    MUST(sigprocmask(SIG_SETMASK, &set, NULL));
    printf("KILL blocked %d, STOP blocked %d, TERM blocked %d\n", is_blocked(SIGKILL),
           is_blocked(SIGSTOP), is_blocked(SIGTERM));
    sigemptyset(&set);
    MUST(sigprocmask(SIG_SETMASK, &set, NULL));
}

static void raise_and_go_on(void)
{
    static const int ignored[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };

    for (int i = 0; i < 4; i++)
        raise(ignored[i]);
    printf("still here\n");
}

static void raise_term(void) { raise(SIGTERM); }
static void raise_kill(void) { raise(SIGKILL); }
static void raise_rt(void) { raise(SIGRTMIN + 3); }
static void do_abort(void) { abort(); }

static void raise_ignored(void)
{
    signal(SIGTERM, SIG_IGN);
    raise(SIGTERM);
    _exit(4);
}

static void default_actions(void)
{
    in_child("ignored by default", raise_and_go_on);
    in_child("TERM", raise_term);
    in_child("KILL", raise_kill);
    in_child("real-time", raise_rt);
    in_child("abort", do_abort);
    in_child("TERM, ignored", raise_ignored);
}

const struct check handler_checks[] = {
    { "information", information }, { "nesting", nesting },
    { "nodefer", nodefer },         { "reset-hand", reset_hand },
    { "several", several_at_once }, { "longjmp", longjmp_out },
    { "arguments", arguments },     { "default-actions", default_actions },
    { NULL, NULL },
};
