/*
 * What processes say about signals, whom signals reach, and what they do.
 */
#include "proc_env.h"

#include <limits.h>
#include <linux/prctl.h>
#include <linux/time_types.h>
#include <proto/signals.h>
#include <servers/proc/proc.h>
#include <string.h>

#define SET_BYTES 8u
#define HANDLER ((__sighandler_t)0x401000)

static struct linux_sigaction *action_at(uint64_t address) { return memory(address); }

static int64_t action_set(unsigned signal, __sighandler_t handler)
{
    *action_at(MEMORY) = (struct linux_sigaction){ .sa_handler = handler };
    return sys_call(__NR_rt_sigaction, signal, MEMORY, 0, SET_BYTES);
}

static int64_t mask_set(int how, uint64_t set)
{
    *(uint64_t *)memory(MEMORY) = set;
    return sys_call(__NR_rt_sigprocmask, (uint64_t)how, MEMORY, 0, SET_BYTES);
}

/* What the thread on the slot is to do next. */
struct order {
    int64_t  order;
    uint32_t signal, stack_flags, more;
    uint64_t handler, flags, restorer, mask, stack, stack_bytes;
    siginfo_t info;
};

static struct order take_on(uint32_t slot)
{
    struct order o;
    size_t bytes = sizeof o.info;

    memset(&o, 0, sizeof o);
    o.order = proc_signal_take(&env.ops, slot, &o.signal, &o.handler, &o.flags, &o.restorer,
                               &o.mask, &o.stack, &o.stack_bytes, &o.stack_flags, &o.more, &o.info,
                               &bytes);
    assert_int_equal(bytes, o.order == SIGNAL_HANDLE ? sizeof o.info : 0);
    return o;
}

static struct order take(void) { return take_on(SLOT); }

/* Slots that must look, as a set of bits. */
static uint64_t looking(void)
{
    uint32_t slots[256];
    size_t bytes = sizeof slots;
    uint64_t set = 0;

    assert_int_equal(proc_signal_notify(&env.ops, slots, &bytes), 0);
    for (size_t i = 0; i < bytes / sizeof *slots; i++)
        set |= 1ull << slots[i];
    return set;
}

/* What a call that sends says about who must look, as a set of bits. */
static uint64_t looking_after(struct host_answer answer)
{
    uint64_t set = 0;

    if (answer.word[0] == FOLLOW_SIGNALS) {
        set = 1ull << answer.word[1];
        if (answer.word[2])
            set |= looking();
    }
    return set;
}

/* kill(2) by the process, or tgkill(2) if there is a tid. */
static int64_t send(int32_t target, uint32_t tid, unsigned signal, uint64_t *looks)
{
    struct host_answer answer =
        tid ? sys_answer(__NR_tgkill, CALL_FIRST, (uint64_t)target, tid, signal, 0)
            : sys_answer(__NR_kill, CALL_FIRST, (uint64_t)(int64_t)target, signal, 0, 0);

    assert_int_equal(answer.answer, ANSWER_DONE);
    *looks = looking_after(answer);
    return answer.result;
}

static uint64_t send_self(unsigned signal)
{
    uint64_t looks;

    assert_int_equal(send((int32_t)env.pid, 0, signal, &looks), 0);
    return looks;
}

static uint64_t pending_set(void)
{
    assert_int_equal(sys_call(__NR_rt_sigpending, MEMORY, SET_BYTES, 0, 0), 0);
    return *(uint64_t *)memory(MEMORY);
}

static int64_t queue(unsigned signal, int code, int value)
{
    siginfo_t *info = memory(MEMORY);

    memset(info, 0, sizeof *info);
    info->si_code = code;
    info->si_value.sival_int = value;
    return sys_call(__NR_rt_sigqueueinfo, env.pid, signal, MEMORY, 0);
}

#define SELF (1ull << SLOT)
#define CHILD (1ull << SLOT_OF_CHILD)

/* ---- dispositions and masks ------------------------------------------------------- */

