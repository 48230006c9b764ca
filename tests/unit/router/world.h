/*
 * The router on the host: the kernel and the servers are fakes that count what
 * they hold and can be told to fail. proc is the real one.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <lib/host/host.h>
#include <servers/syscall-router/router.h>

#define MEMORY 0x10000ull        /* of the program, not present at first */
#define MEMORY_BYTES 0x8000ull
#define READ_ONLY 0x20000ull
#define NOTHING 0x7fff00000000ull

/* Fixtures: afterwards no process is left, and nothing is held but slots. */
int world_setup(void **state);
int world_teardown(void **state);

/* A thread of a process with memory, as if it had been started. */
struct thread *world_thread(void);

/* ---- failures -------------------------------------------------------------------- */

/* The step number n (from 1) of those that can fail does so; 0: none. */
void fail_at(unsigned n);
/* Whether that happened. */
bool fail_happened(void);

/* ---- what is held ------------------------------------------------------------------ */

struct holdings {
    unsigned selectors, objects; /* kernel */
    unsigned files;              /* references of vfs, wherever they are */
    unsigned spaces;             /* of mem */
    unsigned processes;          /* of vfs */
    unsigned ids;                /* of proc: processes and zombies */
    unsigned delegated;          /* event portals in PDs of others */
};
struct holdings holdings(void);

/* ---- a Linux call of vfs that follows a script --------------------------------------- */

#define SCRIPTED_NR 0u /* read(2) */

struct step {
    enum call_reason expected;
    enum answer answer;
    int64_t  result;   /* ANSWER_DONE */
    uint64_t word[3];  /* words 1 to 3 */
};
void script_set(const struct step *steps, unsigned count);
/* All steps were taken. */
bool script_finished(void);

/* Called when a thread waits. Returns what the wait answers. */
extern bool (*world_on_wait)(struct thread *thread, uint64_t deadline_ns);

/* ---- files ------------------------------------------------------------------------------ */

/* The program file that exec_open finds under this path; NULL content: none. */
void file_put(const char *path, const char *content, size_t bytes, uint32_t mode);
/* What exec_image says about an interpreter: offset in the file and length; 0: none. */
void interpreter_set(uint64_t offset, uint64_t bytes);
/* What mem was given: strings, separated by newlines. */
const char *exec_arguments(void);
const char *exec_environment(void);
/* The next fault_in asks for a page of a file first; vfs has that many pages. */
void file_page_needed(unsigned pages_there);
/* run_finished: its status, or -1. */
int64_t finished_status(void);
/* The last state set for an EC. */
const struct ec_state *state_of_ec(void);
unsigned recalls(void);
/* The thread that last got a scheduling context. */
struct thread *world_started(void);
/* Its first message, as the kernel sends it. */
void world_begin(struct thread *thread);
/* Any message: kind MSG_*, label the number of a call. Returns the reply. */
int64_t world_message(struct thread *thread, unsigned kind, unsigned label, const uint64_t word[6]);
