/*
 * The process server on the host: one process with one thread on slot 1, and a
 * page of memory.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <asm/unistd_64.h>
#include <errno.h>
#include <gen/common_client.h>
#include <gen/proc_client.h>
#include <lib/host/host.h>

#define SLOT 1u
#define SLOT_OF_CHILD 2u
#define MEMORY 0x10000ull       /* of the program, readable and writable */
#define READ_ONLY 0x20000ull
#define NOTHING 0x7fff00000000ull /* no memory here */

struct proc_env {
    struct server_ref ops; /* for operations */
    uint32_t  pid;
    cap_sel_t space, sem;
};

extern struct proc_env env;

/* cmocka fixtures. */
int env_setup(void **state);
int env_teardown(void **state);

/* A Linux call of the process; faults are resolved. */
int64_t sys_call(unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
int64_t sys_call_on(unsigned slot, unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2,
                    uint64_t a3);
struct host_answer sys_answer(unsigned nr, enum call_reason reason, uint64_t a0, uint64_t a1,
                              uint64_t a2, uint64_t a3);
/* The same place in the program's memory and in ours. */
void *memory(uint64_t address);
/* Makes a slot and binds it to a thread. */
void env_bind(uint32_t slot, uint32_t tid, uint32_t pid);
/* A child process with a thread on SLOT_OF_CHILD. */
uint32_t child_create(void);

/* What the fakes of platform.h answer. */
extern int64_t fake_realtime_offset_ns;
extern uint64_t fake_time_used_ns;
extern unsigned fake_cpus;