static void test_sigaction_arguments(void **state)
{
    (void)state;
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGINT, 0, 0, 4), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigaction, 0, 0, 0, SET_BYTES), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigaction, 65, 0, 0, SET_BYTES), -EINVAL);
    assert_int_equal(action_set(SIGKILL, SIG_IGN), -EINVAL);
    assert_int_equal(action_set(SIGSTOP, HANDLER), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGKILL, 0, MEMORY, SET_BYTES), 0);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGINT, NOTHING, 0, SET_BYTES), -EFAULT);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGINT, 0, READ_ONLY, SET_BYTES), -EFAULT);
}

static void test_sigaction_stores(void **state)
{
    (void)state;
    *action_at(MEMORY) = (struct linux_sigaction){
        .sa_handler = HANDLER, .sa_flags = SA_SIGINFO | 0x200, .sa_mask = UINT64_MAX,
    };
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, MEMORY + 64, SET_BYTES), 0);
    assert_true(action_at(MEMORY + 64)->sa_handler == SIG_DFL);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, 0, MEMORY + 64, SET_BYTES), 0);
    assert_true(action_at(MEMORY + 64)->sa_handler == HANDLER);
    assert_int_equal(action_at(MEMORY + 64)->sa_flags, SA_SIGINFO); /* unknown ones are dropped */
    assert_false(action_at(MEMORY + 64)->sa_mask & SIGNALS_FORCED);
}

/* The old action goes to the place from which the new one came, page by page. */
static void test_sigaction_fault_in_between(void **state)
{
    (void)state;
    assert_int_equal(action_set(SIGUSR1, HANDLER), 0);
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, NOTHING, SET_BYTES), -EFAULT);
    host_page_out(env.space, MEMORY + 4096, 4096);
    *action_at(MEMORY) = (struct linux_sigaction){ .sa_handler = SIG_IGN };
    assert_int_equal(
        sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, MEMORY + 4096 + 64, SET_BYTES), 0);
    assert_true(action_at(MEMORY + 4096 + 64)->sa_handler == HANDLER);
}

static void test_mask(void **state)
{
    (void)state;
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGINT) | SIGNALS_FORCED), 0);
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGTERM)), 0);
    assert_int_equal(mask_set(SIG_UNBLOCK, signal_bit(SIGINT)), 0);
    assert_int_equal(sys_call(__NR_rt_sigprocmask, 99, 0, MEMORY, SET_BYTES), 0);
    assert_int_equal(*(uint64_t *)memory(MEMORY), signal_bit(SIGTERM));
    assert_int_equal(mask_set(3, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigprocmask, SIG_BLOCK, MEMORY, 0, 16), -EINVAL);
    assert_int_equal(sys_call(__NR_rt_sigprocmask, SIG_BLOCK, NOTHING, 0, SET_BYTES), -EFAULT);
}

/* ---- sending and taking --------------------------------------------------------------- */

static void test_default_actions(void **state)
{
    (void)state;
    assert_int_equal(send_self(SIGCHLD), 0); /* ignored: nobody must look */
    assert_int_equal(send_self(0), 0);
    assert_int_equal(take().order, SIGNAL_NONE);
    assert_int_equal(send_self(SIGTERM), SELF);
    assert_int_equal(proc_signal_fatal(&env.ops, SLOT), SIGTERM);
    assert_int_equal(take().order, SIGNAL_END);
    assert_int_equal(action_set(SIGTERM, SIG_IGN), 0);
    assert_int_equal(send_self(SIGTERM), 0);
    assert_int_equal(send_self(SIGKILL), SELF);
    assert_int_equal(take().order, SIGNAL_END);
}

