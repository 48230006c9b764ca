/*
 * fault-loop PAGES - touches so many fresh pages and prints the ticks of the time
 * stamp counter for each on standard error; the output is the same in every run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <x86intrin.h>

#define PAGE_BYTES 4096ul

int main(int argc, char **argv)
{
    unsigned long pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    unsigned char *area;
    uint64_t start, ticks;
    unsigned long sum = 0;

    area = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0);
    if (pages == 0 || area == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    start = __rdtsc();
    for (unsigned long page = 0; page < pages; page++)
        area[page * PAGE_BYTES] = 1;
    ticks = __rdtsc() - start;
    for (unsigned long page = 0; page < pages; page++)
        sum += area[page * PAGE_BYTES] + area[page * PAGE_BYTES + PAGE_BYTES - 1];
    printf("%lu pages, sum %lu\n", pages, sum);
    if (getenv("POLYHEDRON"))
        fprintf(stderr, "%lu ticks for each page\n", (unsigned long)(ticks / pages));
    return munmap(area, pages * PAGE_BYTES) != 0;
}
