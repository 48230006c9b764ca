/*
 * getppid-loop COUNT - a foreign null call again and again; prints the parent, and
 * on Polyhedron, on standard error, the ticks of the time stamp counter for each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <x86intrin.h>

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    pid_t parent = getppid();
    uint64_t start = __rdtsc();

    for (unsigned long i = 0; i < count; i++) {
        if (getppid() != parent)
            return 1;
    }
    printf("parent %d\n", (int)parent);
    if (count && getenv("POLYHEDRON"))
        fprintf(stderr, "%lu ticks for each call\n",
                (unsigned long)((__rdtsc() - start) / count));
    return 0;
}
