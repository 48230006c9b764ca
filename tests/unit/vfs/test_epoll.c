/*
 * epoll(7), eventfd(2).
 */
#include "vfs_env.h"

#include <asm/poll.h>
#include <linux/eventpoll.h>

#define MS 1000000ull
#define EFD_SEMAPHORE 1

static uint64_t ends[2];
static uint64_t ep;

static void pipe_open(uint64_t end[2])
{
    const int *fds;

    assert_int_equal(SYS(pipe2, BUFFER, O_NONBLOCK), 0);
    fds = user_at(BUFFER);
    end[0] = (uint64_t)fds[0];
    end[1] = (uint64_t)fds[1];
}

static int setup(void **state)
{
    env_setup(state);
    pipe_open(ends);
    ep = (uint64_t)SYS(epoll_create1, EPOLL_CLOEXEC);
    return 0;
}

static int64_t control(uint64_t instance, uint64_t operation, uint64_t fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data = fd };

    return SYS(epoll_ctl, instance, operation, fd, user_put(&event, sizeof event));
}

static int64_t add(uint64_t fd, uint32_t events)
{
    return control(ep, EPOLL_CTL_ADD, fd, events);
}

static int64_t change(uint64_t fd, uint32_t events)
{
    return control(ep, EPOLL_CTL_MOD, fd, events);
}

static int64_t events_now(uint64_t instance) { return SYS(epoll_wait, instance, BUFFER, 64, 0); }

static struct epoll_event event_at(unsigned index)
{
    return ((struct epoll_event *)user_at(BUFFER))[index];
}

/* Exactly this one is reported. */
static void assert_event(uint64_t fd, uint32_t events)
{
    assert_int_equal(events_now(ep), 1);
    assert_int_equal(event_at(0).data, fd);
    assert_int_equal(event_at(0).events, events);
}

static void write_one(void) { assert_int_equal(do_write((int64_t)ends[1], "x"), 1); }

static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(SYS(epoll_create, 0), -EINVAL);
    assert_int_equal(SYS(epoll_create1, 1), -EINVAL);
    assert_int_equal(add(77, EPOLLIN), -EBADF);
    assert_int_equal(control(77, EPOLL_CTL_ADD, ends[0], EPOLLIN), -EBADF);
    assert_int_equal(control(ends[0], EPOLL_CTL_ADD, ends[1], EPOLLIN), -EINVAL);
    assert_int_equal(add(ep, EPOLLIN), -EINVAL);
    assert_int_equal(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, ends[0], WILD), -EFAULT);
    assert_int_equal(SYS(epoll_ctl, ep, EPOLL_CTL_DEL, ends[0], WILD), -ENOENT);
    assert_int_equal(change(ends[0], EPOLLIN), -ENOENT);
    assert_int_equal(control(ep, 9, ends[0], EPOLLIN), -EINVAL);
    assert_int_equal(add(ends[0], EPOLLIN), 0);
    assert_int_equal(add(ends[0], EPOLLIN), -EEXIST);
    assert_int_equal(make_file("/file", "x"), 0);
    assert_int_equal(add((uint64_t)do_open("/file", O_RDONLY), EPOLLIN), -EPERM);
    assert_int_equal(SYS(epoll_wait, ep, BUFFER, 0, 0), -EINVAL);
    assert_int_equal(SYS(epoll_wait, ends[0], BUFFER, 1, 0), -EINVAL);
    assert_int_equal(SYS(epoll_wait, 77, BUFFER, 1, 0), -EBADF);
    assert_int_equal(SYS(read, ep, BUFFER, 8), -EINVAL);
    write_one();
    assert_int_equal(SYS(epoll_wait, ep, WILD, 1, 0), -EFAULT);
    assert_event(ends[0], EPOLLIN);
}

static void test_level(void **state)
{
    (void)state;
    assert_int_equal(add(ends[0], EPOLLIN), 0);
    assert_int_equal(add(ends[1], 0), 0);
    assert_int_equal(events_now(ep), 0);
    write_one();
    assert_event(ends[0], EPOLLIN);
    assert_event(ends[0], EPOLLIN);
    assert_string_equal(do_read((int64_t)ends[0], 10), "x");
    assert_int_equal(events_now(ep), 0);
    assert_int_equal(change(ends[1], EPOLLOUT), 0);
    assert_event(ends[1], EPOLLOUT);
    assert_int_equal(SYS(close, ends[0]), 0); /* its registration goes with it */
    assert_event(ends[1], EPOLLOUT | EPOLLERR);
    assert_int_equal(control(ep, EPOLL_CTL_DEL, ends[1], 0), 0);
    assert_int_equal(events_now(ep), 0);
}

