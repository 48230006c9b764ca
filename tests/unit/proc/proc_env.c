/*
 * The process server on the host, and its platform.
 */
#include "proc_env.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>
#include <servers/proc/platform.h>
#include <servers/proc/proc.h>

struct proc_env env;
int64_t fake_realtime_offset_ns;
uint64_t fake_time_used_ns;
unsigned fake_cpus;

static struct server server;

uint64_t platform_now_ns(void) { return clock_ns(); }
int64_t platform_realtime_offset_ns(void) { return fake_realtime_offset_ns; }
uint64_t platform_time_used_ns(cap_sel_t sc) { return sc == SEL_NONE ? 0 : fake_time_used_ns; }
unsigned platform_cpu_count(void) { return fake_cpus; }

void platform_memory(uint64_t *total, uint64_t *available)
{
    *total = 64 << 20;
    *available = 48 << 20;
}

int env_setup(void **state)
{
    (void)state;
    host_reset();
    fake_realtime_offset_ns = 1000000000000;
    fake_time_used_ns = 0;
    fake_cpus = 4;
    server = (struct server){
        .name = "proc",
        .linux_calls = linux_calls_proc,
        .linux_call_count = sizeof linux_calls_proc / sizeof *linux_calls_proc,
        .dispatch = proc_dispatch,
        .on_bind = proc_on_bind,
        .space_of = proc_space_of,
    };
    env.ops = host_server(&server, 0);
    env.space = host_space_create();
    host_region_add(env.space, MEMORY, 0x2000, MEM_R | MEM_W, false);
    host_region_add(env.space, READ_ONLY, 0x1000, MEM_R, true);
    assert_int_equal(proc_process_create(&env.ops, 0, env.space, &env.pid), 0);
    env.sem = host_slot(&server, SLOT, env.pid, env.pid);
    return 0;
}

int env_teardown(void **state)
{
    (void)state;
    assert_int_equal(common_slot_destroy(&env.ops, SLOT), 0);
    common_slot_destroy(&env.ops, SLOT_OF_CHILD); /* not every test has one */
    while (process_first())
        process_free(process_first());
    assert_int_equal(thread_count(), 0);
    return 0;
}

int64_t sys_call_on(unsigned slot, unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    const uint64_t arg[6] = { a0, a1, a2, a3 };
    struct host_answer answer = host_call_whole(&server, slot, nr, arg);

    assert_int_equal(answer.answer, ANSWER_DONE);
    return answer.result;
}

int64_t sys_call(unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    return sys_call_on(SLOT, nr, a0, a1, a2, a3);
}

struct host_answer sys_answer(unsigned nr, enum call_reason reason, uint64_t a0, uint64_t a1,
                              uint64_t a2, uint64_t a3)
{
    const uint64_t arg[6] = { a0, a1, a2, a3 };

    if (reason == CALL_FIRST)
        return host_call_whole(&server, SLOT, nr, arg);
    return host_call(&server, SLOT, nr, reason, arg);
}

void *memory(uint64_t address)
{
    void *found = host_memory(env.space, address);

    assert_non_null(found);
    return found;
}

void env_bind(uint32_t slot, uint32_t tid, uint32_t pid) { host_slot(&server, slot, tid, pid); }

uint32_t child_create(void)
{
    uint32_t pid;

    assert_int_equal(proc_process_create(&env.ops, env.pid, host_space_create(), &pid), 0);
    env_bind(SLOT_OF_CHILD, pid, pid);
    return pid;
}
