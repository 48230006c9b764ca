/*
 * exec-it PATH [ARG...] - calls execve, and prints the error if that returns.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { STATUS_NOT_RUN = 126 };

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: exec-it PATH [ARG...]\n", stderr);
        return 2;
    }
    execve(argv[1], argv + 1, environ);
    printf("execve: %s\n", strerror(errno));
    return STATUS_NOT_RUN;
}
