/*
 * The terminal: line editing, echo, raw mode, signals, output; and standard streams that are
 * no terminal.
 */
#include "vfs_env.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <gen/vfs_client.h>
#include <servers/vfs/console.h>
#include <servers/vfs/terminal.h>
#include <signal.h>

/* What the router does when the console has signalled. Returns the signal to send. */
static uint32_t take_input(void)
{
    uint32_t signal, pgrp;

    assert_true(vfs_input(&env.ops, &signal, &pgrp) >= 0);
    assert_int_equal(pgrp, SLOT);
    return signal;
}

static uint32_t type(const char *text)
{
    console_type(text);
    return take_input();
}

static struct termios *get_settings(void)
{
    assert_int_equal(SYS(ioctl, 0, TCGETS, BUFFER), 0);
    return user_at(BUFFER);
}

static void set_settings(void) { assert_int_equal(SYS(ioctl, 0, TCSETS, BUFFER), 0); }

static void set_raw(unsigned minimum, unsigned time)
{
    struct termios *settings = get_settings();

    settings->c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG);
    settings->c_cc[VMIN] = (unsigned char)minimum;
    settings->c_cc[VTIME] = (unsigned char)time;
    set_settings();
}

static void test_lines(void **state)
{
    const uint64_t arg[6] = { 0, BUFFER, 100 };

    (void)state;
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    type("hel");
    assert_int_equal(host_signals(env.sem), 0);
    type("lo\rmore\n");
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 6);
    assert_memory_equal(user_at(BUFFER), "hello\n", 6);
    assert_string_equal(do_read(0, 3), "mor");
    assert_string_equal(do_read(0, 100), "e\n");
    assert_string_equal(console_out(0), "hello\r\nmore\r\n");
}

static void test_editing(void **state)
{
    (void)state;
    type("abX\177c\n");
    assert_string_equal(do_read(0, 100), "abc\n");
    assert_string_equal(console_out(0), "abX\b \bc\r\n");
    type("one two  \027three\n"); /* ^W takes blanks and the word before them */
    assert_string_equal(do_read(0, 100), "one three\n");
    type("junk\025new\n");
    assert_string_equal(do_read(0, 100), "new\n");
    console_out(0);
    type("\001\177\n"); /* a control character takes two columns */
    assert_string_equal(console_out(0), "^A\b \b\b \b\r\n");
    type("a\tb\177\177\177x\n"); /* \n of the line before was read as an empty line */
    assert_string_equal(console_out(0), "a\tb\b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \bx\r\n");
    assert_string_equal(do_read(0, 100), "\n");
    assert_string_equal(do_read(0, 100), "x\n");
    type("\026\003\n"); /* literally ^C */
    assert_string_equal(do_read(0, 100), "\003\n");
    type("\177\025\027ok\n"); /* nothing to erase */
    assert_string_equal(do_read(0, 100), "ok\n");
}

static void test_utf8(void **state)
{
    (void)state;
    get_settings()->c_iflag |= IUTF8;
    set_settings();
    type("a\xc3\xa4\177b\n");
    assert_string_equal(do_read(0, 100), "ab\n");
    assert_string_equal(console_out(0), "a\xc3\xa4\b \bb\r\n");
}

static void test_end_of_file(void **state)
{
    (void)state;
    type("abc\004def\n\004");
    assert_string_equal(do_read(0, 100), "abc");
    assert_string_equal(do_read(0, 100), "def\n");
    assert_string_equal(do_read(0, 100), "");
    assert_int_equal(SYS(read, 0, BUFFER, 10), PENDING);
    type("xyz\004");
    assert_string_equal(do_read(0, 3), "xyz"); /* the mark goes with what it ended */
    env.event = 1;
    take_input();
    assert_string_equal(do_read(0, 10), "");
    assert_string_equal(do_read(0, 10), "");
}

static void test_signals(void **state)
{
    (void)state;
    assert_int_equal(type("half\003"), SIGINT);
    assert_int_equal(type("\034"), SIGQUIT);
    assert_int_equal(type("\032"), SIGTSTP);
    assert_int_equal(type("rest\n"), 0);
    assert_string_equal(do_read(0, 100), "rest\n"); /* what was typed before is gone */
    assert_string_equal(console_out(0), "half^C^\\^Zrest\r\n");
    get_settings()->c_lflag |= NOFLSH;
    set_settings();
    assert_int_equal(type("half\003"), SIGINT);
    assert_int_equal(type("\n"), 0);
    assert_string_equal(do_read(0, 100), "half\n");
    env.event = 2;
    env.rows = 50;
    env.columns = 132;
    assert_int_equal(take_input(), SIGWINCH);
    assert_int_equal(SYS(ioctl, 1, TIOCGWINSZ, BUFFER), 0);
    assert_int_equal(((struct winsize *)user_at(BUFFER))->ws_row, 50);
    assert_int_equal(((struct winsize *)user_at(BUFFER))->ws_col, 132);
}

