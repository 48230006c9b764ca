/*
 * mmap(2): anonymous memory is mem's alone, files are vfs's and mem's.
 */
#include "router.h"

#include <asm/mman.h>
#include <errno.h>
#include <gen/mem_client.h>
#include <gen/vfs_client.h>
#include <linux/mman.h>

#define PROT_EVERYTHING (PROT_READ | PROT_WRITE | PROT_EXEC)

struct mapped_file {
    uint64_t id, bytes;
    uint32_t max_prot; /* what mprotect may give later */
};

static int64_t file_reference(const struct thread *thread, const uint64_t arg[6], uint32_t prot,
                              struct mapped_file *file)
{
    file->max_prot = PROT_EVERYTHING;
    return vfs_file_map(&server_vfs, thread->process->pid, (int32_t)arg[4], prot, (uint32_t)arg[3],
                        &file->id, &file->bytes);
}

/* A shared mapping may become writable later only if its descriptor is. */
static int64_t file_open_for_map(const struct thread *thread, const uint64_t arg[6],
                                 struct mapped_file *file)
{
    uint32_t prot = (uint32_t)arg[2];
    bool is_shared = (arg[3] & MAP_TYPE) != MAP_PRIVATE;
    int64_t result;

    if (!is_shared || prot & PROT_WRITE)
        return file_reference(thread, arg, prot, file);
    if (file_reference(thread, arg, prot | PROT_WRITE, file) == 0)
        return 0;
    result = file_reference(thread, arg, prot, file);
    file->max_prot &= ~(uint32_t)PROT_WRITE;
    return result;
}

static int64_t map_file(struct thread *thread, const uint64_t arg[6])
{
    struct mapped_file file;
    int64_t result = file_open_for_map(thread, arg, &file);

    if (result < 0)
        return result;
    result = mem_mmap_file(&server_mem, thread->process->space, arg[0], arg[1], (uint32_t)arg[2],
                           file.max_prot, (uint32_t)arg[3], arg[5], file.id, file.bytes);
    if (result < 0 && vfs_file_release(&server_vfs, file.id) < 0)
        log_line("vfs does not know file %llu", (unsigned long long)file.id);
    if (result >= 0)
        space_files_release(thread->process->space);
    return result;
}

int64_t sys_mmap(struct thread *thread, unsigned nr, const uint64_t arg[6])
{
    if (arg[3] & MAP_ANONYMOUS)
        return forward(thread, OWNER_MEM, nr, arg);
    return map_file(thread, arg);
}
