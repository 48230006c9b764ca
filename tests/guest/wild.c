/*
 * wild [-v] [CALL...] - wild pointers in every pointer argument of every implemented
 * system call, one at a time, the other arguments being harmless. Nothing may
 * crash, hang, or answer anything but a result or an errno.
 *
 * -v prints what each call answered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { ZERO, FD, DIRFD, ONE, EIGHT, MODE, SIGNAL, POINTER, PATH, STRINGS, VECTOR };
enum { ARGS = 6, PAGE_BYTES = 4096, SCRATCH_BYTES = 65536, MAX_ERRNO = 4095 };

struct call {
    long        number;
    const char *name;
    enum kind   args[ARGS];
};

static const struct call calls[] = {
#include "wild_calls.h"
};

/* Arguments for which the value by kind would do harm or keep the call from looking at
 * the pointer. */
static const struct { long number; unsigned arg; long value; } special[] = {
    { SYS_prlimit64, 1, RLIMIT_CORE },
    { SYS_setrlimit, 0, RLIMIT_CORE },
    { SYS_select, 0, 1 },
    { SYS_pselect6, 0, 1 },
};

#define SCRATCH_FILE "/tmp/wild-file"

static bool verbose;
static const char *self; /* our own path */
static int  scratch_fd;
static unsigned made, refused;
static char *scratch;   /* good memory for the other pointers, zeroed before each call */
static char *edge;      /* last byte before a page that is not there */
static char *read_only;
static struct iovec *vector;

/* ---- wild addresses ------------------------------------------------------------ */

struct wild {
    const char *name;
    uint64_t    address;
};

static unsigned wild_list(struct wild list[16])
{
    const struct wild all[] = {
        { "one", 1 },
        { "low", 0x1000 },
        { "nowhere", 0x123456789000 },
        { "edge", (uintptr_t)edge },
        { "read-only", (uintptr_t)read_only },
        { "end-of-user-space", 0x7fffffffeff8 },
        { "above-user-space", 0x7ffffffff000 },
        { "not-canonical", 0x800000000000 },
        { "not-canonical-high", 0xffff7fffffffffff },
        { "kernel", 0xffffffff80000000 },
        { "kernel-half", 0xffff800000000000 },
        { "last", UINT64_MAX },
        { "last-word", UINT64_MAX - 7 },
    };

    memcpy(list, all, sizeof all);
    return sizeof all / sizeof *all;
}

static bool is_pointer(enum kind kind)
{
    return kind >= POINTER;
}

/* ---- one call --------------------------------------------------------------------- */

static long raw_call(long number, const uint64_t arg[ARGS])
{
    register uint64_t a4 __asm__("r10") = arg[3];
    register uint64_t a5 __asm__("r8") = arg[4];
    register uint64_t a6 __asm__("r9") = arg[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(a4), "r"(a5),
                       "r"(a6)
                     : "rcx", "r11", "memory");
    return result;
}

/* The path must be good, or the call would not look at what comes after it. */
static uint64_t harmless_path(const struct call *call)
{
    bool executes = call->number == SYS_execve || call->number == SYS_execveat;

    return (uintptr_t)(executes ? self : SCRATCH_FILE);
}

static uint64_t harmless(const struct call *call, unsigned index)
{
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (special[i].number == call->number && special[i].arg == index)
            return (uint64_t)special[i].value;
    switch (call->args[index]) {
    case FD: return (uint64_t)scratch_fd;
    case DIRFD: return (uint64_t)AT_FDCWD;
    case ONE: return 1;
    case EIGHT: return 8;
    case MODE: return 0600;
    case SIGNAL: return SIGUSR1;
    case PATH: return harmless_path(call);
    case VECTOR: return (uintptr_t)vector;
    case POINTER:
    case STRINGS: return (uintptr_t)scratch + index * PAGE_BYTES;
    default: return 0;
    }
}