static void test_raw(void **state)
{
    const uint64_t arg[6] = { 0, BUFFER, 100 };

    (void)state;
    set_raw(1, 0);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(type("\003\004\r\177"), 0);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 4);
    assert_memory_equal(user_at(BUFFER), "\003\004\n\177", 4);
    assert_string_equal(console_out(0), "");
    set_raw(3, 0);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    type("ab");
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), PENDING);
    type("c");
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 3);
    set_raw(0, 0);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), 0);
}

static void test_raw_times(void **state)
{
    const uint64_t arg[6] = { 0, BUFFER, 100 };
    uint64_t       second = NS_PER_SECOND;

    (void)state;
    host_clock_set(10 * second);
    set_raw(0, 5); /* half a second for the first byte */
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    host_clock_set(10 * second + second / 2);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_TIMED_OUT, arg), 0);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    type("x");
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 1);
    set_raw(5, 5); /* after the first byte, half a second for each other one */
    host_clock_set(20 * second);
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    type("ab");
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), PENDING);
    host_clock_set(20 * second + second / 2);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_TIMED_OUT, arg), 2);
}

static void test_change_of_mode(void **state)
{
    (void)state;
    type("half");
    set_raw(1, 0);
    assert_string_equal(do_read(0, 2), "ha");
    get_settings()->c_lflag |= ICANON;
    set_settings();
    assert_string_equal(do_read(0, 100), "lf");
    type("gone\n");
    assert_int_equal(SYS(ioctl, 0, TCFLSH, TCIFLUSH), 0);
    assert_int_equal(SYS(read, 0, BUFFER, 10), PENDING);
    assert_int_equal(SYS(ioctl, 0, TCFLSH, 77), -EINVAL);
}

static void test_output(void **state)
{
    (void)state;
    assert_int_equal(do_write(1, "one\ntwo\n"), 8);
    assert_string_equal(console_out(0), "one\r\ntwo\r\n");
    get_settings()->c_oflag &= ~(unsigned)OPOST;
    set_settings();
    assert_int_equal(do_write(1, "raw\n"), 4);
    assert_string_equal(console_out(0), "raw\n");
    get_settings()->c_oflag |= OPOST | XTABS;
    set_settings();
    assert_int_equal(do_write(2, "\ra\tb\n"), 5);
    assert_string_equal(console_out(0), "\ra       b\r\n");
    assert_int_equal(SYS(lseek, 1, 0, SEEK_CUR), -ESPIPE);
}

static void test_slow_output(void **state)
{
    const uint64_t arg[6] = { 1, BUFFER, 3000 };
    int64_t        answer;
    unsigned       rounds = 0;

    (void)state;
    memset(user_at(BUFFER), 'x', 3000);
    env.write_limit = 500;
    answer = sys_on(SLOT, __NR_write, arg);
    while (answer == PENDING) {
        assert_true(rounds++ < 100);
        answer = sys_again(SLOT, __NR_write, CALL_TIMED_OUT, arg);
    }
    assert_int_equal(answer, 3000);
    assert_int_equal(strlen(console_out(0)), 3000);
}

static void test_flow_control(void **state)
{
    const uint64_t arg[6] = { 1, S("text"), 4 };

    (void)state;
    type("\023");
    assert_int_equal(sys_on(SLOT, __NR_write, arg), PENDING);
    assert_string_equal(console_out(0), "");
    type("\021");
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_write, CALL_RETRY, arg), 4);
    assert_string_equal(console_out(0), "text");
}

static void test_long_lines(void **state)
{
    static char line[6001];

    (void)state;
    memset(line, 'l', 6000);
    type(line);
    type("\n");
    assert_int_equal(SYS(read, 0, BUFFER, 10000), TERMINAL_INPUT);
    assert_int_equal(((char *)user_at(BUFFER))[TERMINAL_INPUT - 1], '\n');
    type("next\n");
    assert_string_equal(do_read(0, 100), "next\n");
}