static void test_kill_arguments(void **state)
{
    uint64_t looks;

    (void)state;
    assert_int_equal(send((int32_t)env.pid, 0, 65, &looks), -EINVAL);
    assert_int_equal(send(31000, 0, SIGTERM, &looks), -ESRCH);
    assert_int_equal(send(INT_MIN, 0, SIGTERM, &looks), -ESRCH);
    assert_int_equal(send(-31000, 0, SIGTERM, &looks), -ESRCH);
    assert_int_equal(send(-31000, env.pid, SIGTERM, &looks), -EINVAL);
    assert_int_equal(send(31000, env.pid, SIGTERM, &looks), -ESRCH);
    assert_int_equal(sys_call(__NR_tkill, 0, SIGTERM, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_tkill, 31000, SIGTERM, 0, 0), -ESRCH);
    assert_int_equal(queue(SIGTERM, SI_QUEUE, 1), 0);
    assert_int_equal(sys_call(__NR_rt_sigqueueinfo, env.pid, SIGTERM, NOTHING, 0), -EFAULT);
    assert_int_equal(proc_signal_group(&env.ops, 1, 65), -EINVAL);
    assert_int_equal(proc_signal_fault(&env.ops, 99, SIGSEGV, 1, 2), -ESRCH);
}

static void test_handler(void **state)
{
    struct order o;

    (void)state;
    *action_at(MEMORY) = (struct linux_sigaction){
        .sa_handler = HANDLER, .sa_flags = SA_SIGINFO | SA_RESTORER, .sa_restorer = (void *)0x402000,
        .sa_mask = signal_bit(SIGUSR2),
    };
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, 0, SET_BYTES), 0);
    assert_int_equal(mask_set(SIG_SETMASK, signal_bit(SIGHUP)), 0);
    assert_int_equal(send_self(SIGUSR1), SELF);
    o = take();
    assert_int_equal(o.order, SIGNAL_HANDLE);
    assert_int_equal(o.signal, SIGUSR1);
    assert_int_equal(o.handler, (uint64_t)(uintptr_t)HANDLER);
    assert_int_equal(o.flags, SA_SIGINFO | SA_RESTORER);
    assert_int_equal(o.restorer, 0x402000);
    assert_int_equal(o.mask, signal_bit(SIGHUP));
    assert_int_equal(o.more, 0);
    assert_int_equal(o.info.si_code, SI_USER);
    assert_int_equal(o.info.si_pid, env.pid);
    assert_int_equal(thread_find(env.pid)->sig.mask,
                     signal_bit(SIGHUP) | signal_bit(SIGUSR1) | signal_bit(SIGUSR2));
    assert_int_equal(send_self(SIGUSR1), 0); /* waits until the handler has ended */
    assert_int_equal(take().order, SIGNAL_NONE);
    assert_int_equal(proc_signal_return(&env.ops, SLOT, o.mask, 0, 0, 0, SS_DISABLE), 1);
    assert_int_equal(take().order, SIGNAL_HANDLE);
}

static void test_one_shot_and_nodefer(void **state)
{
    (void)state;
    *action_at(MEMORY) = (struct linux_sigaction){ .sa_handler = HANDLER,
                                                   .sa_flags = SA_RESETHAND | SA_NODEFER };
    assert_int_equal(sys_call(__NR_rt_sigaction, SIGUSR1, MEMORY, 0, SET_BYTES), 0);
    assert_int_equal(send_self(SIGUSR1), SELF);
    assert_int_equal(take().order, SIGNAL_HANDLE);
    assert_int_equal(thread_find(env.pid)->sig.mask, 0);
    assert_int_equal(send_self(SIGUSR1), SELF);
    assert_int_equal(take().order, SIGNAL_END);
}

/* What raise(3) and abort(3) do: block all, send to oneself, unblock. */
static void test_blocked_then_unblocked(void **state)
{
    struct host_answer answer;
    uint64_t looks;

    (void)state;
    assert_int_equal(mask_set(SIG_SETMASK, UINT64_MAX), 0);
    assert_int_equal(send((int32_t)env.pid, env.pid, SIGABRT, &looks), 0);
    assert_int_equal(looks, 0);
    assert_int_equal(pending_set(), signal_bit(SIGABRT));
    assert_int_equal(sys_call(__NR_rt_sigpending, MEMORY, 9, 0, 0), -EINVAL);
    *(uint64_t *)memory(MEMORY) = 0;
    answer = sys_answer(__NR_rt_sigprocmask, CALL_FIRST, SIG_SETMASK, MEMORY, 0, SET_BYTES);
    assert_int_equal(answer.result, 0);
    assert_int_equal(looking_after(answer), SELF);
    assert_int_equal(take().order, SIGNAL_END);
}

