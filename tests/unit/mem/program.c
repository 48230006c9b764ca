#include "program.h"

#include "inject.h"
#include "pager_model.h"
#include "servers/mem/cpu.h"
#include "servers/mem/frames.h"
#include "servers/mem/mem.h"
#include "servers/mem/pager.h"
#include "servers/mem/space.h"
#include "servers/mem/vdso.h"

#include <abi/message.h>
#include <asm/unistd.h>
#include <errno.h>
#include <gen/common_client.h>
#include <gen/linux_calls_mem.h>
#include <gen/mem_server.h>
#include <lib/host/host.h>
#include <lib/native/native.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIRST_SLOT 3u
#define MAX_FILES 64
#define NEED_MAX  64

struct server mem_server = {
    .name = "mem",
    .linux_calls = linux_calls_mem,
    .linux_call_count = sizeof linux_calls_mem / sizeof linux_calls_mem[0],
    .dispatch = mem_dispatch,
    .fault = mem_fault,
    .on_bind = mem_on_bind,
    .space_of = mem_space_of,
};
struct server_ref mem;
cap_sel_t program_pd;
unsigned program_direct_faults, program_routed_faults;

static struct test_file files[MAX_FILES];
static unsigned file_count;
static bool     space_exists[SPACES]; /* from SPACE_ID on */
static uint32_t current = SPACE_ID;
static uint64_t frames_before;

static uint32_t slot_of(uint32_t space) { return FIRST_SLOT + space - SPACE_ID; }

/* ---- begin and end ------------------------------------------------------------------------ */

int program_setup(void **state)
{
    struct vdso_clock clock = { .tsc_hz = 1000000000, .boot_tsc = 0 };
    cap_sel_t pd;

    (void)state;
    host_reset();
    model_reset();
    frames_before = frames_in_use();
    cpu_init(CPU_FSGSBASE);
    space_set_ram(RAM_PAGES);
    assert_int_equal(frames_init(), 0);
    assert_int_equal(vdso_init(&clock), 0);
    mem = host_server(&mem_server, 0);
    pd = host_space_create();
    assert_int_equal(mem_space_create(&mem, SPACE_ID, pd), 0);
    space_exists[0] = true;
    host_slot(&mem_server, slot_of(SPACE_ID), 100, SPACE_ID);
    program_switch(SPACE_ID);
    program_direct_faults = program_routed_faults = 0;
    return 0;
}

void program_switch(uint32_t space)
{
    program_pd = space_lookup(space)->pager.pd;
    current = space;
}

int64_t program_fork(uint32_t space)
{
    bool paused = inject_pause();
    cap_sel_t pd = host_space_create();
    int64_t result;

    inject_resume(paused);
    assert_in_range(space, SPACE_ID, SPACE_ID + SPACES - 1);
    result = mem_space_clone(&mem, current, space, pd);
    ipc_cap_drop(pd);
    if (result < 0)
        return result;
    space_exists[space - SPACE_ID] = true;
    paused = inject_pause();
    host_slot(&mem_server, slot_of(space), 100 + space, space);
    inject_resume(paused);
    return result;
}

size_t program_exit(uint32_t space)
{
    size_t released;

    program_switch(space);
    assert_int_equal(common_slot_destroy(&mem, slot_of(space)), 0);
    released = program_end();
    current = SPACE_ID;
    if (space_exists[0])
        program_switch(SPACE_ID);
    return released;
}

size_t program_end(void)
{
    uint64_t released[256];
    size_t bytes, count = 0;
    int64_t result;

    do {
        bytes = sizeof released;
        result = mem_space_destroy(&mem, current, released, &bytes);
        count += bytes / sizeof released[0];
    } while (result == -EAGAIN);
    assert_int_equal(result, 0);
    space_exists[current - SPACE_ID] = false;
    return count;
}

int program_teardown(void **state)
{
    (void)state;
    inject_off();
    for (uint32_t space = SPACE_ID + 1; space < SPACE_ID + SPACES; space++)
        if (space_exists[space - SPACE_ID])
            program_exit(space);
    if (space_exists[0]) {
        program_switch(SPACE_ID);
        program_end();
    }
    assert_int_equal(model_mapped_pages(), 0);
    for (unsigned i = 0; i < file_count; i++)
        for (unsigned page = 0; page < files[i].frame_count; page++)
            frames_free(files[i].frames[page], 0);
    memset(files, 0, sizeof files);
    file_count = 0;
    vdso_exit();
    frames_exit();
    (void)!common_slot_destroy(&mem, slot_of(SPACE_ID)); /* program_exit may have done it */
    assert_int_equal(space_count(), 0);
    assert_int_equal(frames_in_use(), frames_before);
    return 0;
}

int64_t program_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                     uint64_t f)
{
    uint64_t arg[6] = { a, b, c, d, e, f };
    struct host_answer answer = host_call_whole(&mem_server, slot_of(current), nr, arg);

    assert_int_equal(answer.answer, ANSWER_DONE);
    return answer.result;
}

/* ---- accesses ----------------------------------------------------------------------------- */

static uint32_t error_code_of(enum access_kind kind)
{
    return FAULT_USER | (kind == ACCESS_WRITE ? FAULT_WRITE : 0) |
           (kind == ACCESS_EXEC ? FAULT_FETCH : 0);
}