static void test_groups_and_poll(void **state)
{
    struct pollfd pollfd = { 0, POLLIN | POLLOUT, 0 };
    uint64_t      at = user_put(&pollfd, sizeof pollfd);
    int           pgrp = 1;

    (void)state;
    assert_int_equal(SYS(poll, at, 1, 0), 1);
    assert_int_equal(((struct pollfd *)user_at(at))->revents, POLLOUT);
    type("line\n");
    assert_int_equal(SYS(poll, at, 1, 0), 1);
    assert_int_equal(((struct pollfd *)user_at(at))->revents, POLLIN | POLLOUT);
    assert_int_equal(SYS(ioctl, 0, FIONREAD, BUFFER), 0);
    assert_int_equal(*(int *)user_at(BUFFER), 5);
    assert_int_equal(SYS(ioctl, 0, TIOCGPGRP, BUFFER), 0);
    assert_int_equal(*(int *)user_at(BUFFER), SLOT);
    assert_int_equal(SYS(ioctl, 0, TIOCSPGRP, user_put(&pgrp, sizeof pgrp)), 0);
    assert_int_equal(SYS(ioctl, 0, 0x1234, 0), -ENOTTY);
    assert_int_equal(do_open("/dev/tty", O_RDWR), 3);
    assert_int_equal(SYS(ioctl, 3, TCGETS, BUFFER), 0);
    assert_int_equal(do_stat("/dev/tty").st_rdev, 0x500);
}

/* ---- no terminal -------------------------------------------------------------------------- */

static void test_streams(void **state)
{
    const uint64_t arg[6] = { 0, BUFFER, 100 };

    (void)state;
    assert_int_equal(SYS(fstat, 0, BUFFER), 0);
    assert_int_equal(((struct stat *)user_at(BUFFER))->st_mode, S_IFIFO | 0600);
    assert_int_equal(SYS(ioctl, 1, TCGETS, BUFFER), -ENOTTY);
    assert_int_equal(SYS(lseek, 1, 0, SEEK_CUR), -ESPIPE);
    assert_int_equal(do_write(1, "out\n"), 4);
    assert_int_equal(do_write(2, "err\n"), 4);
    assert_string_equal(console_out(0), "out\n");
    assert_string_equal(console_out(1), "err\n");
    assert_int_equal(sys_on(SLOT, __NR_read, arg), PENDING);
    assert_int_equal(type("\003raw\r"), 0);
    assert_int_equal(host_signals(env.sem), 1);
    assert_int_equal(sys_again(SLOT, __NR_read, CALL_RETRY, arg), 5);
    assert_memory_equal(user_at(BUFFER), "\003raw\r", 5);
    console_type("last");
    env.event = 1;
    take_input();
    assert_string_equal(do_read(0, 100), "last");
    assert_string_equal(do_read(0, 100), "");
}

static void test_slow_stream(void **state)
{
    const uint64_t arg[6] = { 1, BUFFER, 10000 };
    int64_t        answer;
    unsigned       rounds = 0;

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        ((char *)user_at(BUFFER))[i] = (char)('a' + i % 26);
    env.write_limit = 700;
    answer = sys_on(SLOT, __NR_write, arg);
    while (answer == PENDING) {
        assert_true(rounds++ < 100);
        answer = sys_again(SLOT, __NR_write, CALL_TIMED_OUT, arg);
    }
    assert_int_equal(answer, 10000);
    assert_memory_equal(env.written[0], user_at(BUFFER), 10000);
    env.write_limit = 0;
    assert_int_equal(SYS(fcntl, 1, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SYS(write, 1, BUFFER, 10), -EAGAIN);
}

/* A file much larger than any buffer on the way, by sendfile, as cat does it. */
static void test_send_file(void **state)
{
    uint64_t fd = (uint64_t)do_open("/f", O_CREAT | O_RDWR);

    (void)state;
    for (unsigned i = 0; i < 60000; i++)
        ((char *)user_at(BUFFER))[i] = (char)('a' + i % 23);
    assert_int_equal(SYS(write, fd, BUFFER, 60000), 60000);
    assert_int_equal(SYS(lseek, fd, 0, SEEK_SET), 0);
    assert_int_equal(SYS(sendfile, 1, fd, 0, 1 << 24), 60000);
    assert_int_equal(env.written_bytes[0], 60000);
    assert_memory_equal(env.written[0], user_at(BUFFER), 60000);
}

static void test_much_input(void **state)
{
    (void)state;
    memset(env.typed, 'i', 60000);
    env.typed_bytes = 60000;
    env.event = 1;
    take_input();
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(SYS(read, 0, BUFFER, 10000) > 0, 1);
    while (SYS(read, 0, BUFFER, 10000) > 0)
        ;
    assert_int_equal(env.typed_taken, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_editing, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_utf8, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_end_of_file, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_signals, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_raw, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_raw_times, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_change_of_mode, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_output, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_slow_output, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_flow_control, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_long_lines, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_groups_and_poll, env_setup_terminal, env_teardown),
        cmocka_unit_test_setup_teardown(test_streams, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_slow_stream, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_send_file, env_setup, env_teardown),
        cmocka_unit_test_setup_teardown(test_much_input, env_setup, env_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
