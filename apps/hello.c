/*
 * The smallest Linux program of interest: output, arguments, environment, exit.
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    printf("Hello from a Linux program%s!\n", getenv("POLYHEDRON") ? " on Polyhedron" : "");
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    return 0;
}