static void test_ignoring_drops_pending(void **state)
{
    (void)state;
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGTERM)), 0);
    assert_int_equal(send_self(SIGTERM), 0);
    assert_int_equal(action_set(SIGTERM, SIG_IGN), 0);
    assert_int_equal(pending_set(), 0);
    assert_int_equal(send_self(SIGTERM), 0); /* blocked: stays, the handler may change */
    assert_int_equal(pending_set(), signal_bit(SIGTERM));
    assert_int_equal(mask_set(SIG_SETMASK, 0), 0);
    assert_int_equal(take().order, SIGNAL_NONE);
    assert_int_equal(pending_set(), 0);
}

/* Standard signals come once, by number; real-time ones in the order of sending. */
static void test_order(void **state)
{
    static const unsigned expected[] = { SIGHUP, SIGUSR1, SIGRTMIN, SIGRTMIN, SIGRTMIN, SIGRTMIN + 1 };
    static const int values[] = { 0, 0, 11, 12, 13, 10 };
    struct order o;

    (void)state;
    assert_int_equal(mask_set(SIG_SETMASK, UINT64_MAX), 0);
    assert_int_equal(queue(SIGRTMIN + 1, SI_QUEUE, 10), 0);
    for (int value = 11; value <= 13; value++)
        assert_int_equal(queue(SIGRTMIN, SI_QUEUE, value), 0);
    for (int i = 0; i < 3; i++) {
        send_self(SIGUSR1);
        send_self(SIGHUP);
    }
    for (unsigned signal = 1; signal <= SIGRTMIN + 1; signal++)
        if (!(signal_bit(signal) & SIGNALS_FORCED))
            process_find(env.pid)->sig.actions[signal - 1].sa_handler = HANDLER;
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        thread_find(env.pid)->sig.mask = 0;
        o = take();
        assert_int_equal(o.order, SIGNAL_HANDLE);
        assert_int_equal(o.signal, expected[i]);
        if (values[i])
            assert_int_equal(o.info.si_value.sival_int, values[i]);
    }
    thread_find(env.pid)->sig.mask = 0;
    assert_int_equal(take().order, SIGNAL_NONE);
}

static void test_queue_limit(void **state)
{
    struct order o;

    (void)state;
    process_find(env.pid)->limits[RLIMIT_SIGPENDING].rlim_cur = 2;
    assert_int_equal(mask_set(SIG_SETMASK, UINT64_MAX), 0);
    assert_int_equal(queue(SIGRTMIN, SI_QUEUE, 1), 0);
    assert_int_equal(queue(SIGRTMIN, SI_QUEUE, 2), 0);
    assert_int_equal(queue(SIGRTMIN, SI_QUEUE, 3), -EAGAIN);
    assert_int_equal(send_self(SIGRTMIN + 2), 0); /* kill(2) gets through, unspecified */
    assert_int_equal(pending_set(), signal_bit(SIGRTMIN) | signal_bit(SIGRTMIN + 2));
    process_find(env.pid)->sig.actions[SIGRTMIN + 1].sa_handler = HANDLER;
    assert_int_equal(mask_set(SIG_UNBLOCK, signal_bit(SIGRTMIN + 2)), 0);
    o = take();
    assert_int_equal(o.signal, SIGRTMIN + 2);
    assert_int_equal(o.info.si_pid, 0);
    assert_int_equal(action_set(SIGRTMIN, SIG_IGN), 0); /* makes room again */
    assert_int_equal(queue(SIGRTMIN, SI_QUEUE, 3), 0);
}

static void test_fault_is_forced(void **state)
{
    struct order o;

    (void)state;
    assert_int_equal(action_set(SIGSEGV, HANDLER), 0);
    assert_int_equal(proc_signal_fault(&env.ops, SLOT, SIGSEGV, 2, 0x1234), 0);
    o = take();
    assert_int_equal(o.order, SIGNAL_HANDLE);
    assert_int_equal(o.info.si_code, 2);
    assert_int_equal((uint64_t)(uintptr_t)o.info.si_addr, 0x1234);
    assert_int_equal(proc_signal_fault(&env.ops, SLOT, SIGSEGV, 2, 0x1234), 0); /* is blocked now */
    assert_int_equal(take().order, SIGNAL_END);
    assert_int_equal(action_set(SIGFPE, SIG_IGN), 0);
    assert_int_equal(proc_signal_fault(&env.ops, SLOT, SIGFPE, 1, 0), 0);
    assert_int_equal(take().order, SIGNAL_END);
}

