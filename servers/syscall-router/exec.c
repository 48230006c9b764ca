/*
 * execve(2): everything that can fail is prepared in a new image beside the old
 * one; then the servers commit and the thread starts in it.
 */
#include "router.h"

#include "app_space.h"
#include "kernel.h"
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <gen/mem_client.h>
#include <gen/proc_client.h>
#include <gen/vfs_client.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define HEAD_BYTES 2800u   /* of a file that mem gets to see */
#define PIECE_BYTES 3000u  /* of a string in one message */
#define STRING_MAX_BYTES (32u * 4096u) /* MAX_ARG_STRLEN of execve(2) */
#define SCRIPT_DEPTH 4u
#define PREFIX_BYTES (PATH_MAX + (SCRIPT_DEPTH + 1) * 2 * SCRIPT_LINE_BYTES)
#define TASK_NAME_BYTES 16u

enum string_kind { STRING_ARGUMENT = 0, STRING_ENVIRONMENT = 1 };

struct exec_file {
    uint64_t id, bytes;
    uint32_t mode, uid, gid;
    bool     held; /* the reference is ours, not yet an address space's */
};

struct exec {
    struct thread *thread;
    struct image image;
    struct exec_file program, interpreter;
    size_t prefix_bytes; /* arguments that "#!" puts in front, each ended by 0 */
    char prefix[PREFIX_BYTES];
    struct script_line line;
    char path[PATH_MAX]; /* of the interpreter */
    size_t head_bytes;
    char buffer[3072];   /* head of a file, or piece of a string */
};

/* ---- files ----------------------------------------------------------------------- */

static int64_t file_open(struct exec *exec, struct exec_file *file, int32_t dirfd,
                         const char *path, uint32_t flags)
{
    int64_t result = vfs_exec_open(&server_vfs, exec->thread->process->pid, dirfd, flags, path,
                                   &file->id, &file->bytes, &file->mode, &file->uid, &file->gid);

    if (result < 0)
        return result;
    file->held = true;
    exec->head_bytes = sizeof exec->buffer;
    result = vfs_file_read(&server_vfs, file->id, 0, exec->buffer, &exec->head_bytes);
    return result < 0 ? result : 0;
}

static void file_release(struct exec_file *file)
{
    if (file->held && vfs_file_release(&server_vfs, file->id) < 0)
        log_line("vfs does not know file %llu", (unsigned long long)file->id);
    file->held = false;
}

static size_t head_bytes(const struct exec *exec)
{
    return exec->head_bytes < HEAD_BYTES ? exec->head_bytes : HEAD_BYTES;
}

/* ---- scripts ----------------------------------------------------------------------- */

static int prefix_prepend(struct exec *exec, const char *string)
{
    size_t bytes = strlen(string) + 1;

    if (exec->prefix_bytes + bytes > sizeof exec->prefix)
        return -E2BIG;
    memmove(exec->prefix + bytes, exec->prefix, exec->prefix_bytes);
    memcpy(exec->prefix, string, bytes);
    exec->prefix_bytes += bytes;
    return 0;
}

/* "interpreter [argument] script": the script's own path is already the first
 * argument if it is itself the interpreter of another script. */
static int script_arguments(struct exec *exec, const char *script)
{
    int error = exec->prefix_bytes ? 0 : prefix_prepend(exec, script);

    if (!error && exec->line.argument[0])
        error = prefix_prepend(exec, exec->line.argument);
    return error ? error : prefix_prepend(exec, exec->line.interpreter);
}

/* Opens the program, or what is to interpret it. */
static int64_t program_open(struct exec *exec, int32_t dirfd, const char *path, uint32_t flags)
{
    int64_t result = file_open(exec, &exec->program, dirfd, path, flags);

    for (unsigned depth = 0; result == 0; depth++) {
        result = script_parse(&exec->line, exec->buffer, exec->head_bytes);
        if (result <= 0)
            return result;
        if (depth == SCRIPT_DEPTH)
            return -ELOOP;
        result = script_arguments(exec, depth ? exec->path : path);
        if (result < 0)
            return result;
        file_release(&exec->program);
        strcpy(exec->path, exec->line.interpreter);
        result = file_open(exec, &exec->program, AT_FDCWD, exec->path, 0);
    }
    return result;
}

/* ---- the image ------------------------------------------------------------------------ */

