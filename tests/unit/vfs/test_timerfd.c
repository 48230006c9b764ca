/*
 * timerfd_create(2), alone and in epoll(7) and poll(2); the heap of deadlines.
 */
#include "vfs_env.h"

#include <asm/poll.h>
#include <linux/eventpoll.h>
#include <linux/timerfd.h>
#include <servers/vfs/heap.h>
#include <stdlib.h>
#include <time.h>

#define MS      1000000ull
#define REALTIME_OFFSET_S 1700000000ll /* of the environment */

static uint64_t timer, ep;

static int setup(void **state)
{
    env_setup(state);
    host_clock_set(1000 * MS);
    timer = (uint64_t)SYS(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
    ep = (uint64_t)SYS(epoll_create1, 0);
    return 0;
}

static int64_t set_on(unsigned slot, uint64_t fd, uint64_t value_ns, uint64_t interval_ns,
                      uint64_t flags)
{
    const struct __kernel_itimerspec value = {
        .it_value = { (int64_t)(value_ns / 1000000000), (int64_t)(value_ns % 1000000000) },
        .it_interval = { (int64_t)(interval_ns / 1000000000), (int64_t)(interval_ns % 1000000000) },
    };

    return sys_on(slot, __NR_timerfd_settime,
                  (uint64_t[6]){ fd, flags, user_put(&value, sizeof value) });
}

static int64_t set(uint64_t value_ns, uint64_t interval_ns)
{
    return set_on(SLOT, timer, value_ns, interval_ns, 0);
}

static int64_t read_timer(uint64_t fd)
{
    int64_t result = SYS(read, fd, BUFFER, 8);

    return result == 8 ? *(int64_t *)user_at(BUFFER) : result;
}

static void assert_left(uint64_t ns)
{
    const struct __kernel_itimerspec *left = user_at(BUFFER);

    assert_int_equal(SYS(timerfd_gettime, timer, BUFFER), 0);
    assert_int_equal((uint64_t)left->it_value.tv_sec * 1000000000 + (uint64_t)left->it_value.tv_nsec,
                     ns);
}

static void test_errors(void **state)
{
    struct __kernel_itimerspec bad = { .it_value = { 0, 1000000000 } };

    (void)state;
    assert_int_equal(SYS(timerfd_create, 2, 0), -EINVAL);
    assert_int_equal(SYS(timerfd_create, CLOCK_MONOTONIC, 1), -EINVAL);
    assert_int_equal(SYS(timerfd_settime, timer, 0, WILD), -EFAULT);
    assert_int_equal(SYS(timerfd_settime, timer, 4, user_put(&bad, sizeof bad)), -EINVAL);
    assert_int_equal(SYS(timerfd_settime, timer, 0, user_put(&bad, sizeof bad)), -EINVAL);
    bad.it_value.tv_nsec = 0;
    assert_int_equal(SYS(timerfd_settime, 77, 0, user_put(&bad, sizeof bad)), -EBADF);
    assert_int_equal(SYS(timerfd_settime, ep, 0, user_put(&bad, sizeof bad)), -EINVAL);
    assert_int_equal(SYS(timerfd_gettime, ep, BUFFER), -EINVAL);
    assert_int_equal(SYS(timerfd_gettime, timer, WILD), -EFAULT);
    assert_int_equal(SYS(write, timer, BUFFER, 8), -EINVAL);
    assert_int_equal(SYS(read, timer, BUFFER, 7), -EINVAL);
    assert_int_equal(read_timer(timer), -EAGAIN);
}

static void test_once(void **state)
{
    (void)state;
    assert_left(0);
    assert_int_equal(set(10 * MS, 0), 0);
    assert_left(10 * MS);
    host_clock_set(1009 * MS);
    assert_left(MS);
    assert_int_equal(read_timer(timer), -EAGAIN);
    host_clock_set(1500 * MS);
    assert_left(0);
    assert_int_equal(SYS(read, timer, WILD, 8), -EFAULT);
    assert_int_equal(read_timer(timer), 1);
    assert_int_equal(read_timer(timer), -EAGAIN);
}

static void test_interval(void **state)
{
    (void)state;
    assert_int_equal(set(10 * MS, 3 * MS), 0);
    host_clock_set(1021 * MS);
    assert_left(1 * MS);
    assert_int_equal(read_timer(timer), 4); /* 10, 13, 16, 19 */
    assert_int_equal(read_timer(timer), -EAGAIN);
    host_clock_set(1022 * MS);
    assert_int_equal(read_timer(timer), 1);
    host_clock_set(1030 * MS);
    assert_int_equal(set(0, 3 * MS), 0); /* what was not read is lost */
    assert_int_equal(read_timer(timer), -EAGAIN);
}

static void test_absolute(void **state)
{
    uint64_t real = (uint64_t)SYS(timerfd_create, CLOCK_REALTIME, TFD_NONBLOCK);

    (void)state;
    assert_int_equal(set_on(SLOT, timer, 900 * MS, 40 * MS, TFD_TIMER_ABSTIME), 0);
    assert_int_equal(read_timer(timer), 3);
    assert_left(20 * MS);
    assert_int_equal(set_on(SLOT, real, REALTIME_OFFSET_S * 1000000000 + 1005 * MS, 0,
                            TFD_TIMER_ABSTIME), 0);
    assert_int_equal(read_timer(real), -EAGAIN);
    host_clock_set(1005 * MS);
    assert_int_equal(read_timer(real), 1);
    assert_int_equal(set_on(SLOT, real, 5, 0, TFD_TIMER_ABSTIME), 0); /* 1970 */
    assert_int_equal(read_timer(real), 1);
}

static void test_blocking(void **state)
{
    uint64_t       fd = (uint64_t)SYS(timerfd_create, CLOCK_MONOTONIC, 0);
    const uint64_t arg[6] = { fd, BUFFER, 8 };
    struct host_answer answer;

    (void)state;
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(set_on(OTHER, fd, 10 * MS, 0, 0), 0);
    assert_int_equal(host_signals(env.sem), 1);
    answer = host_call(&vfs_server, SLOT, __NR_read, CALL_RETRY, arg);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 1010 * MS);
    host_clock_set(1010 * MS);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_TIMED_OUT, arg), 8);
}

