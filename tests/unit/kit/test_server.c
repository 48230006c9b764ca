/*
 * The server core: slots, reasons, waiting, memory of the caller, direct routes.
 */
#include "cmocka_all.h"

#include <errno.h>
#include <gen/common_client.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <string.h>

#define SLOT 3
#define PAGE 0x40000ull
static const uint64_t no_arg[6];

/* ---- a server --------------------------------------------------------------------------------- */

static cap_sel_t         space;
static struct wait_queue queue, other_queue;
static bool              ready;
static unsigned          attempts;
static enum call_reason  last_reason;
static int               bind_result;
static struct slot       seen_by_bind;

static int64_t sys_add(struct call *call) { return (int64_t)(call->arg[0] + call->arg[1]); }

/* Waits on two queues until ready. */
static int64_t sys_wait(struct call *call)
{
    attempts++;
    last_reason = call->reason;
    if (call->reason == CALL_TIMED_OUT)
        return -ETIMEDOUT;
    if (ready)
        return (int64_t)call->slot->aux[0];
    call->slot->aux[0]++;
    (void)call_wait(call, &queue, call->arg[0]);
    return call_wait(call, &other_queue, call->arg[1]);
}

/* "Reads" as many bytes of 'x' as arg 1 says, page by page as they are there. */
static int64_t sys_fill(struct call *call)
{
    uint64_t address = call->arg[0], bytes = call->arg[1];
    char     data[8192];

    memset(data, 'x', sizeof data);
    attempts++;
    while (call->slot->done < bytes) {
        uint64_t done = call->slot->done, piece = bytes - done < sizeof data ? bytes - done : sizeof data;
        size_t   copied = copy_out_some(call, address + done, data, piece);

        call->slot->done += copied;
        if (copied < piece)
            return call_fault_in(call, address + done + copied, piece - copied, true);
    }
    return (int64_t)call->slot->done;
}

static int64_t sys_copy(struct call *call)
{
    uint64_t value;

    attempts++;
    if (copy_in(call, &value, call->arg[0], sizeof value))
        return 0;
    value++;
    if (copy_out(call, call->arg[1], &value, sizeof value))
        return 0;
    return 1;
}

static int64_t sys_length(struct call *call)
{
    char string[64];
    int  error = copy_in_string(call, string, call->arg[0], call->arg[1]);

    if (error)
        return error < 0 ? error : 0;
    return (int64_t)strlen(string);
}

/* Says itself what an interrupted call answers. */
static int64_t sys_self(struct call *call)
{
    if (call->reason == CALL_INTERRUPTED)
        return 1000;
    if (call->reason == CALL_FAULTED)
        return -ENXIO;
    return call_sleep(call, 77);
}

enum { NR_ADD, NR_WAIT, NR_FILL, NR_COPY, NR_LENGTH, NR_NONE, NR_SELF, NR_COUNT };
static const struct linux_call linux_calls[NR_COUNT] = {
    [NR_ADD] = { sys_add, "add", 0 },       [NR_WAIT] = { sys_wait, "wait", 0 },
    [NR_FILL] = { sys_fill, "fill", 0 },    [NR_COPY] = { sys_copy, "copy", 0 },
    [NR_LENGTH] = { sys_length, "length", 0 },
    [NR_SELF] = { sys_self, "self", SERVER_SELF_CANCEL },
};

static int on_bind(struct slot *slot)
{
    seen_by_bind = *slot;
    slot->data = slot->owner ? &attempts : NULL;
    return bind_result;
}

static cap_sel_t space_of(struct slot *slot)
{
    (void)slot;
    return space;
}

static bool fault(struct call *call, uint64_t address, uint64_t error_code)
{
    if (error_code == 4)
        return false;
    for (unsigned i = 0; i < 4; i++)
        call->answer_word[i] = address + i;
    return true;
}

static uint64_t object_count(void) { return 12; }

static struct server server = { .name = "test",
                                .linux_calls = linux_calls,
                                .linux_call_count = NR_COUNT,
                                .on_bind = on_bind,
                                .space_of = space_of,
                                .fault = fault,
                                .object_count = object_count };
static cap_sel_t     sem;

