/*
 * fork-loop COUNT [fork|vfork|exec|spawn] - makes so many children, one after another,
 * and waits for each. exec (the default): each executes this program again; spawn: by
 * posix_spawn. The last tenth of them may not be dearer than the first: standard
 * error says what they cost, in ticks of the time stamp counter.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

enum { CHILD_STATUS = 7 };

extern char **environ;

static char *child_arguments[] = { NULL, "--child", NULL };

static pid_t make_spawned(void)
{
    pid_t pid;

    return posix_spawn(&pid, child_arguments[0], NULL, NULL, child_arguments, environ) ? -1 : pid;
}

static pid_t make(const char *how)
{
    pid_t pid;

    if (strcmp(how, "spawn") == 0)
        return make_spawned();
    pid = strcmp(how, "vfork") == 0 ? vfork() : fork();
    if (pid == 0 && strcmp(how, "fork") == 0)
        _exit(CHILD_STATUS);
    if (pid == 0) {
        execve(child_arguments[0], child_arguments, environ);
        _exit(127);
    }
    return pid;
}

static uint64_t rounds(long count, const char *how)
{
    uint64_t start = __rdtsc();

    for (long i = 0; i < count; i++) {
        pid_t pid = make(how);
        int status;

        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != CHILD_STATUS << 8) {
            fprintf(stderr, "child %ld: %s\n", i, pid < 0 ? "not made" : "wrong end");
            exit(1);
        }
    }
    return __rdtsc() - start;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 100, tenth = count / 10;
    const char *how = argc > 2 ? argv[2] : "exec";
    uint64_t first, last;

    if (argc > 1 && strcmp(argv[1], "--child") == 0)
        return CHILD_STATUS;
    child_arguments[0] = strchr(argv[0], '/') ? argv[0] : "/bin/fork-loop";
    first = rounds(tenth, how);
    rounds(count - 2 * tenth, how);
    last = rounds(tenth, how);
    printf("%ld children\n", count);
    if (getenv("POLYHEDRON") && tenth)
        fprintf(stderr, "first %llu last %llu ticks each\n",
                (unsigned long long)(first / (uint64_t)tenth),
                (unsigned long long)(last / (uint64_t)tenth));
    return 0;
}