static void test_poll(void **state)
{
    struct pollfd  polled = { (int)timer, POLLIN, 0 };
    const uint64_t arg[6] = { user_put(&polled, sizeof polled), 1, 50 };
    struct host_answer answer;

    (void)state;
    assert_int_equal(set(20 * MS, 0), 0);
    answer = host_call_whole(&vfs_server, SLOT, __NR_poll, arg);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 1020 * MS);
    assert_int_equal(set_on(OTHER, timer, 100 * MS, 0, 0), 0);
    assert_int_equal(host_signals(env.sem), 1);
    answer = host_call(&vfs_server, SLOT, __NR_poll, CALL_RETRY, arg);
    assert_int_equal(answer.word[0], 1050 * MS); /* the time of poll itself */
    assert_int_equal(set_on(OTHER, timer, 30 * MS, 0, 0), 0);
    answer = host_call(&vfs_server, SLOT, __NR_poll, CALL_RETRY, arg);
    assert_int_equal(answer.word[0], 1030 * MS);
    host_clock_set(1030 * MS);
    assert_int_equal(sys_again(SLOT, __NR_poll, CALL_TIMED_OUT, arg), 1);
}

static void add_to(uint64_t instance, uint64_t fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data = fd };

    assert_int_equal(SYS(epoll_ctl, instance, EPOLL_CTL_ADD, fd, user_put(&event, sizeof event)), 0);
}

static int64_t events_of(uint64_t instance) { return SYS(epoll_wait, instance, BUFFER, 8, 0); }