static int setup(void **state)
{
    (void)state;
    host_reset();
    ready = false;
    attempts = 0;
    bind_result = 0;
    space = host_space_create();
    sem = host_slot(&server, SLOT, 30, 31);
    return 0;
}

static int teardown(void **state)
{
    struct server_ref to = host_server(&server, 0);

    (void)state;
    if (server.slots[SLOT])
        assert_int_equal(common_slot_destroy(&to, SLOT), 0);
    assert_null(queue.head);
    assert_null(other_queue.head);
    return 0;
}

static struct host_answer call_nr(unsigned nr, enum call_reason reason, uint64_t a, uint64_t b)
{
    const uint64_t arg[6] = { a, b };

    return host_call(&server, SLOT, nr, reason, arg);
}

/* ---- slots ------------------------------------------------------------------------------------- */

static void slots_are_created_once(void **state)
{
    struct server_ref to = host_server(&server, 0);
    unsigned          before = host_caps_in_use();

    (void)state;
    assert_int_equal(common_slot_create(&to, SLOT, sem), -EEXIST);
    assert_int_equal(common_slot_create(&to, MAX_SLOTS, sem), -EINVAL);
    assert_int_equal(common_slot_create(&to, 4, SEL_NONE), -EINVAL);
    assert_int_equal(host_caps_in_use(), before);
    assert_int_equal(common_slot_destroy(&to, 4), -ENOENT);
    assert_int_equal(common_slot_destroy(&to, UINT32_MAX), -ENOENT);
    assert_int_equal(common_slot_bind(&to, 4, 1, 1), -ENOENT);
    assert_int_equal(common_slot_create(&to, 4, sem), 0);
    assert_int_equal(host_caps_in_use(), before + 1);
    assert_int_equal(common_slot_destroy(&to, 4), 0);
    assert_int_equal(host_caps_in_use(), before);
}

static void binding_tells_the_server(void **state)
{
    struct server_ref to = host_server(&server, 0);
    struct slot      *slot = server.slots[SLOT];

    (void)state;
    assert_true(slot->tid == 30 && slot->owner == 31 && slot->data == &attempts);
    bind_result = -ESRCH;
    assert_int_equal(common_slot_bind(&to, SLOT, 40, 41), -ESRCH);
    assert_true(slot->tid == 30 && slot->owner == 31 && slot->data == &attempts);
    bind_result = 0;
    assert_int_equal(common_slot_bind(&to, SLOT, 0, 0), 0);
    assert_true(seen_by_bind.owner == 0 && seen_by_bind.data == &attempts);
    assert_true(slot->owner == 0 && slot->data == NULL);
    assert_int_equal(call_nr(NR_ADD, CALL_FIRST, 1, 2).result, -ESRCH);
}

static void usage_is_answered(void **state)
{
    struct server_ref to = host_server(&server, 0);
    uint64_t          frames, heap_bytes, objects;

    (void)state;
    assert_int_equal(common_usage(&to, &frames, &heap_bytes, &objects), 0);
    assert_int_equal(objects, 12);
}

/* ---- calls --------------------------------------------------------------------------------------- */

static void call_is_answered(void **state)
{
    struct host_answer answer = call_nr(NR_ADD, CALL_FIRST, 5, 6);

    (void)state;
    assert_int_equal(answer.answer, ANSWER_DONE);
    assert_int_equal(answer.result, 11);
}

static void call_without_handler(void **state)
{
    (void)state;
    assert_int_equal(call_nr(NR_NONE, CALL_FIRST, 0, 0).result, -ENOSYS);
    assert_int_equal(call_nr(NR_COUNT, CALL_FIRST, 0, 0).result, -ENOSYS);
    assert_int_equal(call_nr(0xfff, CALL_FIRST, 0, 0).result, -ENOSYS);
    assert_int_equal(call_nr(NR_ADD, 7, 0, 0).result, -EINVAL);
}