/* The path of the dynamic linker is in the file and ends with a zero byte. */
static int64_t interpreter_path(struct exec *exec, uint64_t offset, uint64_t bytes)
{
    size_t room = sizeof exec->buffer;
    int64_t result;

    if (bytes < 2 || bytes > room || bytes > sizeof exec->path)
        return -ENOEXEC;
    result = vfs_file_read(&server_vfs, exec->program.id, offset, exec->buffer, &room);
    if (result < 0)
        return result;
    if (room < bytes)
        return -EIO; /* as Linux answers when it is beyond the end of the file */
    if (exec->buffer[bytes - 1])
        return -ENOEXEC;
    memcpy(exec->path, exec->buffer, bytes);
    return 0;
}

static int64_t interpreter_load(struct exec *exec, uint64_t offset, uint64_t bytes)
{
    int64_t result = interpreter_path(exec, offset, bytes);

    if (result == 0)
        result = file_open(exec, &exec->interpreter, AT_FDCWD, exec->path, 0);
    if (result == 0)
        result = mem_exec_interpreter(&server_mem, exec->image.space, exec->interpreter.id,
                                      exec->interpreter.bytes, exec->buffer, head_bytes(exec));
    if (result == 0)
        exec->interpreter.held = false;
    return result;
}

static int64_t program_load(struct exec *exec)
{
    uint64_t offset = 0, bytes = 0;
    int64_t result = mem_exec_image(&server_mem, exec->image.space, exec->program.id,
                                    exec->program.bytes, 0, exec->buffer, head_bytes(exec),
                                    &offset, &bytes);

    if (result < 0)
        return result;
    exec->program.held = false;
    return bytes ? interpreter_load(exec, offset, bytes) : 0;
}

/* ---- arguments and environment ------------------------------------------------------------ */

/* Reads the next piece into the buffer. Returns its length or -EFAULT. */
static int64_t piece_read(struct exec *exec, struct thread *from, uint64_t address, bool *ended)
{
    const char *own = (const char *)(uintptr_t)address;
    size_t length;

    if (from)
        return memory_read_string(from, exec->buffer, address, PIECE_BYTES, ended);
    length = strnlen(own, PIECE_BYTES);
    memcpy(exec->buffer, own, length);
    *ended = length < PIECE_BYTES;
    return (int64_t)length;
}

static int64_t string_send(struct exec *exec, struct thread *from, enum string_kind kind,
                           uint64_t address)
{
    uint64_t sent = 0;
    bool ended = false;
    int64_t result;

    while (!ended) {
        result = piece_read(exec, from, address + sent, &ended);
        if (result < 0)
            return result;
        sent += (uint64_t)result;
        if (sent >= STRING_MAX_BYTES)
            return -E2BIG;
        result = mem_exec_string(&server_mem, exec->image.space, kind, !ended, exec->buffer,
                                 (size_t)result);
        if (result < 0)
            return result;
    }
    return 0;
}

static int64_t pointer_read(struct thread *from, uint64_t address, uint64_t *pointer)
{
    if (from)
        return memory_read(from, pointer, address, sizeof *pointer);
    memcpy(pointer, (const void *)(uintptr_t)address, sizeof *pointer);
    return 0;
}

/* Sends the strings of an array from the index on. Returns how many it had. */
static int64_t array_send(struct exec *exec, struct thread *from, enum string_kind kind,
                          uint64_t array, uint64_t first)
{
    int64_t result;
    uint64_t pointer;

    for (uint64_t i = 0; array; i++) {
        result = pointer_read(from, array + i * sizeof pointer, &pointer);
        if (result == 0 && !pointer)
            return (int64_t)i;
        if (result == 0 && i >= first)
            result = string_send(exec, from, kind, pointer);
        if (result < 0)
            return result;
    }
    return 0;
}

/* A program always has a first argument: without any it is the empty string. */
static int64_t strings_send(struct exec *exec, const struct exec_strings *strings)
{
    const char *end = exec->prefix + exec->prefix_bytes;
    int64_t result = 0;

    for (const char *at = exec->prefix; at < end && result == 0; at += strlen(at) + 1)
        result = string_send(exec, NULL, STRING_ARGUMENT, (uint64_t)(uintptr_t)at);
    if (result == 0)
        result = array_send(exec, strings->thread, STRING_ARGUMENT, strings->argv,
                            exec->prefix_bytes ? 1 : 0);
    if (result == 0 && !exec->prefix_bytes)
        result = string_send(exec, NULL, STRING_ARGUMENT, (uint64_t)(uintptr_t)"");
    if (result >= 0)
        result = array_send(exec, strings->thread, STRING_ENVIRONMENT, strings->envp, 0);
    return result < 0 ? result : 0;
}

/* ---- prepare, commit, abort ----------------------------------------------------------------- */