static void test_epoll(void **state)
{
    const uint64_t arg[6] = { ep, BUFFER, 8, UINT64_MAX };
    struct host_answer answer;

    (void)state;
    assert_int_equal(set(20 * MS, 10 * MS), 0);
    add_to(ep, timer, EPOLLIN);
    assert_int_equal(events_of(ep), 0);
    answer = host_call_whole(&vfs_server, SLOT, __NR_epoll_wait, arg);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 1020 * MS);
    assert_int_equal(set_on(OTHER, timer, 5 * MS, 10 * MS, 0), 0);
    assert_int_equal(host_signals(env.sem) > 0, 1);
    answer = host_call(&vfs_server, SLOT, __NR_epoll_wait, CALL_RETRY, arg);
    assert_int_equal(answer.word[0], 1005 * MS);
    host_clock_set(1005 * MS);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_TIMED_OUT, arg), 1);
    assert_int_equal(events_of(ep), 1); /* level-triggered */
    assert_int_equal(read_timer(timer), 1);
    assert_int_equal(events_of(ep), 0);
    answer = host_call_whole(&vfs_server, SLOT, __NR_epoll_wait, arg);
    assert_int_equal(answer.word[0], 1015 * MS);
    assert_int_equal(SYS(close, timer), 0);
    answer = host_call_whole(&vfs_server, SLOT, __NR_epoll_wait, arg);
    assert_int_equal(answer.word[0], 0);
}

static void test_epoll_edge(void **state)
{
    (void)state;
    add_to(ep, timer, EPOLLIN | EPOLLET);
    assert_int_equal(set(5 * MS, 10 * MS), 0);
    assert_int_equal(events_of(ep), 0);
    host_clock_set(1005 * MS);
    assert_int_equal(events_of(ep), 1);
    assert_int_equal(events_of(ep), 0);
    host_clock_set(1016 * MS); /* no more news until it was read, as in Linux */
    assert_int_equal(events_of(ep), 0);
    assert_int_equal(read_timer(timer), 2);
    host_clock_set(1025 * MS);
    assert_int_equal(events_of(ep), 1);
}

static void test_epoll_nested(void **state)
{
    uint64_t       outer = (uint64_t)SYS(epoll_create1, 0);
    uint64_t       second = (uint64_t)SYS(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
    const uint64_t arg[6] = { outer, BUFFER, 8, UINT64_MAX };
    struct host_answer answer;

    (void)state;
    add_to(ep, timer, EPOLLIN);
    add_to(outer, ep, EPOLLIN);
    add_to(ep, second, EPOLLIN);
    assert_int_equal(set(5 * MS, 10 * MS), 0);
    assert_int_equal(set_on(SLOT, second, 8 * MS, 0, 0), 0);
    answer = host_call_whole(&vfs_server, SLOT, __NR_epoll_wait, arg);
    assert_int_equal(answer.word[0], 1005 * MS);
    assert_int_equal(SYS(epoll_ctl, ep, EPOLL_CTL_DEL, timer), 0);
    host_clock_set(1005 * MS);
    answer = host_call(&vfs_server, SLOT, __NR_epoll_wait, CALL_TIMED_OUT, arg);
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 1008 * MS);
    host_clock_set(1008 * MS);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_TIMED_OUT, arg), 1);
    assert_int_equal(read_timer(second), 1);
    assert_int_equal(events_of(outer), 0);
}

/* Against an array, with a fixed sequence of random numbers. */
static void test_heap(void **state)
{
    static struct heap_node nodes[200];
    struct heap_node       *root = NULL;
    uint64_t                random = 1;

    (void)state;
    for (unsigned step = 0; step < 20000; step++) {
        struct heap_node *node;
        uint64_t          least = UINT64_MAX;

        random = random * 6364136223846793005u + 1442695040888963407u;
        node = &nodes[(random >> 33) % 200];
        if (node->key)
            heap_remove(&root, node);
        else
            heap_insert(&root, node, (random >> 45) + 1);
        for (unsigned i = 0; i < 200; i++)
            if (nodes[i].key && nodes[i].key < least)
                least = nodes[i].key;
        assert_int_equal(root ? root->key : UINT64_MAX, least);
    }
    while (root)
        heap_remove(&root, root);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(nodes[i].key, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_errors, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_once, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_interval, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_absolute, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_blocking, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_poll, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_epoll, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_epoll_edge, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_epoll_nested, setup, env_teardown),
        cmocka_unit_test(test_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