static void call_of_an_unknown_slot(void **state)
{
    (void)state;
    assert_int_equal(host_call(&server, 9, NR_ADD, CALL_FIRST, no_arg).result, -ESRCH);
    assert_int_equal(host_call(&server, UINT64_MAX, NR_ADD, CALL_FIRST, no_arg).result, -ESRCH);
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static void waiting_and_waking(void **state)
{
    struct host_answer answer = call_nr(NR_WAIT, CALL_FIRST, 900, 500);

    (void)state;
    assert_int_equal(answer.answer, ANSWER_PENDING);
    assert_int_equal(answer.word[0], 500); /* the earlier deadline */
    assert_non_null(queue.head);
    assert_non_null(other_queue.head);
    ready = true;
    wake_all(&queue);
    wake_all(&other_queue);
    assert_int_equal(host_signals(server.slots[SLOT]->sem), 1); /* once, not for each queue */
    assert_null(other_queue.head);
    answer = call_nr(NR_WAIT, CALL_RETRY, 900, 500);
    assert_int_equal(answer.answer, ANSWER_DONE);
    assert_int_equal(answer.result, 1); /* aux of the first attempt */
    assert_int_equal(server.slots[SLOT]->aux[0], 0);
}

static void spurious_wake_up_waits_again(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 5; i++) {
        assert_int_equal(call_nr(NR_WAIT, i == 1 ? CALL_FIRST : CALL_RETRY, 0, 0).answer, ANSWER_PENDING);
        assert_int_equal(server.slots[SLOT]->aux[0], i);
        assert_ptr_equal(queue.head->slot, server.slots[SLOT]);
        assert_null(queue.head->queue_next);
    }
    assert_int_equal(call_nr(NR_WAIT, CALL_INTERRUPTED, 0, 0).result, -CALL_RESTARTS);
}

static void deadline_passes(void **state)
{
    struct host_answer answer = call_nr(NR_WAIT, CALL_FIRST, 0, 500);

    (void)state;
    assert_int_equal(answer.word[0], 500);
    assert_int_equal(call_nr(NR_WAIT, CALL_TIMED_OUT, 0, 500).result, -ETIMEDOUT);
    assert_null(queue.head);
    assert_int_equal(call_nr(NR_WAIT, CALL_FIRST, 0, 0).word[0], 0); /* forgotten */
}

static void interrupted_wait_leaves_nothing_behind(void **state)
{
    (void)state;
    call_nr(NR_WAIT, CALL_FIRST, 0, 0);
    assert_int_equal(call_nr(NR_WAIT, CALL_INTERRUPTED, 0, 0).result, -CALL_RESTARTS);
    assert_int_equal(attempts, 1);
    assert_null(queue.head);
    wake_all(&queue);
    assert_int_equal(host_signals(server.slots[SLOT]->sem), 0);
}

static void destroyed_slot_leaves_queues(void **state)
{
    struct server_ref to = host_server(&server, 0);

    (void)state;
    call_nr(NR_WAIT, CALL_FIRST, 0, 0);
    assert_int_equal(common_slot_destroy(&to, SLOT), 0);
    assert_null(queue.head);
}

static void two_slots_wait_on_one_queue(void **state)
{
    struct server_ref to = host_server(&server, 0);

    (void)state;
    host_slot(&server, 5, 50, 51);
    call_nr(NR_WAIT, CALL_FIRST, 0, 0);
    host_call(&server, 5, NR_WAIT, CALL_FIRST, no_arg);
    call_nr(NR_WAIT, CALL_INTERRUPTED, 0, 0); /* the one behind */
    assert_ptr_equal(queue.head->slot, server.slots[5]);
    call_nr(NR_WAIT, CALL_FIRST, 0, 0);
    wake_all(&queue);
    assert_int_equal(host_signals(server.slots[SLOT]->sem), 1);
    assert_int_equal(host_signals(server.slots[5]->sem), 1);
    assert_int_equal(common_slot_destroy(&to, 5), 0);
}

static void self_cancelling_call_decides(void **state)
{
    (void)state;
    assert_int_equal(call_nr(NR_SELF, CALL_FIRST, 0, 0).word[0], 77);
    assert_int_equal(call_nr(NR_SELF, CALL_INTERRUPTED, 0, 0).result, 1000);
    assert_int_equal(call_nr(NR_SELF, CALL_FAULTED, 0, 0).result, -ENXIO);
}