static void test_edge(void **state)
{
    (void)state;
    assert_int_equal(add(ends[0], EPOLLIN | EPOLLET), 0);
    write_one();
    assert_event(ends[0], EPOLLIN);
    assert_int_equal(events_now(ep), 0);
    write_one(); /* an edge, though it was readable before */
    assert_event(ends[0], EPOLLIN);
    assert_string_equal(do_read((int64_t)ends[0], 1), "x");
    assert_int_equal(events_now(ep), 0); /* what is left is not news */
    assert_int_equal(change(ends[0], EPOLLIN | EPOLLET), 0);
    assert_event(ends[0], EPOLLIN);
    assert_int_equal(SYS(close, ends[1]), 0);
    assert_event(ends[0], EPOLLIN | EPOLLHUP);
    assert_int_equal(events_now(ep), 0);
}

/* Room is news only after there was none. */
static void test_edge_write(void **state)
{
    (void)state;
    assert_int_equal(add(ends[1], EPOLLOUT | EPOLLET), 0);
    assert_event(ends[1], EPOLLOUT);
    write_one();
    assert_string_equal(do_read((int64_t)ends[0], 1), "x");
    assert_int_equal(events_now(ep), 0);
    assert_int_equal(SYS(write, ends[1], BUFFER, 65536), 65536);
    assert_int_equal(SYS(read, ends[0], BUFFER, 100), 100);
    assert_int_equal(events_now(ep), 0);
    assert_int_equal(SYS(read, ends[0], BUFFER, 4096), 4096);
    assert_event(ends[1], EPOLLOUT);
}

static void test_oneshot(void **state)
{
    (void)state;
    assert_int_equal(add(ends[0], EPOLLIN | EPOLLONESHOT), 0);
    write_one();
    assert_event(ends[0], EPOLLIN);
    assert_int_equal(events_now(ep), 0);
    write_one();
    assert_int_equal(SYS(close, ends[1]), 0); /* not even this is told */
    assert_int_equal(events_now(ep), 0);
    assert_int_equal(add(ends[0], EPOLLIN), -EEXIST);
    assert_int_equal(change(ends[0], EPOLLIN | EPOLLONESHOT), 0);
    assert_event(ends[0], EPOLLIN | EPOLLHUP);
    assert_int_equal(events_now(ep), 0);
}

/* Reports go round, so that nobody starves. */
static void test_fair(void **state)
{
    uint64_t many[4][2], seen = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        pipe_open(many[i]);
        assert_int_equal(add(many[i][0], EPOLLIN), 0);
        assert_int_equal(do_write((int64_t)many[i][1], "x"), 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(SYS(epoll_wait, ep, BUFFER, 2, 0), 2);
        seen |= 1ull << event_at(0).data | 1ull << event_at(1).data;
    }
    assert_int_equal(__builtin_popcountll(seen), 4);
}

static void test_waiting(void **state)
{
    const uint64_t arg[6] = { ep, BUFFER, 8, 50 };
    const uint64_t for_ever[6] = { ep, BUFFER, 8, UINT64_MAX };
    const struct epoll_event writable = { EPOLLOUT, 0 };

    (void)state;
    host_clock_set(1000 * MS);
    assert_int_equal(add(ends[0], EPOLLIN), 0);
    assert_int_equal(sys_on(SLOT, __NR_epoll_wait, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_write, (uint64_t[6]){ ends[1], S("x"), 1 }), 1);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_RETRY, arg), 1);
    assert_string_equal(do_read((int64_t)ends[0], 10), "x");
    assert_int_equal(sys_on(SLOT, __NR_epoll_wait, arg), PENDING);
    host_clock_set(1049 * MS);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_RETRY, arg), PENDING);
    host_clock_set(1050 * MS);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_TIMED_OUT, arg), 0);
    assert_int_equal(sys_on(SLOT, __NR_epoll_wait, for_ever), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_epoll_ctl, /* what is added may be ready */
                            (uint64_t[6]){ ep, EPOLL_CTL_ADD, ends[1],
                                           user_put(&writable, sizeof writable) }),
                     0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_RETRY, for_ever), 1);
    assert_int_equal(control(ep, EPOLL_CTL_DEL, ends[1], 0), 0);
    assert_int_equal(sys_on(SLOT, __NR_epoll_wait, for_ever), PENDING);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_INTERRUPTED, for_ever), -EINTR);
}

