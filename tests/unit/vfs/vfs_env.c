#include "vfs_env.h"

#include <gen/common_client.h>
#include <gen/console_server.h>
#include <gen/vfs_client.h>
#include <servers/vfs/console.h>
#include <servers/vfs/file.h>
#include <servers/vfs/process.h>

struct vfs_env env;

static struct inode *root;

/* ---- the console driver ------------------------------------------------------------------- */

static struct server console = { .name = "console", .dispatch = console_dispatch };

int64_t console_op_write(struct call *call, uint32_t channel, const void *data, size_t data_bytes)
{
    size_t taken = data_bytes < env.write_limit ? data_bytes : env.write_limit;

    (void)call;
    if (channel > 1)
        return -EINVAL;
    if (env.discard)
        return (int64_t)taken;
    assert_true(env.written_bytes[channel] + taken < sizeof env.written[channel]);
    memcpy(env.written[channel] + env.written_bytes[channel], data, taken);
    env.written_bytes[channel] += taken;
    return (int64_t)taken;
}

int64_t console_op_read(struct call *call, uint32_t channel, uint32_t *event, uint32_t *rows,
                        uint32_t *columns, void *data, size_t *data_bytes)
{
    size_t left = env.typed_bytes - env.typed_taken;
    size_t count = left < *data_bytes ? left : *data_bytes;

    (void)call;
    *event = *rows = *columns = 0;
    *data_bytes = 0;
    if (channel != 0)
        return -EINVAL;
    memcpy(data, env.typed + env.typed_taken, count);
    *data_bytes = count;
    env.typed_taken += count;
    if (env.typed_taken == env.typed_bytes) {
        *event = env.event;
        *rows = env.rows;
        *columns = env.columns;
        env.event = 0;
    }
    return (int64_t)count;
}

int64_t console_op_input_semaphore(struct call *call, cap_sel_t *sem)
{
    (void)call;
    *sem = SEL_NONE;
    return -ENODEV;
}

void console_type(const char *text)
{
    memcpy(env.typed + env.typed_bytes, text, strlen(text));
    env.typed_bytes += strlen(text);
}

const char *console_out(unsigned channel)
{
    env.written[channel][env.written_bytes[channel]] = 0;
    env.written_bytes[channel] = 0;
    return env.written[channel];
}

/* ---- start and end ------------------------------------------------------------------------ */

void env_start_with(unsigned stdio, const void *archive, size_t bytes)
{
    struct server_ref driver;

    host_reset();
    memset(&env, 0, sizeof env);
    env.write_limit = SIZE_MAX;
    host_clock_set(1000 * 1000);
    vfs_init(archive, bytes, 1700000000ll * NS_PER_SECOND);
    driver = host_server(&console, 0);
    vfs_use_console(&driver, SEL_NONE);
    env.ops = host_server(&vfs_server, 0);
    env.space = host_space_create();
    host_region_add(env.space, USER_BASE, USER_BYTES, MEM_R | MEM_W, false);
    host_region_add(env.space, READ_ONLY, PAGE_BYTES, MEM_R, true);
    assert_int_equal(vfs_process_create(&env.ops, SLOT, 0, stdio, env.space), 0);
    root = process_find(SLOT)->root;
    env.sem = host_slot(&vfs_server, SLOT, SLOT, SLOT);
    env.other_sem = host_slot(&vfs_server, OTHER, OTHER, SLOT);
}

void env_start(unsigned stdio) { env_start_with(stdio, NULL, 0); }

/* File systems don't end, but tests want to know that nothing leaked. */
static void tree_remove(struct inode *dir)
{
    while (dir->directory.entries) {
        struct dentry *entry = dir->directory.entries;

        if (S_ISDIR(entry->inode->mode))
            tree_remove(entry->inode);
        directory_remove(entry);
    }
}