static void make_call(const struct call *call, const uint64_t arg[ARGS], unsigned index,
                      const char *what)
{
    long result = raw_call(call->number, arg);

    if (result < -MAX_ERRNO) {
        printf("%s, argument %u %s: impossible result %#lx\n", call->name, index, what, result);
        exit(1);
    }
    made++;
    refused += result < 0;
    if (verbose)
        printf("%s, argument %u %s: %s\n", call->name, index, what,
               result < 0 ? strerror((int)-result) : "done");
}

/* The wild address itself, or, nested, in an array that is pointed to. */
static void try_address(const struct call *call, unsigned index, const struct wild *wild,
                        bool nested)
{
    uint64_t arg[ARGS];
    char what[64];

    memset(scratch, 0, SCRATCH_BYTES);
    for (unsigned i = 0; i < ARGS; i++)
        arg[i] = harmless(call, i);
    if (nested && call->args[index] == VECTOR)
        vector[0].iov_base = (void *)wild->address;
    else if (nested)
        *(uint64_t *)arg[index] = wild->address;
    else
        arg[index] = wild->address;
    snprintf(what, sizeof what, "%s%s", nested ? "-> " : "", wild->name);
    make_call(call, arg, index, what);
    vector[0].iov_base = scratch;
}

/* Arguments that are arrays of pointers. */
static bool nested_possible(const struct call *call, unsigned index)
{
    return call->args[index] == VECTOR || call->args[index] == STRINGS;
}

static void try_call(const struct call *call)
{
    struct wild list[16];
    unsigned count = wild_list(list);

    for (unsigned index = 0; index < ARGS; index++) {
        if (!is_pointer(call->args[index]))
            continue;
        for (unsigned i = 0; i < count; i++) {
            /* A page of zeros is an empty list: execve would do it. */
            if (call->args[index] == STRINGS && list[i].address == (uintptr_t)read_only)
                continue;
            try_address(call, index, &list[i], false);
            if (nested_possible(call, index))
                try_address(call, index, &list[i], true);
        }
    }
}

/* arch_prctl's second argument is a pointer for these two only. */
static void try_arch_prctl(void)
{
    static const struct call call = { SYS_arch_prctl, "arch_prctl", { ZERO, POINTER } };
    struct wild list[16];
    unsigned count = wild_list(list);

    for (unsigned i = 0; i < count; i++) {
        uint64_t get_fs[ARGS] = { 0x1003, list[i].address };

        make_call(&call, get_fs, 1, list[i].name);
    }
}

/* ---- set-up ------------------------------------------------------------------------- */

static void *pages(size_t bytes, int protection)
{
    void *area = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return area;
}

static void set_up(void)
{
    char *two = pages(2 * PAGE_BYTES, PROT_READ | PROT_WRITE);

    if (munmap(two + PAGE_BYTES, PAGE_BYTES))
        exit(1);
    edge = two + PAGE_BYTES - 1;
    *edge = 'x';
    read_only = pages(PAGE_BYTES, PROT_READ);
    scratch = pages(SCRATCH_BYTES, PROT_READ | PROT_WRITE);
    vector = pages(PAGE_BYTES, PROT_READ | PROT_WRITE);
    vector[0] = (struct iovec){ scratch, 8 };
    scratch_fd = open(SCRATCH_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (scratch_fd < 0 || write(scratch_fd, scratch, PAGE_BYTES) != PAGE_BYTES) {
        perror(SCRATCH_FILE);
        exit(1);
    }
}

static bool chosen(const char *name, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(name, argv[i]) == 0)
            return true;
    return argc == 0;
}

int main(int argc, char **argv)
{
    verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    self = argv[0];
    argc -= 1 + verbose;
    argv += 1 + verbose;
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (chosen(calls[i].name, argc, argv))
            try_call(&calls[i]);
    if (chosen("arch_prctl", argc, argv))
        try_arch_prctl();
    fprintf(stderr, "%u calls, of which %u were refused\n", made, refused);
    printf("%zu calls survived\n", sizeof calls / sizeof *calls);
    return 0;
}
