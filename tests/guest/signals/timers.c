/*
 * Timers that send signals.
 */
#include "check.h"

#include <sys/syscall.h>
#include <sys/time.h>

static volatile sig_atomic_t fired;
static siginfo_t last;

static void fire(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    last = *info;
    fired++;
}

static int wait_fired(int wanted)
{
    int64_t end = now_ns() + 20000000000ll;

    while (fired < wanted && now_ns() < end)
        sleep_ms(1);
    return fired >= wanted;
}

static void spin_until(int wanted)
{
    int64_t end = now_ns() + 20000000000ll;

    while (fired < wanted && now_ns() < end)
        ;
}

static void alarms(void)
{
    struct itimerval time;

    fired = 0;
    handle(SIGALRM, fire, 0, 0);
    printf("alarm %u\n", alarm(100));
    printf("alarm %u\n", alarm(1));
    MUST(getitimer(ITIMER_REAL, &time));
    printf("left %d, interval %ld\n", time.it_value.tv_sec == 0 && time.it_value.tv_usec > 0,
           (long)time.it_interval.tv_usec);
    pause();
    printf("fired %d, code %d\n", fired, last.si_code);
    printf("alarm %u\n", alarm(0));
    MUST(getitimer(ITIMER_REAL, &time));
    printf("left %ld %ld\n", (long)time.it_value.tv_sec, (long)time.it_value.tv_usec);
    unhandle(SIGALRM);
}

static void intervals(void)
{
    struct itimerval time = { { 0, 5000 }, { 0, 5000 } }, old;
    int64_t start = now_ns();

    fired = 0;
    handle(SIGALRM, fire, 0, 0);
    MUST(setitimer(ITIMER_REAL, &time, NULL));
    printf("ten times %d\n", wait_fired(10));
    printf("not too early %d\n", now_ns() - start >= 50000000);
    time = (struct itimerval){ { 0, 0 }, { 0, 0 } };
    MUST(setitimer(ITIMER_REAL, &time, &old));
    printf("interval was %ld\n", (long)old.it_interval.tv_usec);
    fired = 0;
    sleep_ms(20);
    printf("quiet %d\n", fired == 0);
    time.it_value.tv_usec = 1000000;
    printf("microseconds: %s\n", error_name(setitimer(ITIMER_REAL, &time, NULL) ? errno : 0));
    printf("which: %s\n", error_name(setitimer(7, &old, NULL) ? errno : 0));
    unhandle(SIGALRM);
}

static void cpu_time(void)
{
    struct itimerval time = { { 0, 0 }, { 0, 20000 } };

    handle(SIGPROF, fire, 0, 0);
    handle(SIGVTALRM, fire, 0, 0);
    fired = 0;
    MUST(setitimer(ITIMER_PROF, &time, NULL));
    spin_until(1);
    printf("PROF fired %d, SIG%s\n", fired, name(last.si_signo));
    fired = 0;
    MUST(setitimer(ITIMER_VIRTUAL, &time, NULL));
    spin_until(1);
    printf("VIRTUAL fired %d, SIG%s\n", fired, name(last.si_signo));
    fired = 0;
    MUST(setitimer(ITIMER_PROF, &time, NULL));
    sleep_ms(50);
    printf("asleep: fired %d\n", fired);
    time.it_value.tv_usec = 0;
    MUST(setitimer(ITIMER_PROF, &time, NULL));
    unhandle(SIGPROF);
    unhandle(SIGVTALRM);
}

static timer_t timer_new(int clock, int notify, int signal, int value)
{
    struct sigevent event = { .sigev_notify = notify, .sigev_signo = signal,
                              .sigev_value = { .sival_int = value } };
    timer_t timer;

    MUST(timer_create(clock, &event, &timer));
    return timer;
}

static void timer_start(timer_t timer, int flags, int64_t first_ns, int64_t interval_ns)
{
    const struct itimerspec time = {
        .it_value = { first_ns / 1000000000, first_ns % 1000000000 },
        .it_interval = { interval_ns / 1000000000, interval_ns % 1000000000 },
    };

    MUST(timer_settime(timer, flags, &time, NULL));
}

