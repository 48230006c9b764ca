/*
 * Making the first process.
 */
#include "first.h"

#include "router.h"

#include <errno.h>
#include <fcntl.h>
#include <gen/proc_client.h>
#include <gen/vfs_client.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- arguments ------------------------------------------------------------------- */

/* An array of the addresses of consecutive strings, ended by 0; NULL: no memory. */
static uint64_t *addresses_make(const char *strings, unsigned count)
{
    uint64_t *addresses = calloc(count + 1, sizeof *addresses);

    for (unsigned i = 0; addresses && i < count; i++) {
        addresses[i] = (uint64_t)(uintptr_t)strings;
        strings = init_next(strings);
    }
    return addresses;
}

static const char *environment_find(const struct init_config *config, const char *name)
{
    const char *string = config->envp;
    size_t length = strlen(name);

    for (unsigned i = 0; i < config->envc; i++, string = init_next(string))
        if (strncmp(string, name, length) == 0 && string[length] == '=')
            return string + length + 1;
    return NULL;
}

/* ---- looking the program up -------------------------------------------------------- */

/* directory "" is the working directory. -ENAMETOOLONG. */
static int path_join(char path[PATH_MAX], const char *directory, size_t length, const char *name)
{
    size_t name_bytes = strlen(name) + 1;

    if (length + 1 + name_bytes > PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(path, directory, length);
    if (length)
        path[length++] = '/';
    memcpy(path + length, name, name_bytes);
    return 0;
}

/* Along PATH, as execvp(3) does. */
static int64_t exec_search(struct thread *thread, const char *name, const char *search,
                           const struct exec_strings *strings, char path[PATH_MAX])
{
    int64_t result = -ENOENT, error;

    for (;;) {
        size_t length = strcspn(search, ":");

        error = path_join(path, search, length, name);
        if (!error)
            error = exec_program(thread, AT_FDCWD, path, 0, strings);
        if (error != -ENOENT && error != -ENOTDIR && error != -EACCES)
            return error;
        if (error == -EACCES)
            result = -EACCES;
        if (!search[length])
            return result;
        search += length + 1;
    }
}

static int64_t exec_first(struct thread *thread, const struct init_config *config,
                          const struct exec_strings *strings)
{
    const char *search = environment_find(config, "PATH");
    char *path;
    int64_t result;

    if (strchr(config->argv, '/'))
        return exec_program(thread, AT_FDCWD, config->argv, 0, strings);
    path = malloc(PATH_MAX);
    if (!path)
        return -ENOMEM;
    result = exec_search(thread, config->argv, search ? search : DEFAULT_SEARCH_PATH, strings,
                         path);
    free(path);
    return result;
}

static int64_t program_start(struct thread *thread, const struct init_config *config)
{
    uint64_t *argv = addresses_make(config->argv, config->argc);
    uint64_t *envp = addresses_make(config->envp, config->envc);
    const struct exec_strings strings = { NULL, (uint64_t)(uintptr_t)argv,
                                          (uint64_t)(uintptr_t)envp };
    int64_t result = argv && envp ? exec_first(thread, config, &strings) : -ENOMEM;

    free(argv);
    free(envp);
    return result;
}

/* ---- the process ---------------------------------------------------------------------- */

/* Its memory is not there yet: the servers get it with process_exec. */
static int64_t servers_enter(struct process *process, const struct init_config *config)
{
    int64_t result = proc_process_create(&server_proc, 0, SEL_NONE, &process->pid);

    if (result < 0)
        return result;
    result = vfs_process_create(&server_vfs, process->pid, 0, config->stdio, SEL_NONE);
    if (result == 0)
        result = proc_process_identity(&server_proc, process->pid, config->uid, config->gid);
    if (result == 0)
        result = vfs_process_chdir(&server_vfs, process->pid, config->cwd);
    return result;
}

static struct process *process_alloc(void)
{
    struct process *process = calloc(1, sizeof *process);

    if (process) {
        process->pd = SEL_NONE;
        process->is_first = true;
    }
    return process;
}

int64_t first_process_start(const struct init_config *config)
{
    struct thread *thread = slot_take(0);
    struct process *process = thread ? process_alloc() : NULL;
    int64_t result;

    if (!process) {
        if (thread)
            slot_release(thread);
        return -ENOMEM;
    }
    result = servers_enter(process, config);
    thread->tid = process->pid;
    thread->process = process;
    if (result == 0) {
        credentials_tell(thread);
        result = program_start(thread, config);
    }
    if (result < 0 || thread_doomed(thread)) {
        process->is_first = false; /* it never ran: nobody waits for its end */
        thread_die(thread);
        return result < 0 ? result : -EIO;
    }
    return 0;
}