/* ---- memory of the caller ----------------------------------------------------------------------------- */

static void progress_survives_faults(void **state)
{
    struct host_answer answer;

    (void)state;
    host_region_add(space, PAGE, 0x4000, MEM_R | MEM_W, false);
    answer = call_nr(NR_FILL, CALL_FIRST, PAGE + 100, 0x3000);
    assert_int_equal(answer.answer, ANSWER_FAULT_IN);
    assert_int_equal(answer.word[0], PAGE + 100);
    assert_int_equal(answer.word[2], 1);
    assert_true(host_fault_in(space, PAGE, 0x1000, true));
    answer = call_nr(NR_FILL, CALL_RETRY, PAGE + 100, 0x3000);
    assert_int_equal(answer.answer, ANSWER_FAULT_IN);
    assert_int_equal(answer.word[0], PAGE + 0x1000);
    assert_int_equal(call_nr(NR_FILL, CALL_FAULTED, PAGE + 100, 0x3000).result, 0x1000 - 100);
    assert_int_equal(host_call_whole(&server, SLOT, NR_FILL, (uint64_t[6]){ PAGE + 100, 0x3000 }).result,
                     0x3000);
    assert_int_equal(*(char *)host_memory(space, PAGE + 0x30ff - 0x9c), 'x');
}

static void interrupted_with_progress(void **state)
{
    (void)state;
    host_region_add(space, PAGE, 0x1000, MEM_R | MEM_W, true);
    assert_int_equal(call_nr(NR_FILL, CALL_FIRST, PAGE, 0x2000).answer, ANSWER_FAULT_IN);
    assert_int_equal(call_nr(NR_FILL, CALL_INTERRUPTED, PAGE, 0x2000).result, 0x1000);
}

static void copies_in_and_out(void **state)
{
    uint64_t value = 41;

    (void)state;
    host_region_add(space, PAGE, 0x1000, MEM_R | MEM_W, false);
    host_region_add(space, PAGE + 0x2000, 0x1000, MEM_R, true);
    memcpy(host_memory(space, PAGE + 8), &value, sizeof value);
    assert_int_equal(
        host_call_whole(&server, SLOT, NR_COPY, (uint64_t[6]){ PAGE + 8, PAGE + 16 }).result, 1);
    assert_int_equal(*(uint64_t *)host_memory(space, PAGE + 16), 42);
    assert_int_equal(
        host_call_whole(&server, SLOT, NR_COPY, (uint64_t[6]){ PAGE + 8, PAGE + 0x2000 }).result,
        -EFAULT);
}

static void wild_addresses_are_efault(void **state)
{
    static const uint64_t wild[] = { 0,           8,           USER_END - 4,       USER_END,
                                     1ull << 47,  1ull << 63,  UINT64_MAX - 3,     UINT64_MAX };

    (void)state;
    for (unsigned i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        const uint64_t arg[6] = { wild[i], wild[i] };

        assert_int_equal(host_call_whole(&server, SLOT, NR_COPY, arg).result, -EFAULT);
        assert_int_equal(host_call_whole(&server, SLOT, NR_LENGTH, (uint64_t[6]){ wild[i], 64 }).result,
                         -EFAULT);
        assert_int_equal(host_call_whole(&server, SLOT, NR_FILL, (uint64_t[6]){ wild[i], 64 }).result,
                         -EFAULT);
    }
}

static void space_that_is_gone_is_efault(void **state)
{
    (void)state;
    space = SEL_NONE;
    assert_int_equal(host_call_whole(&server, SLOT, NR_COPY, (uint64_t[6]){ PAGE, PAGE }).result,
                     -EFAULT);
}

static int64_t length_of(uint64_t address, uint64_t max)
{
    return host_call_whole(&server, SLOT, NR_LENGTH, (uint64_t[6]){ address, max }).result;
}

