/*
 * Fakes of vfs and of mem, and the fixtures.
 */
#include "world_fakes.h"
#include "world_proc.h"

#include <gen/common_client.h>
#include <gen/mem_server.h>
#include <gen/proc_client.h>
#include <gen/vfs_server.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FILES 8u
#define SPACES 8u
#define SLOT_OBJECTS 6u /* handler, event portal, semaphore, a portal to each server */

struct server_ref server_root, server_vfs, server_proc, server_mem;
bool (*world_on_wait)(struct thread *thread, uint64_t deadline_ns);

static struct server vfs, mem;
struct thread *the_thread;

/* ---- failures --------------------------------------------------------------------- */

static unsigned fail_countdown;
static bool failed;

void fail_at(unsigned n)
{
    fail_countdown = n;
    failed = false;
}

bool fail_happened(void) { return failed; }

bool fails(void)
{
    if (!fail_countdown || --fail_countdown)
        return false;
    failed = true;
    return true;
}

/* ---- main.c ----------------------------------------------------------------------- */

static int64_t run_status;

void run_finished(uint32_t status) { run_status = status; }
void system_stop(void) {}
void timers_look(void) {}
int64_t finished_status(void) { return run_status; }

/* ---- vfs -------------------------------------------------------------------------- */

struct file {
    char path[64], content[512];
    size_t bytes;
    uint32_t mode;
    unsigned references;
};

static struct file files[FILES];
static unsigned vfs_processes;
static unsigned file_pages_there;
static const struct step *script;
static unsigned script_at, script_count;

void script_set(const struct step *steps, unsigned count)
{
    script = steps;
    script_at = 0;
    script_count = count;
}

bool script_finished(void) { return script_at == script_count; }

static int64_t scripted_call(struct call *call)
{
    const struct step *step;

    assert_true(script_at < script_count);
    step = &script[script_at++];
    assert_int_equal(call->reason, step->expected);
    assert_int_equal(call->arg[5], 66);
    call->answer = step->answer;
    memcpy(call->answer_word, step->word, sizeof step->word);
    return step->result;
}

static const struct linux_call scripted_calls[] = {
    [SCRIPTED_NR] = { scripted_call, "scripted", SERVER_SELF_CANCEL },
};

void file_put(const char *path, const char *content, size_t bytes, uint32_t mode)
{
    struct file *file = files;

    while (file->path[0])
        file++;
    assert_true(file < files + FILES && bytes <= sizeof file->content);
    strcpy(file->path, path);
    memcpy(file->content, content, bytes);
    file->bytes = bytes;
    file->mode = mode;
}

static struct file *file_of(uint64_t id)
{
    assert_true(id >= 1 && id <= FILES && files[id - 1].references);
    return &files[id - 1];
}

int64_t vfs_op_exec_open(struct call *call, uint32_t pid, int32_t dirfd, uint32_t flags,
                         const char *path, uint64_t *file, uint64_t *file_bytes, uint32_t *mode,
                         uint32_t *uid, uint32_t *gid)
{
    (void)call;
    (void)pid;
    (void)dirfd;
    (void)flags;
    if (fails())
        return -ENOMEM;
    for (unsigned i = 0; i < FILES; i++) {
        if (strcmp(files[i].path, path) || !files[i].path[0])
            continue;
        files[i].references++;
        *file = i + 1;
        *file_bytes = files[i].bytes;
        *mode = files[i].mode;
        *uid = *gid = 0;
        return 0;
    }
    return -ENOENT;
}

int64_t vfs_op_file_read(struct call *call, uint64_t file, uint64_t offset, void *data,
                         size_t *data_bytes)
{
    const struct file *found = file_of(file);
    size_t left = offset < found->bytes ? found->bytes - offset : 0;

    (void)call;
    if (fails())
        return -EIO;
    *data_bytes = left < *data_bytes ? left : *data_bytes;
    memcpy(data, found->content + (left ? offset : 0), *data_bytes);
    return 0;
}

int64_t vfs_op_file_release(struct call *call, uint64_t file)
{
    (void)call;
    file_of(file)->references--;
    return 0;
}

int64_t vfs_op_file_pages(struct call *call, uint64_t file, uint64_t index, uint32_t pages,
                          void *frames, size_t *frames_bytes)
{
    unsigned count = pages < file_pages_there ? pages : file_pages_there;

    (void)call;
    (void)file;
    (void)index;
    memset(frames, 0x10, count * 8);
    *frames_bytes = count * 8;
    return fails() ? -EIO : (int64_t)count;
}

