/*
 * The file server on the host, with a console driver of the test's own and one or two
 * programs that call it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <asm/unistd.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <servers/vfs/linux.h>
#include <servers/vfs/server.h>
#include <string.h>

#define SLOT  1u   /* of the first program, whose pid is the same */
#define OTHER 2u   /* slot of another thread of it */

/* Memory of the programs; nothing of it is there before it is faulted in. */
#define USER_BASE  0x100000ull
#define USER_BYTES 0x200000ull
#define READ_ONLY  0x400000ull /* one page that can't be written */
#define WILD       0x900000ull /* nothing is there */
/* Above this, user_string and user_put leave memory alone. */
#define BUFFER     (USER_BASE + 0x100000)

/* What a call that must wait answers to sys(). */
#define PENDING (-4000)

struct vfs_env {
    struct server_ref ops;
    cap_sel_t         space;
    cap_sel_t         sem;      /* of SLOT */
    cap_sel_t         other_sem;
    /* the console */
    char              written[2][65536]; /* by channel */
    size_t            written_bytes[2];
    bool              discard;           /* output is not kept */
    size_t            write_limit;       /* bytes that one write takes */
    char              typed[65536];
    size_t            typed_bytes, typed_taken;
    uint32_t          event, rows, columns; /* after what was typed */
};
extern struct vfs_env env;

/* A server with an empty root file system and one process. stdio: terminals, by bit. */
void env_start(unsigned stdio);
/* The same with an archive as content. */
void env_start_with(unsigned stdio, const void *archive, size_t bytes);
/* Ends the processes; checks that nothing is left open. */
void env_end(void);

/* For cmocka: no terminal; a terminal. */
int env_setup(void **state);
int env_setup_terminal(void **state);
int env_teardown(void **state);

/* A call of the thread on this slot, with faults handled. */
int64_t sys_on(unsigned slot, unsigned nr, const uint64_t arg[6]);
/* The next attempt of a call that waited. */
int64_t sys_again(unsigned slot, unsigned nr, enum call_reason reason, const uint64_t arg[6]);
#define SYS(name, ...) sys_on(SLOT, __NR_##name, (const uint64_t[6]){ __VA_ARGS__ })

/* Puts something into the program's memory; returns its address. Early ones are reused. */
uint64_t user_put(const void *from, size_t bytes);
uint64_t user_string(const char *text);
#define S(text) user_string(text)
/* Where the test finds the program's memory. */
void *user_at(uint64_t address);

/* Shorthands; results as the calls answer. */
#define CWD ((uint64_t)AT_FDCWD)
int64_t do_open(const char *path, unsigned flags);
int64_t do_write(int64_t fd, const char *text);
/* Reads up to 4095 bytes into a static buffer that ends with a zero byte. */
const char *do_read(int64_t fd, size_t bytes);
int64_t do_mkdir(const char *path);
int64_t make_file(const char *path, const char *text);
/* NULL if it can't be opened. */
const char *file_text(const char *path);
struct stat do_stat(const char *path);
struct stat do_lstat(const char *path);

void console_type(const char *text);
/* Everything that went out on the channel so far, as a string; forgets it. */
const char *console_out(unsigned channel);