void env_end(void)
{
    (void)vfs_process_exit(&env.ops, SLOT);
    assert_int_equal(common_slot_destroy(&env.ops, SLOT), 0);
    assert_int_equal(common_slot_destroy(&env.ops, OTHER), 0);
    assert_int_equal(file_count(), 0);
    tree_remove(root);
    inode_put(root);
    assert_int_equal(inode_count(), 0);
}

int env_setup(void **state)
{
    (void)state;
    env_start(0);
    return 0;
}

int env_setup_terminal(void **state)
{
    (void)state;
    env_start(7);
    return 0;
}

int env_teardown(void **state)
{
    (void)state;
    env_end();
    return 0;
}

/* ---- calls -------------------------------------------------------------------------------- */

static int64_t result_of(struct host_answer answer)
{
    if (answer.answer == ANSWER_PENDING)
        return PENDING;
    assert_int_equal(answer.answer, ANSWER_DONE);
    return answer.result;
}

int64_t sys_on(unsigned slot, unsigned nr, const uint64_t arg[6])
{
    return result_of(host_call_whole(&vfs_server, slot, nr, arg));
}

int64_t sys_again(unsigned slot, unsigned nr, enum call_reason reason, const uint64_t arg[6])
{
    struct host_answer answer = host_call(&vfs_server, slot, nr, reason, arg);

    while (answer.answer == ANSWER_FAULT_IN) {
        bool there = host_fault_in(env.space, answer.word[0], answer.word[1], answer.word[2]);

        answer = host_call(&vfs_server, slot, nr, there ? CALL_RETRY : CALL_FAULTED, arg);
    }
    return result_of(answer);
}

void *user_at(uint64_t address)
{
    void *at = host_memory(env.space, address);

    assert_non_null(at);
    return at;
}

uint64_t user_put(const void *from, size_t bytes)
{
    static uint64_t next;
    uint64_t        address;

    if (next < USER_BASE || next + bytes + 16 > BUFFER)
        next = USER_BASE;
    address = next;
    memcpy(user_at(address), from, bytes);
    next += (bytes + 15) & ~15ull;
    return address;
}

uint64_t user_string(const char *text) { return user_put(text, strlen(text) + 1); }

int64_t do_open(const char *path, unsigned flags)
{
    return SYS(openat, CWD, S(path), flags, 0666);
}

int64_t do_write(int64_t fd, const char *text)
{
    return SYS(write, (uint64_t)fd, S(text), strlen(text));
}

const char *do_read(int64_t fd, size_t bytes)
{
    static char text[4096];
    int64_t     count;

    assert_true(bytes < sizeof text);
    count = SYS(read, (uint64_t)fd, BUFFER, bytes);
    if (count < 0)
        return NULL;
    memcpy(text, user_at(BUFFER), (size_t)count);
    text[count] = 0;
    return text;
}

int64_t do_mkdir(const char *path) { return SYS(mkdir, S(path), 0777); }

int64_t make_file(const char *path, const char *text)
{
    int64_t fd = do_open(path, O_CREAT | O_WRONLY | O_TRUNC);

    if (fd < 0)
        return fd;
    assert_int_equal(do_write(fd, text), strlen(text));
    return SYS(close, (uint64_t)fd);
}

const char *file_text(const char *path)
{
    int64_t     fd = do_open(path, O_RDONLY);
    const char *text;

    if (fd < 0)
        return NULL;
    text = do_read(fd, 4095);
    SYS(close, (uint64_t)fd);
    return text;
}

static struct stat stat_with(const char *path, unsigned flags)
{
    struct stat st = { 0 };

    if (SYS(newfstatat, CWD, S(path), BUFFER, flags) == 0)
        memcpy(&st, user_at(BUFFER), sizeof st);
    return st;
}

struct stat do_stat(const char *path) { return stat_with(path, 0); }

struct stat do_lstat(const char *path) { return stat_with(path, AT_SYMLINK_NOFOLLOW); }