int64_t vfs_op_process_create(struct call *call, uint32_t pid, uint32_t parent, uint32_t stdio,
                              cap_sel_t space)
{
    (void)call;
    (void)pid;
    (void)parent;
    (void)stdio;
    (void)space;
    if (fails())
        return -ENOMEM;
    vfs_processes++;
    return 0;
}

int64_t vfs_op_process_exit(struct call *call, uint32_t pid)
{
    (void)call;
    (void)pid;
    vfs_processes--;
    return 0;
}

int64_t vfs_op_process_exec(struct call *call, uint32_t pid, cap_sel_t space)
{
    (void)call;
    (void)pid;
    if (fails())
        return -EIO;
    ipc_cap_drop(space);
    return 0;
}

int64_t vfs_op_process_chdir(struct call *call, uint32_t pid, const char *path)
{
    (void)call;
    (void)pid;
    (void)path;
    return 0;
}

int64_t vfs_op_process_credentials(struct call *call, uint32_t pid, uint32_t fsuid, uint32_t fsgid,
                                   const void *groups, size_t groups_bytes)
{
    (void)call;
    (void)pid;
    (void)fsuid;
    (void)fsgid;
    (void)groups;
    (void)groups_bytes;
    return 0;
}

int64_t vfs_op_file_map(struct call *call, uint32_t pid, int32_t fd, uint32_t prot, uint32_t flags,
                        uint64_t *file, uint64_t *file_bytes)
{
    (void)call;
    (void)pid;
    (void)prot;
    (void)flags;
    if (fd < 0 || fd >= (int32_t)FILES)
        return -EBADF;
    files[fd].references++;
    *file = (uint64_t)fd + 1;
    *file_bytes = files[fd].bytes;
    return 0;
}

int64_t vfs_op_input_semaphore(struct call *call, cap_sel_t *sem)
{
    (void)call;
    *sem = SEL_NONE;
    return -ENOSYS;
}

int64_t vfs_op_input(struct call *call, uint32_t *signal, uint32_t *pgrp)
{
    (void)call;
    *signal = *pgrp = 0;
    return 0;
}

/* ---- mem -------------------------------------------------------------------------- */

struct space {
    uint32_t id;
    cap_sel_t pd;
    uint64_t files[4];
    unsigned file_count;
};

static struct space spaces[SPACES];
static uint64_t interpreter_at, interpreter_length;
static char strings[2][1024];
static bool page_needed;
static unsigned supplied;

void interpreter_set(uint64_t offset, uint64_t bytes)
{
    interpreter_at = offset;
    interpreter_length = bytes;
}

const char *exec_arguments(void) { return strings[0]; }
const char *exec_environment(void) { return strings[1]; }

void file_page_needed(unsigned pages_there)
{
    page_needed = true;
    file_pages_there = pages_there;
    supplied = 0;
}

static struct space *space_of(uint32_t id)
{
    for (unsigned i = 0; i < SPACES; i++)
        if (spaces[i].id == id)
            return &spaces[i];
    fail_msg("no space %u", id);
    return NULL;
}

int64_t mem_op_space_create(struct call *call, uint32_t space, cap_sel_t pd)
{
    struct space *free_space = space_of(0);

    (void)call;
    assert_int_not_equal(space, 0);
    if (fails())
        return -ENOMEM;
    *free_space = (struct space){ .id = space, .pd = pd };
    strings[0][0] = strings[1][0] = '\0';
    return 0;
}

int64_t mem_op_space_clone(struct call *call, uint32_t parent, uint32_t space, cap_sel_t pd)
{
    struct space *free_space = space_of(0);

    (void)call;
    space_of(parent);
    if (fails())
        return -ENOMEM;
    host_region_add(pd, MEMORY, MEMORY_BYTES, MEM_R | MEM_W, false);
    *free_space = (struct space){ .id = space, .pd = pd };
    return 0;
}

int64_t mem_op_space_share(struct call *call, uint32_t space)
{
    (void)call;
    (void)space;
    return -ENOSYS;
}

static size_t files_take(struct space *space, void *released)
{
    size_t bytes = space->file_count * sizeof(uint64_t);

    memcpy(released, space->files, bytes);
    space->file_count = 0;
    return bytes;
}

int64_t mem_op_space_destroy(struct call *call, uint32_t id, void *released,
                             size_t *released_bytes)
{
    struct space *space = space_of(id);

    (void)call;
    *released_bytes = files_take(space, released);
    if (*released_bytes)
        return -EAGAIN; /* as with very many files: the router must ask again */
    ipc_cap_drop(space->pd);
    *space = (struct space){ 0 };
    return 0;
}

