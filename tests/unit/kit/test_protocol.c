/*
 * Generated stubs and dispatch against each other, over the loop-back; and dispatch
 * against messages that no stub would send.
 */
#include "cmocka_all.h"

#include <errno.h>
#include <gen/sample_server.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <stdio.h>
#include <string.h>

static struct server    sample = { .name = "sample", .dispatch = sample_dispatch };
static struct server_ref to;
static unsigned         calls;
static cap_sel_t        caps_given[2];

/* ---- the server -------------------------------------------------------------------------- */

int64_t sample_op_nothing(struct call *call)
{
    (void)call;
    calls++;
    return 42;
}

int64_t sample_op_scalars(struct call *call, uint8_t a, uint16_t b, uint32_t c, uint64_t d, int8_t e,
                          int16_t f, int32_t g, int64_t h, uint8_t *p, uint16_t *q, uint32_t *r,
                          uint64_t *s, int8_t *t, int16_t *u, int32_t *v, int64_t *w)
{
    (void)call;
    calls++;
    *p = a;
    *q = b;
    *r = c;
    *s = d;
    *t = e;
    *u = f;
    *v = g;
    *w = h;
    return 0;
}

int64_t sample_op_echo(struct call *call, uint32_t tag, const void *data, size_t data_bytes,
                       void *copy, size_t *copy_bytes, uint32_t *tag_again)
{
    (void)call;
    calls++;
    assert_int_equal(*copy_bytes, 100);
    memcpy(copy, data, data_bytes);
    *copy_bytes = data_bytes;
    *tag_again = tag;
    return (int64_t)data_bytes;
}

int64_t sample_op_greet(struct call *call, const char *first, const char *second, uint64_t number,
                        void *text, size_t *text_bytes)
{
    (void)call;
    calls++;
    *text_bytes = (size_t)snprintf(text, *text_bytes, "%s+%s+%d", first, second, (int)number);
    return 0;
}

int64_t sample_op_cap_in(struct call *call, cap_sel_t one, cap_sel_t two)
{
    (void)call;
    calls++;
    caps_given[0] = one;
    caps_given[1] = two;
    return 0;
}

int64_t sample_op_cap_out(struct call *call, uint32_t count, cap_sel_t *one, cap_sel_t *two)
{
    (void)call;
    if (count > 0)
        *one = caps_given[0];
    if (count > 1)
        *two = caps_given[1];
    return 0;
}

int64_t sample_op_refuse(struct call *call, cap_sel_t one, void *left, size_t *left_bytes)
{
    (void)call;
    assert_int_not_equal(one, SEL_NONE);
    memcpy(left, "abc", 3);
    *left_bytes = 3;
    return -EAGAIN;
}

/* ---- what stubs send ------------------------------------------------------------------------ */

static int setup(void **state)
{
    (void)state;
    host_reset();
    to = host_server(&sample, 0);
    calls = 0;
    return 0;
}

static void result_comes_back(void **state)
{
    (void)state;
    assert_int_equal(sample_nothing(&to), 42);
}

static void scalars_keep_their_values(void **state)
{
    uint8_t  p;
    uint16_t q;
    uint32_t r;
    uint64_t s;
    int8_t   t;
    int16_t  u;
    int32_t  v;
    int64_t  w;

    (void)state;
    assert_int_equal(sample_scalars(&to, 255, 65535, UINT32_MAX, UINT64_MAX, -128, -32768, INT32_MIN,
                                    INT64_MIN, &p, &q, &r, &s, &t, &u, &v, &w),
                     0);
    assert_true(p == 255 && q == 65535 && r == UINT32_MAX && s == UINT64_MAX);
    assert_true(t == -128 && u == -32768 && v == INT32_MIN && w == INT64_MIN);
    assert_int_equal(sample_scalars(&to, 1, 2, 3, 4, 5, 6, 7, 8, NULL, NULL, NULL, NULL, NULL, NULL,
                                    NULL, NULL),
                     0);
}

static void bytes_of_each_length_come_back(void **state)
{
    char data[100], copy[100];

    (void)state;
    for (size_t bytes = 0; bytes <= sizeof data; bytes++) {
        size_t   copy_bytes = sizeof copy;
        uint32_t tag = 0;

        memset(data, (int)bytes + 1, sizeof data);
        memset(copy, 0, sizeof copy);
        assert_int_equal(sample_echo(&to, 7, data, bytes, copy, &copy_bytes, &tag), bytes);
        assert_int_equal(copy_bytes, bytes);
        assert_int_equal(tag, 7);
        assert_memory_equal(copy, data, bytes);
        assert_true(bytes == sizeof data || copy[bytes] == 0);
    }
}

