/*
 * What the operations space_stat and maps of the memory server answer; for /proc and
 * getrusage(2).
 */
#pragma once

#include <stdint.h>

/* Index in the array of uint64_t that space_stat answers. Pages, unless it says otherwise. */
enum mem_figure {
    MEM_TOTAL,       /* VmSize */
    MEM_TOTAL_PEAK,  /* VmPeak */
    MEM_DATA,        /* VmData */
    MEM_STACK,       /* VmStk */
    MEM_EXEC,        /* executable: VmExe and VmLib */
    MEM_RSS_ANON,    /* private pages; VmRSS is the sum of these three */
    MEM_RSS_FILE,    /* pages of files that are there to be mapped */
    MEM_RSS_SHMEM,   /* pages of shared anonymous memory */
    MEM_ANON_PEAK,   /* the most that MEM_RSS_ANON has been */
    MEM_FAULTS,      /* number of page faults */
    /* addresses of the program's parts, as in /proc/[pid]/stat */
    MEM_CODE_START, MEM_CODE_END, MEM_DATA_START, MEM_DATA_END, MEM_BRK_START, MEM_BRK_END,
    MEM_STACK_START, MEM_ARGUMENTS_START, MEM_ARGUMENTS_END, MEM_ENVIRONMENT_START,
    MEM_ENVIRONMENT_END,
    MEM_FIGURES
};

enum mem_area_name {
    MEM_AREA_PLAIN,  /* file, or nothing */
    MEM_AREA_HEAP,   /* [heap] */
    MEM_AREA_STACK,  /* [stack] */
    MEM_AREA_VVAR,   /* [vvar] */
    MEM_AREA_VDSO,   /* [vdso] */
    MEM_AREA_SHARED, /* /dev/zero (deleted): shared anonymous memory */
};

/* One line of /proc/[pid]/maps. */
struct mem_area {
    uint64_t start, end;
    uint64_t offset;  /* bytes */
    uint64_t file;    /* reference of vfs, or 0 */
    uint8_t  prot;    /* PROT_READ, ... */
    uint8_t  shared;  /* 1: "s", 0: "p" */
    uint16_t name;    /* enum mem_area_name */
    uint32_t reserved;
};
_Static_assert(sizeof(struct mem_area) == 40, "known to other servers");

#define MEM_AREAS_MAX 64 /* in one answer */
