/*
 * Prints the time stamp counter: under --accel icount it is the same in every run.
 */
#include <stdio.h>
#include <x86intrin.h>

int main(void)
{
    printf("%llu\n", (unsigned long long)__rdtsc());
    return 0;
}