static void too_many_bytes_are_not_sent(void **state)
{
    char     data[101] = { 0 }, copy[100];
    size_t   copy_bytes = sizeof copy;
    uint32_t tag = 3;

    (void)state;
    assert_int_equal(sample_echo(&to, 7, data, sizeof data, copy, &copy_bytes, &tag), -EINVAL);
    assert_int_equal(calls, 0);
    assert_int_equal(copy_bytes, 0);
    assert_int_equal(tag, 0);
}

static void answer_that_does_not_fit_is_an_error(void **state)
{
    char     data[20] = "0123456789", copy[8];
    size_t   copy_bytes = sizeof copy;
    uint32_t tag;

    (void)state;
    assert_int_equal(sample_echo(&to, 7, data, 9, copy, &copy_bytes, &tag), -EIO);
    assert_int_equal(copy_bytes, 0);
}

static void strings_arrive_whole(void **state)
{
    char   text[64];
    size_t bytes = sizeof text;

    (void)state;
    assert_int_equal(sample_greet(&to, "", "1234567", 5, text, &bytes), 0);
    assert_int_equal(bytes, strlen("+1234567+5"));
    assert_memory_equal(text, "+1234567+5", bytes);
    assert_int_equal(sample_greet(&to, "12345678", "", 5, text, &bytes), -ENAMETOOLONG);
    assert_int_equal(calls, 1);
}

static void capabilities_arrive_and_are_owned(void **state)
{
    cap_sel_t one = host_space_create(), two = host_space_create(), back[2];
    unsigned  before = host_caps_in_use();

    (void)state;
    assert_int_equal(sample_cap_in(&to, one, two), 0);
    assert_int_equal(host_caps_in_use(), before + 2);
    assert_int_equal(sample_cap_out(&to, 2, &back[0], &back[1]), 0);
    assert_true(back[0] != SEL_NONE && back[1] != SEL_NONE && back[0] != caps_given[0]);
    assert_int_equal(sample_cap_out(&to, 1, NULL, &back[1]), 0);
    assert_int_equal(back[1], SEL_NONE);
    assert_int_equal(host_caps_in_use(), before + 4);
    assert_int_equal(sample_cap_in(&to, one, SEL_NONE), 0);
    assert_int_equal(caps_given[1], SEL_NONE);
    assert_int_equal(sample_cap_in(&to, SEL_NONE, two), -EINVAL);
}

static void refused_capability_is_dropped(void **state)
{
    cap_sel_t one = host_space_create();
    unsigned  before = host_caps_in_use();
    char      left[16];
    size_t    bytes = sizeof left;

    (void)state;
    assert_int_equal(sample_refuse(&to, one, left, &bytes), -EAGAIN);
    assert_int_equal(bytes, 3);
    assert_memory_equal(left, "abc", 3);
    assert_int_equal(host_caps_in_use(), before);
}

/* ---- what no stub would send ------------------------------------------------------------------ */

static int64_t send_raw(unsigned operation, const uint64_t *words, unsigned extra_words,
                        unsigned items)
{
    struct ipc_message message;

    ipc_message_init(&message, (uint16_t)(LABEL_OPERATION | operation));
    for (unsigned i = 0; i < 6 + extra_words; i++)
        *(i < 6 ? &message.word[i] : &message.extra[i - 6]) = words[i];
    message.extra_words = (uint16_t)extra_words;
    message.items = (uint16_t)items;
    for (unsigned i = 0; i < items; i++)
        message.cap[i] = host_space_create();
    assert_int_equal(ipc_call(&to, &message), 0);
    return (int64_t)message.word[0];
}

static void unknown_operation(void **state)
{
    uint64_t words[6] = { 0 };

    (void)state;
    assert_int_equal(send_raw(999, words, 0, 0), -ENOSYS);
    assert_int_equal(send_raw(0x7fff, words, 0, 0), -ENOSYS);
    assert_int_equal(send_raw(15, words, 0, 0), -ENOSYS);
}

