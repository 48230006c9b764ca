/*
 * The router's start: reads boot/init, runs the program, ends the system.
 */
#include "first.h"
#include "input.h"
#include "kernel.h"
#include "router.h"
#include "stats.h"
#include "trace.h"
#include "usage.h"

#include <errno.h>
#include <gen/root_client.h>
#include <signal.h>

#define STATUS_FAILED 125u         /* the system failed */
#define STATUS_NOT_EXECUTABLE 126u /* as shells have it */
#define STATUS_NOT_FOUND 127u
#define SETTLE_TRIES 50u
#define SETTLE_NS 10000000ull

struct server_ref server_root, server_vfs, server_proc, server_mem;

static cap_sel_t finished; /* signalled when the first process has ended */
static uint32_t finished_status;
static bool stopped; /* by reboot(2) */

void run_finished(uint32_t status)
{
    if (!stopped)
        finished_status = status;
    kernel_sem_up(finished);
}

void system_stop(void)
{
    stopped = true;
    finished_status = status_exited(0);
    kernel_sem_up(finished);
}

/* ---- the end ----------------------------------------------------------------------- */

static _Noreturn void system_end(uint32_t status)
{
    int64_t result = root_shutdown(&server_root, status);

    panic("the roottask does not end the system: %d", (int)result);
}

/* A wait status as a shell shows it. */
static uint32_t shell_status(uint32_t status)
{
    return status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

static const char *error_text(int64_t error)
{
    switch (-error) {
    case ENOENT: return "no such file";
    case ENOTDIR: return "a part of the path is not a directory";
    case EACCES: return "permission denied";
    case ENOEXEC: return "not an executable of this machine";
    case ENOMEM: return "out of memory";
    case E2BIG: return "arguments too long";
    case ELOOP: return "too many symbolic links or interpreters";
    default: return "failed";
    }
}

static uint32_t start_failed(const struct init_config *config, int64_t error)
{
    log_line("can not run %s: %s (error %d)", config->argv, error_text(error), (int)-error);
    if (error == -ENOENT || error == -ENOTDIR)
        return STATUS_NOT_FOUND;
    return error == -ENOMEM || error == -EIO ? STATUS_FAILED : STATUS_NOT_EXECUTABLE;
}

/* ---- running ------------------------------------------------------------------------- */

static void pause_ns(uint64_t ns)
{
    if (kernel_sem_wait(finished, clock_ns() + ns))
        log_line("an end that nobody waits for");
}

/* Again and again, because a process may just be forking. */
static void everybody_end(void)
{
    while (slots_in_use()) {
        everybody_kill(status_killed(SIGKILL));
        (void)!kernel_sem_wait(finished, clock_ns() + SETTLE_NS);
    }
}

/* One run: 0 and its status, or the status with which the system ends. */
static bool run_once(const struct init_config *config, uint32_t *status)
{
    int64_t error = first_process_start(config);

    if (error < 0) {
        *status = start_failed(config, error);
        return false;
    }
    while (!kernel_sem_wait(finished, 0))
        ;
    everybody_end();
    *status = shell_status(finished_status);
    return !stopped;
}

/* The kernel frees objects a little after their last use: waits until the system
 * is as it was, or does not change any more. */
static bool settled_equal(const struct usage *before, struct usage *after)
{
    for (unsigned try = 0; try < SETTLE_TRIES; try++) {
        if (slots_in_use() == 0 && usage_take(after) && usage_equal(before, after))
            return true;
        pause_ns(SETTLE_NS);
    }
    return false;
}

static void settle(struct usage *usage)
{
    struct usage last;

    if (!usage_take(usage))
        return;
    do {
        last = *usage;
        pause_ns(SETTLE_NS);
        if (!usage_take(usage))
            return;
    } while (slots_in_use() || !usage_equal(&last, usage));
}

/* The first runs fill pools and caches: until a run leaves the system as it found it,
 * for at most half the runs. Returns how many it took, or 0 with the system's status. */
static unsigned warm_up(const struct init_config *config, struct usage *usage, uint32_t *status)
{
    struct usage last = { 0 };

    for (unsigned runs = 1;; runs++) {
        if (!run_once(config, status))
            return 0;
        settle(usage);
        if (runs >= config->loop / 2 || usage_equal(&last, usage))
            return runs;
        last = *usage;
    }
}

/* After that nothing may stay behind. */
static uint32_t run_loop(const struct init_config *config)
{
    struct usage before, after;
    uint32_t status;
    unsigned runs = warm_up(config, &before, &status);
    bool equal;

    if (!runs)
        return status;
    usage_print(&before, "before");
    for (; runs < config->loop; runs++)
        if (!run_once(config, &status))
            return status;
    equal = settled_equal(&before, &after);
    usage_print(&after, "after");
    if (equal)
        return status;
    log_line("%u runs left something behind", config->loop);
    return STATUS_FAILED;
}

/* ---- the start --------------------------------------------------------------------------- */

static struct server_ref server_find(const char *name)
{
    struct server_ref server = { .portal = portal_find(name) };

    if (server.portal == SEL_NONE)
        panic("the manifest gives us no portal to %s", name);
    return server;
}

static void servers_find(void)
{
    server_root = server_find("root");
    server_vfs = server_find("vfs");
    server_proc = server_find("proc");
    server_mem = server_find("mem");
}

static bool config_read(struct init_config *config)
{
    const char *error;
    phys_t phys;
    uint64_t bytes;
    size_t at;
    int64_t result = root_boot_file(&server_root, "boot/init", &phys, &bytes);

    if (result < 0) {
        log_line("no boot/init in the archive: error %d", (int)-result);
        return false;
    }
    error = init_parse(config, frame_ptr(phys), bytes, &at);
    if (error)
        log_line("boot/init, byte %zu: %s", at, error);
    return !error;
}

int native_main(const struct startup *startup)
{
    struct init_config config;
    uint32_t status;

    (void)startup;
    kernel_init();
    servers_find();
    finished = kernel_sem_create();
    if (finished == SEL_NONE || !config_read(&config))
        system_end(STATUS_FAILED);
    trace_enabled = config.trace;
    stats_enabled = config.stats;
    if (!timers_start())
        log_line("no timers: their thread could not be started");
    if (!input_start())
        log_line("no input: the terminal's thread could not be started");
    if (config.loop > 1)
        status = run_loop(&config);
    else
        run_once(&config, &status);
    if (stats_enabled)
        stats_print();
    system_end(status);
}