static void strings(void **state)
{
    (void)state;
    host_region_add(space, PAGE, 0x2000, MEM_R | MEM_W, false);
    strcpy(host_memory(space, PAGE + 0xffc), "12345678");
    assert_int_equal(length_of(PAGE + 0xffc, 64), 8);
    host_page_out(space, PAGE + 0x1000, 0x1000);
    assert_int_equal(length_of(PAGE + 0xffc, 64), 8);
    assert_int_equal(length_of(PAGE + 0xffc, 9), 8);
    assert_int_equal(length_of(PAGE + 0xffc, 8), -ENAMETOOLONG);
    memset(host_memory(space, PAGE + 0x1ff8), 'a', 8);
    assert_int_equal(length_of(PAGE + 0x1ff8, 64), -EFAULT);
    assert_int_equal(length_of(PAGE + 0x1ff8, 8), -ENAMETOOLONG);
}

/* ---- direct routes and faults ---------------------------------------------------------------------------- */

static unsigned direct(unsigned nr, const uint64_t arg[6], int64_t *result)
{
    struct ipc_message message;
    unsigned           flags;

    ipc_message_init(&message, (uint16_t)nr);
    memcpy(message.word, arg, sizeof message.word);
    flags = server_handle(&server, MSG_FOREIGN, SLOT, &message);
    *result = (int64_t)message.word[0];
    return flags;
}

static void direct_call_answers_or_declines(void **state)
{
    int64_t result;

    (void)state;
    assert_int_equal(direct(NR_ADD, (uint64_t[6]){ 20, 30 }, &result), 0);
    assert_int_equal(result, 50);
    assert_int_equal(direct(0xffff, no_arg, &result), 0);
    assert_int_equal(result, -ENOSYS);
    assert_int_equal(direct(NR_WAIT, no_arg, &result), REPLY_DECLINE);
    assert_int_equal(call_nr(NR_WAIT, CALL_FIRST, 0, 0).answer, ANSWER_PENDING);
    assert_int_equal(last_reason, CALL_RETRY);
    assert_int_equal(call_nr(NR_ADD, CALL_FIRST, 1, 1).result, 2); /* the thread did something else */
    assert_null(queue.head);
}

static void declined_call_keeps_its_progress(void **state)
{
    int64_t result;

    (void)state;
    host_region_add(space, PAGE, 0x1000, MEM_R | MEM_W, true);
    assert_int_equal(direct(NR_FILL, (uint64_t[6]){ PAGE, 0x2000 }, &result), REPLY_DECLINE);
    assert_int_equal(call_nr(NR_FILL, CALL_FIRST, PAGE, 0x2000).answer, ANSWER_FAULT_IN);
    assert_int_equal(call_nr(NR_FILL, CALL_FAULTED, PAGE, 0x2000).result, 0x1000);
}

static void faults_are_mapped_or_declined(void **state)
{
    struct ipc_message message;

    (void)state;
    ipc_message_init(&message, 0);
    message.word[0] = 0x1000;
    message.word[1] = 6;
    assert_int_equal(server_handle(&server, MSG_FAULT, SLOT, &message), REPLY_MAP);
    assert_int_equal(message.word[1], 0x1000);
    assert_int_equal(message.word[4], 0x1003);
    message.word[1] = 4;
    assert_int_equal(server_handle(&server, MSG_FAULT, SLOT, &message), REPLY_DECLINE);
    assert_int_equal(server_handle(&server, MSG_EXCEPTION, SLOT, &message), REPLY_DECLINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slots_are_created_once),
        TEST(binding_tells_the_server),
        TEST(usage_is_answered),
        TEST(call_is_answered),
        TEST(call_without_handler),
        TEST(call_of_an_unknown_slot),
        TEST(waiting_and_waking),
        TEST(spurious_wake_up_waits_again),
        TEST(deadline_passes),
        TEST(interrupted_wait_leaves_nothing_behind),
        TEST(destroyed_slot_leaves_queues),
        TEST(two_slots_wait_on_one_queue),
        TEST(self_cancelling_call_decides),
        TEST(progress_survives_faults),
        TEST(interrupted_with_progress),
        TEST(copies_in_and_out),
        TEST(wild_addresses_are_efault),
        TEST(space_that_is_gone_is_efault),
        TEST(strings),
        TEST(direct_call_answers_or_declines),
        TEST(declined_call_keeps_its_progress),
        TEST(faults_are_mapped_or_declined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
