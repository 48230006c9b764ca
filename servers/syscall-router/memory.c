/*
 * The memory of programs: pages are made accessible, then copied.
 */
#include "router.h"

#include "kernel.h"

#include <errno.h>
#include <gen/mem_client.h>
#include <gen/vfs_client.h>
#include <signal.h>

#define SUPPLY_MAX_PAGES 64u

/* Brings pages of a file from vfs to mem: none, if the file ends before. Returns
 * 0 or a negative errno. */
static int64_t file_pages_bring(uint32_t space, uint64_t file, uint64_t index, uint64_t pages)
{
    uint8_t frames[SUPPLY_MAX_PAGES * sizeof(phys_t)];
    size_t bytes = sizeof frames;
    uint32_t wanted = pages < SUPPLY_MAX_PAGES ? (uint32_t)pages : SUPPLY_MAX_PAGES;
    int64_t result = vfs_file_pages(&server_vfs, file, index, wanted, frames, &bytes);

    if (result < 0)
        return result;
    return mem_file_supply(&server_mem, space, file, index, frames, bytes);
}

int memory_fault_in(struct thread *thread, uint64_t address, uint64_t bytes, uint32_t error_code,
                    struct fault_verdict *verdict)
{
    uint32_t space = thread->process->space;
    uint64_t file, index, pages;
    int64_t result;

    *verdict = (struct fault_verdict){ SIGSEGV, SEGV_MAPERR };
    if (address >= USER_END)
        return -EFAULT;
    while (!thread_doomed(thread)) {
        result = mem_fault_in(&server_mem, space, address, bytes, error_code, &file, &index,
                              &pages, &verdict->signal, &verdict->code);
        if (result == -EFAULT && !verdict->signal)
            *verdict = (struct fault_verdict){ SIGSEGV, SEGV_MAPERR };
        if (result == -ENOMEM && kernel_pd_feed(thread->process->pd))
            continue;
        if (result <= 0)
            return (int)result;
        result = file_pages_bring(space, file, index, pages);
        if (result == -ENOMEM)
            return -ENOMEM;
        if (result < 0) {
            *verdict = (struct fault_verdict){ SIGBUS, BUS_ADRERR };
            return -EFAULT;
        }
    }
    return -EINTR;
}

static bool is_user_range(uint64_t address, uint64_t bytes)
{
    return address < USER_END && bytes <= USER_END - address;
}

/* As far as it gets, at least one byte further. Returns the bytes copied or -EFAULT. */
static int64_t copy_some(struct thread *thread, unsigned op, void *local, uint64_t remote,
                         size_t bytes)
{
    uint32_t error_code = FAULT_USER | (op == COPY_TO ? FAULT_WRITE : 0);
    struct fault_verdict verdict;
    int64_t done;

    while ((done = kernel_copy(thread->process->pd, op, local, remote, bytes)) == 0)
        if (memory_fault_in(thread, remote, 1, error_code, &verdict))
            return -EFAULT;
    return done < 0 ? -EFAULT : done;
}

static int copy_all(struct thread *thread, unsigned op, void *local, uint64_t remote, size_t bytes)
{
    int64_t done;

    if (!is_user_range(remote, bytes))
        return -EFAULT;
    for (size_t at = 0; at < bytes; at += (size_t)done) {
        done = copy_some(thread, op, (char *)local + at, remote + at, bytes - at);
        if (done < 0)
            return -EFAULT;
    }
    return 0;
}

int memory_read(struct thread *thread, void *to, uint64_t from, size_t bytes)
{
    return copy_all(thread, COPY_FROM, to, from, bytes);
}

int memory_write(struct thread *thread, uint64_t to, const void *from, size_t bytes)
{
    return copy_all(thread, COPY_TO, (void *)(uintptr_t)from, to, bytes);
}

int64_t memory_read_string(struct thread *thread, char *to, uint64_t from, size_t bytes,
                           bool *ended)
{
    size_t at = 0;
    int64_t done;

    *ended = false;
    while (at < bytes && !*ended) {
        if (!is_user_range(from + at, 1))
            return -EFAULT;
        if (bytes - at > USER_END - from - at)
            bytes = at + (USER_END - from - at);
        done = copy_some(thread, COPY_STRING, to + at, from + at, bytes - at);
        if (done < 0)
            return -EFAULT;
        at += (size_t)done;
        *ended = to[at - 1] == '\0';
    }
    return (int64_t)(*ended ? at - 1 : at);
}