int64_t mem_op_space_limits(struct call *call, uint32_t space, uint64_t as, uint64_t data,
                            uint64_t stack)
{
    (void)call;
    (void)as;
    (void)data;
    (void)stack;
    space_of(space);
    return 0;
}

int64_t mem_op_space_stat(struct call *call, uint32_t space, void *figures, size_t *figures_bytes)
{
    (void)call;
    (void)figures;
    space_of(space);
    *figures_bytes = 0;
    return -ENOSYS;
}

int64_t mem_op_maps(struct call *call, uint32_t space, uint64_t from, void *areas,
                    size_t *areas_bytes)
{
    (void)call;
    (void)from;
    (void)areas;
    space_of(space);
    *areas_bytes = 0;
    return -ENOSYS;
}

int64_t mem_op_released(struct call *call, uint32_t id, void *released, size_t *released_bytes)
{
    (void)call;
    *released_bytes = files_take(space_of(id), released);
    return (int64_t)(*released_bytes / sizeof(uint64_t));
}

int64_t mem_op_fault_in(struct call *call, uint32_t id, uint64_t address, uint64_t bytes,
                        uint32_t error_code, uint64_t *need_file, uint64_t *need_index,
                        uint64_t *need_pages, uint32_t *signal, uint32_t *code)
{
    cap_sel_t pd = space_of(id)->pd;

    (void)call;
    *code = SEGV_MAPERR;
    if (fails())
        return -ENOMEM;
    if (page_needed && !supplied) {
        *need_file = 1;
        *need_index = 3;
        *need_pages = 100;
        return 1;
    }
    if (page_needed && supplied == UINT32_MAX) {
        *signal = SIGBUS;
        *code = 2; /* BUS_ADRERR */
        return -EFAULT;
    }
    if (host_fault_in(pd, address, bytes ? bytes : 1, error_code & FAULT_WRITE))
        return 0;
    *signal = SIGSEGV;
    return -EFAULT;
}

int64_t mem_op_file_supply(struct call *call, uint32_t id, uint64_t file, uint64_t index,
                           const void *frames, size_t frames_bytes)
{
    (void)call;
    (void)id;
    (void)frames;
    assert_int_equal(file, 1);
    assert_int_equal(index, 3);
    supplied = frames_bytes ? (unsigned)frames_bytes : UINT32_MAX;
    return 0;
}

static void space_own(struct space *space, uint64_t file)
{
    file_of(file);
    assert_true(space->file_count < 4);
    space->files[space->file_count++] = file;
}

int64_t mem_op_exec_image(struct call *call, uint32_t id, uint64_t file, uint64_t file_bytes,
                          uint32_t flags, const void *head, size_t head_bytes,
                          uint64_t *interpreter_offset, uint64_t *interpreter_bytes)
{
    (void)call;
    (void)file_bytes;
    (void)flags;
    if (fails())
        return -ENOMEM;
    if (head_bytes < 3 || memcmp(head, "ELF", 3))
        return -ENOEXEC;
    space_own(space_of(id), file);
    *interpreter_offset = interpreter_at;
    *interpreter_bytes = interpreter_length;
    return 0;
}

int64_t mem_op_exec_interpreter(struct call *call, uint32_t id, uint64_t file, uint64_t file_bytes,
                                const void *head, size_t head_bytes)
{
    (void)call;
    (void)file_bytes;
    (void)head;
    (void)head_bytes;
    if (fails())
        return -ENOEXEC;
    space_own(space_of(id), file);
    return 0;
}

int64_t mem_op_exec_string(struct call *call, uint32_t id, uint32_t kind, uint32_t more,
                           const void *text, size_t text_bytes)
{
    (void)call;
    space_of(id);
    if (fails())
        return -E2BIG;
    if (strlen(strings[kind]) + text_bytes + 2 > sizeof strings[kind])
        return 0; /* only counted */
    strncat(strings[kind], text, text_bytes);
    if (!more)
        strcat(strings[kind], "\n");
    return 0;
}

int64_t mem_op_exec_commit(struct call *call, uint32_t id, uint32_t uid, uint32_t euid,
                           uint32_t gid, uint32_t egid, uint32_t secure, uint64_t utcb,
                           uint64_t stack_limit, const char *path, uint64_t *ip, uint64_t *sp)
{
    (void)call;
    (void)uid;
    (void)euid;
    (void)gid;
    (void)egid;
    (void)secure;
    (void)utcb;
    (void)path;
    space_of(id);
    assert_int_equal(stack_limit, 8 << 20);
    *ip = 0x401000;
    *sp = 0x7ffffffde000;
    return fails() ? -ENOMEM : 0;
}