static void test_faults_come_first(void **state)
{
    (void)state;
    assert_int_equal(action_set(SIGSEGV, HANDLER), 0);
    assert_int_equal(action_set(SIGHUP, HANDLER), 0);
    assert_int_equal(proc_signal_raise(&env.ops, SLOT, SIGHUP), 1);
    assert_int_equal(proc_signal_fault(&env.ops, SLOT, SIGSEGV, 1, 0), 0);
    assert_int_equal(take().signal, SIGSEGV);
    assert_int_equal(take().signal, SIGHUP);
}

/* ---- whom it reaches --------------------------------------------------------------------- */

static void test_groups_and_threads(void **state)
{
    uint32_t child = child_create();
    uint64_t looks;

    (void)state;
    assert_int_equal(send((int32_t)child, env.pid, SIGTERM, &looks), -ESRCH);
    assert_int_equal(send((int32_t)child, child, SIGTERM, &looks), 0);
    assert_int_equal(looks, CHILD);
    assert_int_equal(send(0, 0, SIGHUP, &looks), 0);
    assert_int_equal(looks & SELF, SELF);
    assert_int_equal(take_on(SLOT_OF_CHILD).signal, SIGTERM); /* its own come first */
    assert_int_equal(send(-1, 0, SIGINT, &looks), 0); /* not itself */
    assert_int_equal(looks, CHILD);
    assert_int_equal(proc_signal_group(&env.ops, env.pid, SIGINT), 0);
    assert_int_equal(looking(), SELF | CHILD);
}

/* A second thread of the process on SLOT_OF_CHILD. */
static struct thread *second_thread(void)
{
    uint32_t tid;

    assert_int_equal(proc_thread_create(&env.ops, env.pid, &tid), 0);
    env_bind(SLOT_OF_CHILD, tid, env.pid);
    return thread_find(tid);
}

static void test_thread_that_does_not_block(void **state)
{
    struct thread *second = second_thread();

    (void)state;
    assert_int_equal(mask_set(SIG_BLOCK, signal_bit(SIGUSR1)), 0);
    assert_int_equal(send_self(SIGUSR1), CHILD);
    second->sig.mask = signal_bit(SIGUSR2);
    assert_int_equal(mask_set(SIG_SETMASK, 0), 0);
    assert_int_equal(send_self(SIGUSR2), SELF); /* the main thread has precedence */
}

/* A thread that blocks what was meant for it leaves it to another one. */
static void test_other_thread_takes_over(void **state)
{
    struct host_answer answer;

    (void)state;
    second_thread();
    assert_int_equal(send_self(SIGUSR1), SELF);
    *(uint64_t *)memory(MEMORY) = UINT64_MAX;
    answer = sys_answer(__NR_rt_sigprocmask, CALL_FIRST, SIG_SETMASK, MEMORY, 0, SET_BYTES);
    assert_int_equal(looking_after(answer), CHILD);
}

