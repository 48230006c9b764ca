/*
 * The process server over real IPC, without router, vfs and mem.
 */
#include "linux_thread.h"
#include "native_test.h"

#include <asm/unistd.h>
#include <errno.h>
#include <gen/common_client.h>
#include <gen/proc_client.h>
#include <lib/native/runtime.h>
#include <linux/resource.h>
#include <linux/time_types.h>
#include <linux/utsname.h>
#include <string.h>

enum { SLOT = 5, OTHER_SLOT = 6, UNKNOWN_NR = 500 };
#define NOWHERE 0x123456789000ull

static struct linux_thread thread;
static uint32_t pid;

/* ---- the tests, in the order in which they run -------------------------------------- */

static const char *slot_can_be_made(void)
{
    EXPECT(linux_thread_open(&thread, "proc", SLOT));
    return NULL;
}

static const char *call_on_unbound_slot_is_refused(void)
{
    EXPECT(linux_call(&thread, __NR_getpid, 0) == -ESRCH);
    return NULL;
}

static const char *process_gets_an_id(void)
{
    EXPECT(proc_process_create(&thread.all, 0, own_pd, &pid) == 0);
    EXPECT(pid > 0);
    EXPECT(common_slot_bind(&thread.all, SLOT, pid, pid) == 0);
    EXPECT(linux_call(&thread, __NR_getpid, 0) == (int64_t)pid);
    EXPECT(linux_call(&thread, __NR_gettid, 0) == (int64_t)pid);
    EXPECT(linux_call(&thread, __NR_getppid, 0) == 0);
    return NULL;
}

static const char *unknown_call_is_enosys(void)
{
    EXPECT(linux_call(&thread, UNKNOWN_NR, 1, 2, 3) == -ENOSYS);
    EXPECT(linux_call(&thread, __NR_read, 0, 0, 0) == -ENOSYS);
    return NULL;
}

static const char *identity_is_what_was_said(void)
{
    uint32_t uid, euid, gid, egid;

    EXPECT(proc_process_identity(&thread.all, pid, 12, 34) == 0);
    EXPECT(linux_call(&thread, __NR_getuid, 0) == 12);
    EXPECT(linux_call(&thread, __NR_getegid, 0) == 34);
    EXPECT(proc_credentials(&thread.all, pid, &uid, &euid, &gid, &egid) == 0);
    EXPECT(uid == 12 && euid == 12 && gid == 34 && egid == 34);
    return NULL;
}

static const char *result_is_copied_into_our_memory(void)
{
    static struct new_utsname name;

    EXPECT(linux_call(&thread, __NR_uname, linux_ptr(&name)) == 0);
    EXPECT(strcmp(name.sysname, "Linux") == 0);
    EXPECT(strcmp(name.machine, "x86_64") == 0);
    return NULL;
}

static const char *wild_pointer_is_efault(void)
{
    const uint64_t wild[6] = { NOWHERE };
    int64_t result;

    EXPECT(linux_thread_try(&thread, __NR_uname, CALL_FIRST, wild, &result) == ANSWER_FAULT_IN);
    EXPECT(thread.word[1] >= NOWHERE && thread.word[1] < NOWHERE + sizeof(struct new_utsname));
    EXPECT(linux_thread_try(&thread, __NR_uname, CALL_FAULTED, wild, &result) == ANSWER_DONE);
    EXPECT(result == -EFAULT);
    return NULL;
}

static const char *limits_can_be_asked(void)
{
    static struct rlimit64 limit;
    uint64_t soft, hard;

    EXPECT(linux_call(&thread, __NR_prlimit64, 0, RLIMIT_STACK, 0, linux_ptr(&limit)) == 0);
    EXPECT(proc_limit(&thread.all, pid, RLIMIT_STACK, &soft, &hard) == 0);
    EXPECT(limit.rlim_cur == soft && limit.rlim_max == hard);
    EXPECT(linux_call(&thread, __NR_prlimit64, 0, 99, 0, linux_ptr(&limit)) == -EINVAL);
    return NULL;
}