int64_t mem_op_mmap_file(struct call *call, uint32_t id, uint64_t address, uint64_t bytes,
                         uint32_t prot, uint32_t max_prot, uint32_t flags, uint64_t offset,
                         uint64_t file, uint64_t file_bytes)
{
    (void)call;
    (void)address;
    (void)bytes;
    (void)prot;
    (void)max_prot;
    (void)flags;
    (void)offset;
    (void)file_bytes;
    if (fails())
        return -ENOMEM;
    space_own(space_of(id), file);
    return 0x700000;
}

int64_t mem_op_realtime_offset(struct call *call, int64_t offset_ns)
{
    (void)call;
    (void)offset_ns;
    return 0;
}

/* ---- the whole -------------------------------------------------------------------- */

static struct holdings at_setup;
static unsigned slots_at_setup;

struct holdings holdings(void)
{
    struct holdings held = { .processes = vfs_processes, .ids = world_proc_ids() };

    kernel_holdings(&held);
    for (unsigned i = 0; i < FILES; i++)
        held.files += files[i].references;
    for (unsigned i = 0; i < SPACES; i++)
        held.spaces += spaces[i].id != 0;
    return held;
}

static void servers_make(void)
{
    vfs = (struct server){ .name = "vfs", .dispatch = vfs_dispatch,
                           .linux_calls = scripted_calls, .linux_call_count = 1 };
    mem = (struct server){ .name = "mem", .dispatch = mem_dispatch };
    server_vfs = host_server(&vfs, 0);
    server_proc = host_server(world_proc(), 0);
    server_mem = host_server(&mem, 0);
}

int world_setup(void **state)
{
    static bool made;

    (void)state;
    if (!made) {
        host_reset();
        servers_make();
    }
    made = true;
    memset(files, 0, sizeof files);
    kernel_setup();
    page_needed = false;
    run_status = -1;
    world_on_wait = NULL;
    the_thread = NULL;
    interpreter_set(0, 0);
    fail_at(0);
    at_setup = holdings();
    slots_at_setup = slots_made();
    return 0;
}

int world_teardown(void **state)
{
    struct holdings now;

    (void)state;
    fail_at(0);
    if (the_thread && the_thread->process) {
        thread_doom(the_thread, 0);
        thread_die(the_thread);
    }
    now = holdings();
    assert_int_equal(now.files, 0);
    assert_int_equal(now.spaces, 0);
    assert_int_equal(now.processes, 0);
    assert_int_equal(now.ids, 0);
    assert_int_equal(now.delegated, 0);
    assert_int_equal(slots_in_use(), 0);
    assert_int_equal(now.objects - at_setup.objects,
                     SLOT_OBJECTS * (slots_made() - slots_at_setup));
    return 0;
}

struct thread *world_thread(void)
{
    struct thread *thread = slot_take(0);
    struct process *process = calloc(1, sizeof *process);
    struct image image;

    assert_non_null(thread);
    assert_non_null(process);
    the_thread = thread;
    process->is_first = true;
    process->pd = SEL_NONE;
    assert_int_equal(proc_process_create(&server_proc, 0, SEL_NONE, &process->pid), 0);
    assert_int_equal(vfs_process_create(&server_vfs, process->pid, 0, 0, SEL_NONE), 0);
    thread->tid = process->pid;
    thread->process = process;
    assert_int_equal(image_create(&image, thread, 0), 0);
    assert_int_equal(thread_run(thread, &image, 0x1000, 0x2000), 0);
    atomic_store(&thread->signalled, false); /* it has looked */
    host_region_add(process->pd, MEMORY, MEMORY_BYTES, MEM_R | MEM_W, false);
    host_region_add(process->pd, READ_ONLY, 0x1000, MEM_R, true);
    return thread;
}

/* ---- messages of threads ----------------------------------------------------------------------------- */

int64_t world_message(struct thread *thread, unsigned kind, unsigned label, const uint64_t word[6])
{
    struct portal_frame frame = { .control = kind | ctl_message(label, 0, 0) };

    if (word)
        memcpy(frame.word, word, sizeof frame.word);
    thread->portal.handle(&thread->portal, &frame);
    return (int64_t)frame.word[0];
}

void world_begin(struct thread *thread) { world_message(thread, MSG_STARTUP, 0, NULL); }