static void test_permission(void **state)
{
    uint32_t child = child_create();
    uint64_t looks;

    (void)state;
    assert_int_equal(sys_call(__NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(send((int32_t)child, 0, SIGTERM, &looks), -EPERM);
    assert_int_equal(send((int32_t)child, 0, SIGCONT, &looks), 0); /* of the same session */
    assert_int_equal(send((int32_t)child, 0, 0, &looks), -EPERM);
    assert_int_equal(sys_call_on(SLOT_OF_CHILD, __NR_setuid, 1000, 0, 0, 0), 0);
    assert_int_equal(send((int32_t)child, 0, SIGTERM, &looks), 0);
    assert_int_equal(looks, CHILD);
    memset(memory(MEMORY), 0, sizeof(siginfo_t));
    assert_int_equal(sys_call(__NR_rt_sigqueueinfo, child, SIGTERM, MEMORY, 0), -EPERM);
    ((siginfo_t *)memory(MEMORY))->si_code = SI_QUEUE;
    assert_int_equal(sys_call(__NR_rt_sigqueueinfo, child, SIGTERM, MEMORY, 0), 0);
}

/* ---- stop and continue ----------------------------------------------------------------- */

static void test_stop_and_continue(void **state)
{
    uint32_t child = child_create();
    const struct process_signals *sig = &process_find(child)->sig;
    struct order o;
    uint64_t looks;

    (void)state;
    assert_int_equal(action_set(SIGCHLD, HANDLER), 0);
    assert_int_equal(send((int32_t)child, 0, SIGSTOP, &looks), 0);
    assert_int_equal(looks, CHILD);
    assert_int_equal(take_on(SLOT_OF_CHILD).order, SIGNAL_STOP);
    assert_int_equal(sig->stop_unwaited, SIGSTOP);
    o = take();
    assert_int_equal(o.signal, SIGCHLD);
    assert_int_equal(o.info.si_code, CLD_STOPPED);
    assert_int_equal(o.info.si_pid, child);
    assert_int_equal(o.info.si_status, SIGSTOP);
    assert_int_equal(send((int32_t)child, 0, SIGTERM, &looks), 0); /* has to wait */
    assert_int_equal(take_on(SLOT_OF_CHILD).order, SIGNAL_STOP);
    thread_find(env.pid)->sig.mask = 0;
    assert_int_equal(send((int32_t)child, 0, SIGCONT, &looks), 0);
    assert_int_equal(looks, SELF | CHILD);
    assert_true(sig->continue_unwaited && !sig->stop_unwaited);
    assert_int_equal(take().info.si_code, CLD_CONTINUED);
    assert_int_equal(take_on(SLOT_OF_CHILD).signal, SIGTERM);
}

static void test_kill_ends_the_stopped(void **state)
{
    uint32_t child = child_create();
    uint64_t looks;

    (void)state;
    assert_int_equal(send((int32_t)child, 0, SIGSTOP, &looks), 0);
    assert_int_equal(take_on(SLOT_OF_CHILD).order, SIGNAL_STOP);
    assert_int_equal(send((int32_t)child, 0, SIGKILL, &looks), 0);
    assert_int_equal(looks & CHILD, CHILD);
    assert_int_equal(take_on(SLOT_OF_CHILD).order, SIGNAL_END);
}

/* A stop and a continuation each forget the other one. */
static void test_contrary_signals(void **state)
{
    (void)state;
    assert_int_equal(mask_set(SIG_SETMASK, UINT64_MAX), 0);
    send_self(SIGTSTP);
    assert_int_equal(pending_set(), signal_bit(SIGTSTP));
    send_self(SIGCONT);
    assert_int_equal(pending_set(), signal_bit(SIGCONT));
    send_self(SIGTTIN);
    assert_int_equal(pending_set(), signal_bit(SIGTTIN));
    assert_int_equal(mask_set(SIG_SETMASK, 0), 0);
    assert_int_equal(take().order, SIGNAL_NONE); /* the group is orphaned: no shell */
}

static void test_all_threads_stop(void **state)
{
    (void)state;
    second_thread();
    assert_int_equal(send_self(SIGSTOP), SELF);
    assert_int_equal(take().order, SIGNAL_STOP);
    assert_false(process_find(env.pid)->sig.stop_complete);
    assert_int_equal(looking(), CHILD);
    assert_int_equal(take_on(SLOT_OF_CHILD).order, SIGNAL_STOP);
    assert_true(process_find(env.pid)->sig.stop_complete);
}

/* ---- waiting ------------------------------------------------------------------------------ */

static struct host_answer timedwait(enum call_reason reason, uint64_t set, uint64_t time_at)
{
    *(uint64_t *)memory(MEMORY + 512) = set;
    return sys_answer(__NR_rt_sigtimedwait, reason, MEMORY + 512, MEMORY, time_at, SET_BYTES);
}

static void test_timedwait(void **state)
{
    const siginfo_t *info = memory(MEMORY);
    struct host_answer answer;

    (void)state;
    assert_int_equal(mask_set(SIG_SETMASK, signal_bit(SIGUSR1)), 0);
    answer = timedwait(CALL_FIRST, signal_bit(SIGUSR1), 0);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(host_signals(env.sem), 0);
    /* the process can't send while it waits: as if another one did */
    assert_int_equal(proc_signal_group(&env.ops, env.pid, SIGUSR1), 0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(looking(), 0);
    answer = timedwait(CALL_RETRY, signal_bit(SIGUSR1), 0);
    assert_int_equal(answer.result, SIGUSR1);
    assert_int_equal(info->si_code, SI_KERNEL);
    assert_int_equal(timedwait(CALL_FIRST, signal_bit(SIGUSR1), 0).answer, ANSWER_PENDING);
    assert_int_equal(timedwait(CALL_INTERRUPTED, signal_bit(SIGUSR1), 0).result, -EINTR);
}

static void test_timedwait_times_out(void **state)
{
    struct __kernel_timespec *time = memory(MEMORY + 1024);
    struct host_answer answer;

    (void)state;
    host_clock_set(1000);
    *time = (struct __kernel_timespec){ .tv_nsec = 500 };
    answer = timedwait(CALL_FIRST, signal_bit(SIGUSR1), MEMORY + 1024);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 1500);
    host_clock_set(1500);
    assert_int_equal(timedwait(CALL_TIMED_OUT, signal_bit(SIGUSR1), MEMORY + 1024).result, -EAGAIN);
    time->tv_nsec = -1;
    assert_int_equal(timedwait(CALL_FIRST, 0, MEMORY + 1024).result, -EINVAL);
    time->tv_nsec = 0;
    assert_int_equal(timedwait(CALL_FIRST, 0, MEMORY + 1024).result, -EAGAIN);
}

static void test_suspend(void **state)
{
    struct host_answer answer;
    struct order o;

    (void)state;
    assert_int_equal(action_set(SIGUSR1, HANDLER), 0);
    assert_int_equal(mask_set(SIG_SETMASK, signal_bit(SIGUSR1)), 0);
    assert_int_equal(send_self(SIGUSR1), 0);
    *(uint64_t *)memory(MEMORY) = signal_bit(SIGHUP);
    answer = sys_answer(__NR_rt_sigsuspend, CALL_FIRST, MEMORY, SET_BYTES, 0, 0);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[1], FOLLOW_SIGNALS); /* there is one already */
    o = take();
    assert_int_equal(o.order, SIGNAL_HANDLE);
    assert_int_equal(o.mask, signal_bit(SIGUSR1)); /* the one from before the call */
    assert_int_equal(thread_find(env.pid)->sig.mask, signal_bit(SIGHUP) | signal_bit(SIGUSR1));
    answer = sys_answer(__NR_rt_sigsuspend, CALL_INTERRUPTED, MEMORY, SET_BYTES, 0, 0);
    assert_int_equal(answer.result, -EINTR);
}

static void test_mask_of_a_call(void **state)
{
    (void)state;
    assert_int_equal(mask_set(SIG_SETMASK, signal_bit(SIGUSR1)), 0);
    assert_int_equal(send_self(SIGUSR1), 0);
    assert_int_equal(proc_signal_mask(&env.ops, SLOT, signal_bit(SIGHUP)), 1);
    assert_int_equal(proc_signal_mask_back(&env.ops, SLOT), 0);
    assert_int_equal(thread_find(env.pid)->sig.mask, signal_bit(SIGUSR1));
    assert_int_equal(proc_signal_mask_back(&env.ops, SLOT), 0);
}

/* ---- the alternate stack --------------------------------------------------------------------- */

static int64_t stack_set(uint64_t sp, uint64_t base, uint64_t bytes, uint32_t flags)
{
    return proc_signal_stack(&env.ops, SLOT, sp, 1, base, bytes, flags, NULL, NULL, NULL);
}

static uint32_t stack_flags(uint64_t sp)
{
    uint32_t flags;

    assert_int_equal(
        proc_signal_stack(&env.ops, SLOT, sp, 0, 0, 0, 0, NULL, NULL, &flags), 0);
    return flags;
}

static void test_alternate_stack(void **state)
{
    struct order o;

    (void)state;
    assert_int_equal(stack_flags(0x1000), SS_DISABLE);
    assert_int_equal(stack_set(0x1000, 0x50000, 100, 0), -ENOMEM);
    assert_int_equal(stack_set(0x1000, 0x50000, 8192, 77), -EINVAL);
    assert_int_equal(stack_set(0x1000, 0x50000, 8192, 0), 0);
    assert_int_equal(stack_flags(0x1000), 0);
    assert_int_equal(stack_flags(0x51000), SS_ONSTACK);
    assert_int_equal(stack_set(0x51000, 0, 0, SS_DISABLE), -EPERM);
    assert_int_equal(stack_set(0x1000, 0x50000, 8192, 1u << 31), 0);
    assert_int_equal(action_set(SIGUSR1, HANDLER), 0);
    send_self(SIGUSR1);
    o = take();
    assert_int_equal(o.stack, 0x50000);
    assert_int_equal(o.stack_flags, 1u << 31);
    assert_int_equal(stack_flags(0x51000), SS_DISABLE); /* SS_AUTODISARM */
    proc_signal_return(&env.ops, SLOT, 0, 0x1000, o.stack, o.stack_bytes, o.stack_flags);
    assert_int_equal(stack_flags(0x1000), 1u << 31);
}

/* ---- execve(2), prctl(2) ----------------------------------------------------------------------- */

static void test_exec_resets_handlers(void **state)
{
    uint32_t secure;

    (void)state;
    assert_int_equal(action_set(SIGUSR1, HANDLER), 0);
    assert_int_equal(action_set(SIGUSR2, SIG_IGN), 0);
    assert_int_equal(proc_process_exec(&env.ops, env.pid, 0755, 0, 0, SEL_NONE, "x", &secure), 0);
    assert_int_equal(signal_effect(process_find(env.pid), SIGUSR1), SIGNAL_FATAL);
    assert_int_equal(signal_effect(process_find(env.pid), SIGUSR2), SIGNAL_IGNORED);
}

static void test_prctl(void **state)
{
    (void)state;
    strcpy(memory(MEMORY), "a name that is too long");
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NAME, MEMORY, 0, 0), 0);
    assert_int_equal(sys_call(__NR_prctl, PR_GET_NAME, MEMORY + 64, 0, 0), 0);
    assert_string_equal(memory(MEMORY + 64), "a name that is ");
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NAME, NOTHING, 0, 0), -EFAULT);
    assert_int_equal(sys_call(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0), 1);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_DUMPABLE, 2, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0), 0);
    assert_int_equal(sys_call(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0), 1);
    assert_int_equal(sys_call(__NR_prctl, PR_SET_PDEATHSIG, 65, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, PR_CAPBSET_READ, 0, 0, 0), 1);
    assert_int_equal(sys_call(__NR_prctl, PR_CAPBSET_READ, 64, 0, 0), -EINVAL);
    assert_int_equal(sys_call(__NR_prctl, 0x12345678, 0, 0, 0), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sigaction_arguments, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sigaction_stores, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_sigaction_fault_in_between, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_mask, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_default_actions, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_kill_arguments, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_handler, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_one_shot_and_nodefer, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_blocked_then_unblocked, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_ignoring_drops_pending, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_order, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_queue_limit, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_fault_is_forced, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_faults_come_first, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_groups_and_threads, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_thread_that_does_not_block, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_other_thread_takes_over, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_permission, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_stop_and_continue, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_kill_ends_the_stopped, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_contrary_signals, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_all_threads_stop, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_timedwait, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_timedwait_times_out, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_suspend, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_mask_of_a_call, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_alternate_stack, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_exec_resets_handlers, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_prctl, env_setup, env_teardown),
    };

    return cmocka_run_group_tests_name("proc: signals", tests, NULL, NULL);
}