/* Closing a duplicate changes nothing. */
static void test_duplicates(void **state)
{
    uint64_t copy = (uint64_t)SYS(dup, ends[0]);

    (void)state;
    assert_int_equal(add(ends[0], EPOLLIN), 0);
    assert_int_equal(add(copy, EPOLLIN | EPOLLET), 0);
    write_one();
    assert_int_equal(events_now(ep), 2);
    assert_int_equal(events_now(ep), 1);
    assert_int_equal(SYS(close, ends[0]), 0);
    assert_event(ends[0], EPOLLIN);
    assert_int_equal(control(ep, EPOLL_CTL_DEL, ends[0], 0), -EBADF);
    assert_int_equal(SYS(close, copy), 0);
    assert_int_equal(events_now(ep), 0);
}

static void test_nested(void **state)
{
    uint64_t       outer = (uint64_t)SYS(epoll_create1, 0);
    struct pollfd  polled = { (int)outer, POLLIN, 0 };
    const uint64_t arg[6] = { outer, BUFFER, 8, UINT64_MAX };

    (void)state;
    assert_int_equal(add(ends[0], EPOLLIN), 0);
    assert_int_equal(control(outer, EPOLL_CTL_ADD, ep, EPOLLIN), 0);
    assert_int_equal(control(ep, EPOLL_CTL_ADD, outer, EPOLLIN), -ELOOP);
    assert_int_equal(events_now(outer), 0);
    assert_int_equal(sys_on(SLOT, __NR_epoll_wait, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_write, (uint64_t[6]){ ends[1], S("x"), 1 }), 1);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_epoll_wait, CALL_RETRY, arg), 1);
    assert_int_equal(event_at(0).data, ep);
    assert_int_equal(SYS(poll, user_put(&polled, sizeof polled), 1, 0), 1);
    assert_string_equal(do_read((int64_t)ends[0], 10), "x");
    assert_int_equal(SYS(poll, user_put(&polled, sizeof polled), 1, 0), 0);
    assert_int_equal(events_now(outer), 0);
    assert_int_equal(control(outer, EPOLL_CTL_MOD, ep, EPOLLIN | EPOLLET), 0);
    write_one();
    assert_int_equal(events_now(outer), 1);
    assert_int_equal(events_now(outer), 0);
    write_one();
    assert_int_equal(events_now(outer), 1);
    assert_int_equal(SYS(close, ep), 0);
    assert_int_equal(events_now(outer), 0);
}