static void missing_words(void **state)
{
    uint64_t words[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };

    (void)state;
    assert_int_equal(send_raw(SAMPLE_OP_SCALARS, words, 0, 0), -EINVAL);
    assert_int_equal(send_raw(SAMPLE_OP_SCALARS, words, 1, 0), -EINVAL);
    assert_int_equal(send_raw(SAMPLE_OP_SCALARS, words, 2, 0), 0);
    assert_int_equal(calls, 1);
}

static void value_out_of_range(void **state)
{
    static const uint64_t limit[8] = { 255, 65535, UINT32_MAX, UINT64_MAX, 127, 32767, INT32_MAX,
                                       INT64_MAX };

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t words[8] = { 0 };

        words[i] = limit[i];
        assert_int_equal(send_raw(SAMPLE_OP_SCALARS, words, 2, 0), 0);
        if (i == 3 || i == 7)
            continue;
        words[i] = limit[i] + 1;
        assert_int_equal(send_raw(SAMPLE_OP_SCALARS, words, 2, 0), -EINVAL);
        words[i] = i < 4 ? UINT64_MAX : (uint64_t)-(int64_t)limit[i] - 2;
        assert_int_equal(send_raw(SAMPLE_OP_SCALARS, words, 2, 0), -EINVAL);
    }
}

static void bytes_that_are_not_there(void **state)
{
    static const uint64_t lengths[] = { 9, 17, 101, UINT32_MAX, UINT64_MAX, UINT64_MAX - 6, 1ull << 63 };

    (void)state;
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint64_t words[7] = { 1, lengths[i] };

        assert_int_equal(send_raw(SAMPLE_OP_ECHO, words, 1, 0), -EINVAL);
    }
    assert_int_equal(calls, 0);
}

static void bad_strings(void **state)
{
    /* Lengths of both strings, the number; then the strings, in words of eight. */
    uint64_t empty[8] = { 0, 1, 0, 0, 0, 0, 0, 0 };
    uint64_t unended[8] = { 3, 1, 0, 0, 0, 0, 0x636261, 0 };
    uint64_t ended_early[8] = { 3, 1, 0, 0, 0, 0, 0x000061, 0 };
    uint64_t good[8] = { 3, 1, 0, 0, 0, 0, 0x006261, 0 };

    (void)state;
    assert_int_equal(send_raw(SAMPLE_OP_GREET, empty, 2, 0), -EINVAL);
    assert_int_equal(send_raw(SAMPLE_OP_GREET, unended, 2, 0), -EINVAL);
    assert_int_equal(send_raw(SAMPLE_OP_GREET, ended_early, 2, 0), -EINVAL);
    assert_int_equal(calls, 0);
    assert_int_equal(send_raw(SAMPLE_OP_GREET, good, 2, 0), 0);
}

static void capabilities_that_nobody_wants(void **state)
{
    uint64_t words[6] = { 0 };
    unsigned before = host_caps_in_use();

    (void)state;
    assert_int_equal(send_raw(SAMPLE_OP_NOTHING, words, 0, 8), 42);
    assert_int_equal(send_raw(999, words, 0, 8), -ENOSYS);
    assert_int_equal(host_caps_in_use(), before + 16); /* the senders' own */
}

/* Whatever the message says, dispatch answers and reads only what is there. */
static void random_messages(void **state)
{
    uint64_t seed = 1, words[14];

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned i = 0; i < 14; i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            words[i] = seed >> (seed >> 58);
        }
        (void)send_raw(16 + (unsigned)(seed >> 33) % 4, words, (unsigned)(seed >> 40) % 9, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(result_comes_back, setup),
        cmocka_unit_test_setup(scalars_keep_their_values, setup),
        cmocka_unit_test_setup(bytes_of_each_length_come_back, setup),
        cmocka_unit_test_setup(too_many_bytes_are_not_sent, setup),
        cmocka_unit_test_setup(answer_that_does_not_fit_is_an_error, setup),
        cmocka_unit_test_setup(strings_arrive_whole, setup),
        cmocka_unit_test_setup(capabilities_arrive_and_are_owned, setup),
        cmocka_unit_test_setup(refused_capability_is_dropped, setup),
        cmocka_unit_test_setup(unknown_operation, setup),
        cmocka_unit_test_setup(missing_words, setup),
        cmocka_unit_test_setup(value_out_of_range, setup),
        cmocka_unit_test_setup(bytes_that_are_not_there, setup),
        cmocka_unit_test_setup(bad_strings, setup),
        cmocka_unit_test_setup(capabilities_that_nobody_wants, setup),
        cmocka_unit_test_setup(random_messages, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