static void posix(void)
{
    timer_t timer = timer_new(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 4711);
    struct itimerspec left;

    fired = 0;
    handle(SIGUSR1, fire, 0, 0);
    timer_start(timer, 0, 10000000, 0);
    printf("once %d\n", wait_fired(1));
    printf("code %d, value %d, overrun %d\n", last.si_code, last.si_value.sival_int,
           last.si_overrun);
    MUST(timer_gettime(timer, &left));
    printf("left %ld %ld\n", (long)left.it_value.tv_sec, left.it_value.tv_nsec);
    fired = 0;
    timer_start(timer, TIMER_ABSTIME, now_ns() + 10000000, 5000000);
    printf("five times %d\n", wait_fired(5));
    MUST(timer_gettime(timer, &left));
    printf("interval %ld, left %d\n", left.it_interval.tv_nsec,
           left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 5000000);
    MUST(timer_delete(timer));
    printf("deleted: %s\n", error_name(timer_gettime(timer, &left) ? errno : 0));
    fired = 0;
    sleep_ms(20);
    printf("quiet %d\n", fired == 0);
    unhandle(SIGUSR1);
}

static void overrun(void)
{
    timer_t timer = timer_new(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
    int64_t start = now_ns(), most;

    fired = 0;
    handle(SIGUSR1, fire, 0, 0);
    block(SIGUSR1);
    timer_start(timer, 0, 1000000, 1000000);
    sleep_ms(30);
    printf("pending %d\n", is_pending(SIGUSR1));
    unblock(SIGUSR1);
    most = (now_ns() - start) / 1000000;
    timer_start(timer, 0, 0, 0);
    printf("fired %d, overrun plausible %d\n", fired >= 1,
           last.si_overrun >= 0 && last.si_overrun <= most);
    MUST(timer_delete(timer));
    unhandle(SIGUSR1);
}

static void kinds(void)
{
    timer_t none = timer_new(CLOCK_REALTIME, SIGEV_NONE, 0, 0);
    timer_t cpu = timer_new(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 2);
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65 };
    struct itimerspec left;
    timer_t timer;

    handle(SIGUSR1, fire, 0, 0);
    timer_start(none, 0, 10000000, 0);
    MUST(timer_gettime(none, &left));
    printf("none: runs %d", left.it_value.tv_nsec > 0);
    sleep_ms(20);
    MUST(timer_gettime(none, &left));
    printf(", over %d\n", left.it_value.tv_nsec == 0);
    fired = 0;
    timer_start(cpu, 0, 10000000, 0);
    spin_until(1);
    printf("CPU time: %d, value %d\n", fired, last.si_value.sival_int);
    printf("signal: %s\n", error_name(timer_create(CLOCK_REALTIME, &event, &timer) ? errno : 0));
    printf("clock: %s\n", error_name(timer_create(99, NULL, &timer) ? errno : 0));
    printf("overrun: %d\n", timer_getoverrun(cpu));
    MUST(timer_delete(none));
    MUST(timer_delete(cpu));
    unhandle(SIGUSR1);
    fired = 0;
    handle(SIGALRM, fire, 0, 0);
    MUST(timer_create(CLOCK_MONOTONIC, NULL, &timer)); /* SIGALRM */
    timer_start(timer, 0, 1000000, 0);
    printf("default: %d, SIG%s\n", wait_fired(1), name(last.si_signo));
    MUST(timer_delete(timer));
    unhandle(SIGALRM);
}

static void sleeps(void)
{
    struct timespec time = { 0, 20000000 }, bad = { 0, 1000000000 };
    int64_t start = now_ns();

    printf("nanosleep %d\n", nanosleep(&time, NULL));
    printf("long enough %d\n", now_ns() - start >= 20000000);
    printf("too many: %s\n", error_name(nanosleep(&bad, NULL) ? errno : 0));
    printf("clock: %s\n", error_name(clock_nanosleep(99, 0, &time, NULL)));
}

static void timer_kills(void)
{
    struct itimerval time = { { 0, 0 }, { 0, 30000 } };

    signal(SIGALRM, SIG_DFL);
    MUST(setitimer(ITIMER_REAL, &time, NULL));
    for (;;)
        pause();
}

static void inherited(void)
{
    struct itimerval time;

    MUST(getitimer(ITIMER_REAL, &time));
    printf("child has %ld %ld\n", (long)time.it_value.tv_sec, (long)time.it_value.tv_usec);
}

static void forks(void)
{
    alarm(100);
    in_child("timers are not inherited", inherited);
    printf("the parent's goes on: %d\n", alarm(0) >= 99);
    in_child("killed by its timer", timer_kills);
}

const struct check timer_checks[] = {
    { "alarm", alarms },    { "interval", intervals }, { "cpu-time", cpu_time },
    { "timer", posix },     { "overrun", overrun },    { "timer-kinds", kinds },
    { "nanosleep", sleeps }, { "timers-fork", forks }, { NULL, NULL },
};