static void test_nesting_depth(void **state)
{
    uint64_t chain[6];

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        chain[i] = (uint64_t)SYS(epoll_create1, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(control(chain[i], EPOLL_CTL_ADD, chain[i + 1], EPOLLIN), 0);
    assert_int_equal(control(chain[4], EPOLL_CTL_ADD, chain[5], EPOLLIN), -ELOOP);
    assert_int_equal(control(chain[5], EPOLL_CTL_ADD, chain[0], EPOLLIN), -ELOOP);
    assert_int_equal(control(chain[4], EPOLL_CTL_ADD, chain[0], EPOLLIN), -ELOOP);
    assert_int_equal(control(chain[4], EPOLL_CTL_ADD, ends[0], EPOLLIN), 0);
    write_one();
    assert_int_equal(events_now(chain[0]), 1);
}

static void test_exclusive(void **state)
{
    uint64_t       second = (uint64_t)SYS(epoll_create1, 0);
    const uint64_t first_arg[6] = { ep, BUFFER, 8, UINT64_MAX };
    const uint64_t second_arg[6] = { second, BUFFER, 8, UINT64_MAX };
    const uint32_t bits = EPOLLIN | EPOLLEXCLUSIVE;

    (void)state;
    assert_int_equal(add(second, bits), -EINVAL);
    assert_int_equal(add(ends[0], bits | EPOLLONESHOT), -EINVAL);
    assert_int_equal(add(ends[0], bits), 0);
    assert_int_equal(change(ends[0], EPOLLIN), -EINVAL);
    assert_int_equal(change(ends[0], bits), -EINVAL);
    assert_int_equal(control(second, EPOLL_CTL_ADD, ends[0], bits), 0);
    assert_int_equal(sys_on(SLOT, __NR_epoll_wait, first_arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_epoll_wait, second_arg), PENDING);
    write_one(); /* by SLOT, which no longer waits */
    assert_int_equal(host_signals(env.other_sem), 1);
    assert_int_equal(sys_again(OTHER, __NR_epoll_wait, CALL_RETRY, second_arg), 1);
}

/* A signal mask is asked for first, and only once. */
static void test_mask(void **state)
{
    const uint64_t     mask = 1ull << 1;
    const uint64_t     arg[6] = { ep, BUFFER, 8, 0, user_put(&mask, sizeof mask), 8 };
    struct host_answer answer;

    (void)state;
    assert_int_equal(add(ends[1], EPOLLOUT), 0);
    assert_true(host_fault_in(env.space, arg[4], 8, false));
    answer = host_call(&vfs_server, SLOT, __NR_epoll_pwait, CALL_FIRST, arg);
    assert_int_equal(answer.answer, ANSWER_MASK);
    assert_int_equal(answer.word[0], mask);
    assert_int_equal(sys_again(SLOT, __NR_epoll_pwait, CALL_MASKED, arg), 1);
    assert_int_equal(SYS(epoll_pwait, ep, BUFFER, 8, 0, BUFFER, 7), -EINVAL);
    assert_int_equal(SYS(epoll_pwait, ep, BUFFER, 8, 0, WILD, 8), -EFAULT);
    assert_int_equal(SYS(epoll_pwait, ep, BUFFER, 8, 0, 0, 77), 1);
}

/* ---- eventfd ------------------------------------------------------------------------------ */

static int64_t event_write(uint64_t fd, uint64_t value)
{
    return SYS(write, fd, user_put(&value, sizeof value), sizeof value);
}

static int64_t event_read(uint64_t fd)
{
    int64_t result = SYS(read, fd, BUFFER, 8);

    return result == 8 ? *(int64_t *)user_at(BUFFER) : result;
}

static void test_event(void **state)
{
    uint64_t fd = (uint64_t)SYS(eventfd2, 5, O_NONBLOCK);

    (void)state;
    assert_int_equal(SYS(eventfd2, 0, 2), -EINVAL);
    assert_int_equal(event_read(fd), 5);
    assert_int_equal(event_read(fd), -EAGAIN);
    assert_int_equal(SYS(read, fd, BUFFER, 7), -EINVAL);
    assert_int_equal(SYS(write, fd, BUFFER, 7), -EINVAL);
    assert_int_equal(SYS(lseek, fd, 5, SEEK_SET), 0);
    assert_int_equal(SYS(pread64, fd, BUFFER, 8, 0), -ESPIPE);
    assert_int_equal(event_write(fd, 2), 8);
    assert_int_equal(event_write(fd, 3), 8);
    assert_int_equal(SYS(read, fd, WILD, 8), -EFAULT);
    assert_int_equal(SYS(read, fd, USER_BASE + USER_BYTES - 4, 8), -EFAULT);
    assert_int_equal(event_read(fd), 5);
    assert_int_equal(SYS(write, fd, WILD, 8), -EFAULT);
    assert_int_equal(event_write(fd, UINT64_MAX), -EINVAL);
    assert_int_equal(event_write(fd, UINT64_MAX - 1), 8);
    assert_int_equal(event_write(fd, 1), -EAGAIN);
    assert_int_equal(event_read(fd), UINT64_MAX - 1);
}

static void test_event_semaphore(void **state)
{
    uint64_t fd = (uint64_t)SYS(eventfd2, 2, EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC);

    (void)state;
    assert_int_equal(SYS(fcntl, fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(event_read(fd), 1);
    assert_int_equal(event_read(fd), 1);
    assert_int_equal(event_read(fd), -EAGAIN);
}

static void test_event_overflow(void **state)
{
    uint64_t       fd = (uint64_t)SYS(eventfd, 1), two = 2;
    const uint64_t arg[6] = { fd, user_put(&two, sizeof two), 8 };
    const uint64_t reading[6] = { fd, BUFFER, 8 };

    (void)state;
    assert_int_equal(event_write(fd, UINT64_MAX - 3), 8);
    assert_int_equal(sys_on(SLOT, __NR_write, arg), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_read, reading), 8);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_write, CALL_RETRY, arg), 8);
    assert_int_equal(sys_on(OTHER, __NR_read, reading), 8);
    assert_int_equal(*(uint64_t *)user_at(BUFFER), 2);
    assert_int_equal(sys_on(SLOT, __NR_read, reading), PENDING);
    assert_int_equal(sys_on(OTHER, __NR_write, arg), 8);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, reading), 8);
}

static void test_event_edges(void **state)
{
    uint64_t fd = (uint64_t)SYS(eventfd2, 0, O_NONBLOCK);

    (void)state;
    assert_int_equal(add(fd, EPOLLIN | EPOLLOUT | EPOLLET), 0);
    assert_event(fd, EPOLLOUT);
    assert_int_equal(event_write(fd, UINT64_MAX - 1), 8);
    assert_event(fd, EPOLLIN);
    assert_int_equal(events_now(ep), 0);
    assert_int_equal(event_read(fd), UINT64_MAX - 1);
    assert_event(fd, EPOLLOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_errors, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_level, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_edge, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_edge_write, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_oneshot, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_fair, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_waiting, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_duplicates, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_nested, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_nesting_depth, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_exclusive, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_mask, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_event, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_event_semaphore, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_event_overflow, setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_event_edges, setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