struct exec_start {
    uint64_t ip, sp;
};

static int64_t stack_prepare(struct exec *exec, const char *path, struct exec_start *start)
{
    const struct exec_file *file = &exec->program;
    uint32_t pid = exec->thread->process->pid, uid, euid, gid, egid, secure;
    uint64_t soft, hard;
    int64_t result = proc_exec_credentials(&server_proc, pid, file->mode, file->uid, file->gid,
                                           &uid, &euid, &gid, &egid, &secure);

    if (result == 0)
        result = proc_limit(&server_proc, pid, RLIMIT_STACK, &soft, &hard);
    if (result == 0)
        result = mem_exec_commit(&server_mem, exec->image.space, uid, euid, gid, egid, secure,
                                 APP_UTCB_VA, soft, path, &start->ip, &start->sp);
    return result;
}

static int64_t exec_prepare(struct exec *exec, int32_t dirfd, const char *path, uint32_t flags,
                            const struct exec_strings *strings, struct exec_start *start)
{
    int64_t result = program_open(exec, dirfd, path, flags);

    if (result == 0)
        result = image_create(&exec->image, exec->thread, 0);
    if (result == 0)
        result = program_load(exec);
    if (result == 0)
        result = strings_send(exec, strings);
    if (result == 0)
        result = stack_prepare(exec, path, start);
    return result;
}

static void exec_abort(struct exec *exec)
{
    file_release(&exec->interpreter);
    file_release(&exec->program);
    image_destroy(&exec->image, exec->thread);
}

static void task_name(char name[TASK_NAME_BYTES], const char *path)
{
    const char *slash = strrchr(path, '/');

    strncpy(name, slash ? slash + 1 : path, TASK_NAME_BYTES - 1);
    name[TASK_NAME_BYTES - 1] = '\0';
}

/* There is no way back: a failure ends the process, as in Linux. */
static void exec_commit(struct exec *exec, const char *path, const struct exec_start *start)
{
    const struct exec_file *file = &exec->program;
    struct thread *thread = exec->thread;
    uint32_t pid = thread->process->pid, secure;
    char name[TASK_NAME_BYTES];
    int64_t result;

    task_name(name, path);
    result = proc_process_exec(&server_proc, pid, file->mode, file->uid, file->gid,
                               exec->image.pd, name, &secure);
    if (result == 0)
        result = vfs_process_exec(&server_vfs, pid, exec->image.pd);
    if (result == 0 && file->mode & (S_ISUID | S_ISGID))
        credentials_tell(thread);
    if (result == 0)
        result = thread_run(thread, &exec->image, start->ip, start->sp);
    else
        image_destroy(&exec->image, thread);
    vfork_release(thread->process);
    if (result < 0) {
        log_line("process %u: error %d at the end of execve", pid, (int)-result);
        thread_doom(thread, status_killed(SIGKILL));
    }
}

int64_t exec_program(struct thread *thread, int32_t dirfd, const char *path, uint32_t flags,
                     const struct exec_strings *strings)
{
    struct exec *exec = calloc(1, sizeof *exec);
    struct exec_start start = { 0 };
    int64_t result;

    if (!exec)
        return -ENOMEM;
    exec->thread = thread;
    exec->image = (struct image){ .pd = SEL_NONE, .ec = SEL_NONE };
    result = exec_prepare(exec, dirfd, path, flags, strings, &start);
    if (result < 0)
        exec_abort(exec);
    else
        exec_commit(exec, path, &start);
    free(exec);
    return result < 0 ? result : 0;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static int64_t exec_from(struct thread *thread, int32_t dirfd, uint64_t path_at, uint32_t flags,
                         const struct exec_strings *strings)
{
    char *path = malloc(PATH_MAX);
    int64_t result;
    bool ended;

    if (!path)
        return -ENOMEM;
    result = memory_read_string(thread, path, path_at, PATH_MAX, &ended);
    if (result >= 0 && !ended)
        result = -ENAMETOOLONG;
    if (result >= 0)
        result = exec_program(thread, dirfd, path, flags, strings);
    free(path);
    return result;
}

int64_t sys_execve(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const struct exec_strings strings = { thread, arg[1], arg[2] };

    (void)nr;
    return exec_from(thread, AT_FDCWD, arg[0], 0, &strings);
}

int64_t sys_execveat(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    const struct exec_strings strings = { thread, arg[2], arg[3] };

    (void)nr;
    if ((uint32_t)arg[4] & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec_from(thread, (int32_t)arg[0], arg[1], (uint32_t)arg[4], &strings);
}