/* As the kernel does it. Whether mem had the page at once. */
static bool fault_direct(uint64_t address, enum access_kind kind)
{
    struct ipc_message message;

    ipc_message_init(&message, 0);
    message.word[0] = address;
    message.word[1] = error_code_of(kind);
    if (server_handle(&mem_server, MSG_FAULT, slot_of(current), &message) != REPLY_MAP)
        return false;
    program_direct_faults++;
    /* A page table that can't be made counts as declined. */
    if (message.word[3] && inject_fails())
        return false;
    model_map(program_pd, message.word[1] - WINDOW_VA, message.word[2], message.word[3],
              (unsigned)message.word[4]);
    return true;
}

static struct test_file *file_find(uint64_t id)
{
    for (unsigned i = 0; i < file_count; i++)
        if (files[i].id == id)
            return &files[i];
    fail_msg("no file %llu", (unsigned long long)id);
    return NULL;
}

/* As vfs and the router do it. Whether there was something to supply. */
static int64_t supply(uint64_t id, uint64_t index, uint64_t pages)
{
    struct test_file *file = file_find(id);
    size_t count = index < file->frame_count ? file->frame_count - index : 0;

    assert_in_range(pages, 1, NEED_MAX);
    if (count > pages)
        count = pages;
    file->supplied += count;
    return mem_file_supply(&mem, current, id, index, file->frames + (count ? index : 0),
                           count * sizeof(phys_t));
}

/* As the router does it. */
static int fault_routed(uint64_t address, enum access_kind kind)
{
    uint64_t file, index, pages;
    uint32_t signal = 0, code = 0;
    int64_t result;

    program_routed_faults++;
    for (unsigned tries = 0; tries < 40; tries++) {
        result = mem_fault_in(&mem, current, address, 1, error_code_of(kind), &file, &index,
                              &pages, &signal, &code);
        if (result == -EFAULT)
            return SIGNALLED(signal, code);
        if (result <= 0)
            return (int)result;
        result = supply(file, index, pages);
        if (result < 0)
            return (int)result;
    }
    fail_msg("mem never has enough for a fault at %#llx", (unsigned long long)address);
    return -EIO;
}

static unsigned needed_right(enum access_kind kind)
{
    return kind == ACCESS_WRITE ? MEM_W : kind == ACCESS_EXEC ? MEM_X : MEM_R;
}

int program_access(uint64_t address, enum access_kind kind)
{
    unsigned rights;
    int result;

    for (unsigned tries = 0; tries < 3; tries++) {
        if (model_lookup(program_pd, address, &rights) && rights & needed_right(kind))
            return 0;
        if (fault_direct(address, kind))
            continue;
        result = fault_routed(address, kind);
        if (result)
            return result;
    }
    fail_msg("the fault at %#llx never ends", (unsigned long long)address);
    return -EIO;
}

static int transfer(uint64_t address, char *data, size_t bytes, bool write)
{
    while (bytes > 0) {
        size_t offset = address % PAGE_BYTES;
        size_t count = bytes < PAGE_BYTES - offset ? bytes : PAGE_BYTES - offset;
        int result = program_access(address, write ? ACCESS_WRITE : ACCESS_READ);
        unsigned rights;
        char *memory;

        if (result)
            return result;
        memory = (char *)frame_ptr(model_lookup(program_pd, address, &rights)) + offset;
        memcpy(write ? memory : data, write ? data : memory, count);
        address += count;
        data += count;
        bytes -= count;
    }
    return 0;
}

int program_read(uint64_t address, void *to, size_t bytes)
{
    return transfer(address, to, bytes, false);
}

int program_write(uint64_t address, const void *from, size_t bytes)
{
    return transfer(address, (char *)(uintptr_t)from, bytes, true);
}

int program_put(uint64_t address, uint64_t value)
{
    return program_write(address, &value, sizeof value);
}

uint64_t program_get(uint64_t address)
{
    uint64_t value = 0;

    assert_int_equal(program_read(address, &value, sizeof value), 0);
    return value;
}

/* ---- files -------------------------------------------------------------------------------- */

uint8_t file_byte(size_t offset) { return (uint8_t)(offset * 7 + offset / 256); }

struct test_file *file_create(const void *data, size_t bytes)
{
    struct test_file *file = &files[file_count];
    size_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;

    assert_in_range(file_count, 0, MAX_FILES - 1);
    assert_in_range(pages, 0, sizeof file->frames / sizeof file->frames[0]);
    file->id = 1000 + file_count++;
    file->bytes = bytes;
    file->frame_count = pages;
    for (size_t page = 0; page < pages; page++) {
        file->frames[page] = frames_alloc(0);
        assert_int_not_equal(file->frames[page], 0);
    }
    for (size_t at = 0; at < bytes; at++)
        ((uint8_t *)frame_ptr(file->frames[at / PAGE_BYTES]))[at % PAGE_BYTES] =
            data ? ((const uint8_t *)data)[at] : file_byte(at);
    return file;
}

int64_t file_mmap(const struct test_file *file, uint64_t address, uint64_t bytes, uint32_t prot,
                  uint32_t max_prot, uint32_t flags, uint64_t offset)
{
    return mem_mmap_file(&mem, current, address, bytes, prot, max_prot, flags, offset, file->id,
                         file->bytes);
}

size_t files_released(void)
{
    uint64_t released[256];
    size_t bytes = sizeof released;
    int64_t result = mem_released(&mem, current, released, &bytes);

    assert_int_equal(result, bytes / sizeof released[0]);
    return (size_t)result;
}