static const char *sleep_is_pending_until_its_deadline(void)
{
    static const struct __kernel_timespec second = { 1, 0 };
    const uint64_t arg[6] = { linux_ptr(&second), 0 };
    uint64_t before = clock_ns();
    int64_t result;

    EXPECT(linux_thread_try(&thread, __NR_nanosleep, CALL_FIRST, arg, &result) == ANSWER_PENDING);
    EXPECT(thread.word[1] >= before + 1000000000 && thread.word[1] <= clock_ns() + 1000000000);
    EXPECT(linux_thread_try(&thread, __NR_nanosleep, CALL_TIMED_OUT, arg, &result) == ANSWER_DONE);
    EXPECT(result == 0);
    return NULL;
}

static const char *sleep_can_be_cancelled(void)
{
    static const struct __kernel_timespec hour = { 3600, 0 };
    static struct __kernel_timespec left;
    const uint64_t arg[6] = { linux_ptr(&hour), linux_ptr(&left) };
    int64_t result;

    EXPECT(linux_thread_try(&thread, __NR_nanosleep, CALL_FIRST, arg, &result) == ANSWER_PENDING);
    EXPECT(linux_thread_try(&thread, __NR_nanosleep, CALL_INTERRUPTED, arg, &result) ==
           ANSWER_DONE);
    EXPECT(result == -EINTR);
    EXPECT(left.tv_sec > 3500 && left.tv_sec < 3600);
    return NULL;
}

static const char *operations_on_unknown_processes_are_refused(void)
{
    uint64_t soft, hard;

    EXPECT(proc_limit(&thread.all, pid + 1000, RLIMIT_STACK, &soft, &hard) == -ESRCH);
    EXPECT(proc_process_exit(&thread.all, pid + 1000, 0) == -ESRCH);
    return NULL;
}

/* Makes a process with a thread and ends both. */
static const char *come_and_go(void)
{
    struct linux_thread other;
    uint32_t child;

    EXPECT(linux_thread_open(&other, "proc", OTHER_SLOT));
    EXPECT(proc_process_create(&other.all, 0, own_pd, &child) == 0);
    EXPECT(common_slot_bind(&other.all, OTHER_SLOT, child, child) == 0);
    EXPECT(linux_call(&other, __NR_getpid, 0) == (int64_t)child);
    EXPECT(common_slot_bind(&other.all, OTHER_SLOT, 0, 0) == 0);
    EXPECT(proc_process_exit(&other.all, child, 0) == 0);
    EXPECT(linux_thread_close(&other));
    return NULL;
}

static const char *end_of_a_process_frees_all(void)
{
    uint64_t frames[2], heap[2], objects[2];
    const char *wrong = come_and_go(); /* what is allocated once is there now */

    for (int i = 0; i < 2 && !wrong; i++) {
        EXPECT(common_usage(&thread.all, &frames[i], &heap[i], &objects[i]) == 0);
        if (i == 0)
            wrong = come_and_go();
    }
    if (wrong)
        return wrong;
    EXPECT(frames[0] == frames[1]);
    EXPECT(heap[0] == heap[1]);
    EXPECT(objects[0] == objects[1]);
    return NULL;
}

int native_main(const struct startup *startup)
{
    static const struct native_test tests[] = {
        NATIVE_TEST(slot_can_be_made),
        NATIVE_TEST(call_on_unbound_slot_is_refused),
        NATIVE_TEST(process_gets_an_id),
        NATIVE_TEST(unknown_call_is_enosys),
        NATIVE_TEST(identity_is_what_was_said),
        NATIVE_TEST(result_is_copied_into_our_memory),
        NATIVE_TEST(wild_pointer_is_efault),
        NATIVE_TEST(limits_can_be_asked),
        NATIVE_TEST(sleep_is_pending_until_its_deadline),
        NATIVE_TEST(sleep_can_be_cancelled),
        NATIVE_TEST(operations_on_unknown_processes_are_refused),
        NATIVE_TEST(end_of_a_process_frees_all),
    };

    (void)startup;
    native_tests_run(tests, sizeof tests / sizeof tests[0]);
}
