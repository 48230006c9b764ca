/*
 * mem's own operations: proto/mem.def says what they do.
 */
#include "servers/mem/mem.h"

#include "servers/mem/calls.h"
#include "servers/mem/exec.h"
#include "servers/mem/fault.h"
#include "servers/mem/layout.h"
#include "servers/mem/pager.h"
#include "servers/mem/vdso.h"

#include <gen/mem_server.h>

#include <abi/message.h>
#include <asm/mman.h>
#include <errno.h>
#include <lib/native/native.h>
#include <string.h>

/* ---- faults ------------------------------------------------------------------------------- */

static struct fault fault_of(uint64_t address, uint64_t error_code)
{
    return (struct fault){
        .address = address,
        .write = error_code & FAULT_WRITE,
        .exec = error_code & FAULT_FETCH,
    };
}

/* A page fault of a program, straight from the kernel. What needs the router is declined.
 * The mapping goes with the reply if nobody can change the space before the kernel makes it,
 * which would undo the change: that takes another thread. */
bool mem_fault(struct call *call, uint64_t address, uint64_t error_code)
{
    struct space *space = call_space(call);
    struct fault fault = fault_of(address, error_code);

    if (!space || fault_resolve(space, &fault) != FAULT_MAP)
        return false;
    if (space->threads > 1) {
        call->answer_word[2] = 0;
        return pager_map(&space->pager, fault.phys, fault.va, fault.pages, fault.rights) == 0;
    }
    call->answer_word[0] = WINDOW_VA + fault.phys;
    call->answer_word[1] = fault.va;
    call->answer_word[2] = fault.pages;
    call->answer_word[3] = fault.rights;
    return true;
}

/* One page of fault_in. *pages: how many it brought. */
static int fault_in_page(struct space *space, struct fault *fault)
{
    int error;

    switch (fault_resolve(space, fault)) {
    case FAULT_MAP:
        error = pager_map(&space->pager, fault->phys, fault->va, fault->pages, fault->rights);
        if (error != -EFAULT)
            return error;
        fault->signal = 0; /* the frame is not there: nothing that the program did */
        return -ENOMEM;
    case FAULT_NEED:
        return 1;
    case FAULT_NO_MEMORY:
        return -ENOMEM;
    default:
        return -EFAULT;
    }
}

/* The last page that one fault_in looks at. */
static uint64_t last_page(uint64_t address, uint64_t bytes)
{
    uint64_t most = page_down(address) + (FAULT_IN_PAGES - 1) * PAGE_BYTES;
    uint64_t last = bytes ? address + bytes - 1 : address;

    if (last < address || address >= USER_END)
        return page_down(address);
    return page_down(last) < most ? page_down(last) : most;
}

int64_t mem_op_fault_in(struct call *call, uint32_t id, uint64_t address, uint64_t bytes,
                        uint32_t error_code, uint64_t *need_file, uint64_t *need_index,
                        uint64_t *need_pages, uint32_t *signal, uint32_t *code)
{
    struct space *space = space_lookup(id);
    uint64_t first = page_down(address), last = last_page(address, bytes), va = first;
    struct fault fault = { 0 };
    int result = 0;

    (void)call;
    if (!space)
        return -ESRCH;
    while (va <= last && !result) {
        fault = fault_of(va == first ? address : va, error_code);
        result = fault_in_page(space, &fault);
        if (!result)
            va += fault.pages * PAGE_BYTES;
    }
    if (va > first)
        fault_around(space, first);
    if (result == 1) {
        *need_file = fault.object->file;
        *need_index = fault.index;
        *need_pages = fault.pages;
        return 1;
    }
    if (va > first)
        return 0;
    *signal = fault.signal;
    *code = fault.code;
    return result;
}

/* ---- files -------------------------------------------------------------------------------- */

static int supply_page(struct object *object, uint64_t index, phys_t phys)
{
    if (!phys || page_offset(phys) || index > UINT64_MAX >> PAGE_SHIFT)
        return -EINVAL;
    return pagemap_get(&object->frames, index) ? 0 : pagemap_set(&object->frames, index, phys);
}

static int supply(struct object *object, uint64_t index, const void *frames, size_t count)
{
    int error = 0;

    if (count == 0)
        object->end_index = index;
    for (size_t i = 0; i < count && !error; i++) {
        phys_t phys;

        memcpy(&phys, (const char *)frames + i * sizeof phys, sizeof phys);
        error = supply_page(object, index + i, phys);
    }
    return error;
}

int64_t mem_op_file_supply(struct call *call, uint32_t id, uint64_t file, uint64_t index,
                           const void *frames, size_t frames_bytes)
{
    struct object *object = space_lookup(id) ? object_find_file(file) : NULL;

    (void)call;
    if (frames_bytes % sizeof(phys_t))
        return -EINVAL;
    return object ? supply(object, index, frames, frames_bytes / sizeof(phys_t)) : -ESRCH;
}

int64_t mem_op_mmap_file(struct call *call, uint32_t id, uint64_t address, uint64_t bytes,
                         uint32_t prot, uint32_t max_prot, uint32_t flags, uint64_t offset,
                         uint64_t file, uint64_t file_bytes)
{
    struct space *space = space_lookup(id);
    struct map_request request = {
        .address = address, .bytes = bytes, .prot = prot, .max_prot = max_prot & PROT_ALL,
        .flags = flags,     .offset = offset,
    };
    int64_t result;

    (void)call;
    if (!space)
        return -ESRCH;
    if ((flags & MAP_ANONYMOUS) || (prot & PROT_ALL & ~max_prot))
        return -EINVAL;
    if (file == 0) {
        request.flags |= MAP_ANONYMOUS;
        request.offset = 0;
        return map_range(space, &request);
    }
    request.object = object_open_file(file, file_bytes);
    if (!request.object)
        return -ENOMEM;
    result = map_range(space, &request);
    if (result < 0)
        object_cancel(request.object);
    else
        object_put(request.object, &space->released);
    return result;
}

/* ---- execve ------------------------------------------------------------------------------- */

int64_t mem_op_exec_image(struct call *call, uint32_t id, uint64_t file, uint64_t file_bytes,
                          uint32_t flags, const void *head, size_t head_bytes,
                          uint64_t *interpreter_offset, uint64_t *interpreter_bytes)
{
    struct space *space = space_lookup(id);
    struct exec_file image = { file, file_bytes, head, head_bytes };

    (void)call;
    if (!space)
        return -ESRCH;
    return flags ? -EINVAL : exec_image(space, &image, interpreter_offset, interpreter_bytes);
}

int64_t mem_op_exec_interpreter(struct call *call, uint32_t id, uint64_t file, uint64_t file_bytes,
                                const void *head, size_t head_bytes)
{
    struct space *space = space_lookup(id);
    struct exec_file image = { file, file_bytes, head, head_bytes };

    (void)call;
    return space ? exec_interpreter(space, &image) : -ESRCH;
}

int64_t mem_op_exec_string(struct call *call, uint32_t id, uint32_t kind, uint32_t more,
                           const void *text, size_t text_bytes)
{
    struct space *space = space_lookup(id);

    (void)call;
    if (!space)
        return -ESRCH;
    if (kind > EXEC_ENVIRONMENT)
        return -EINVAL;
    return exec_string(space, (enum exec_string_kind)kind, more, text, text_bytes);
}

int64_t mem_op_exec_commit(struct call *call, uint32_t id, uint32_t uid, uint32_t euid,
                           uint32_t gid, uint32_t egid, uint32_t secure, uint64_t utcb,
                           uint64_t stack_limit, const char *path, uint64_t *ip, uint64_t *sp)
{
    struct space *space = space_lookup(id);
    struct exec_identity identity = {
        .uid = uid, .euid = euid, .gid = gid, .egid = egid, .secure = secure,
        .utcb = utcb, .stack_limit = stack_limit, .path = path,
    };

    (void)call;
    return space ? exec_commit(space, &identity, ip, sp) : -ESRCH;
}

/* ---- what the kit asks for ---------------------------------------------------------------- */

int mem_on_bind(struct slot *slot)
{
    struct space *old = slot->data, *new = slot->owner ? space_lookup(slot->owner) : NULL;

    if (slot->owner && !new)
        return -ESRCH;
    if (old)
        old->threads--;
    if (new)
        new->threads++;
    slot->data = new;
    return 0;
}

cap_sel_t mem_space_of(struct slot *slot)
{
    const struct space *space = slot->data;

    return space ? space->pager.pd : SEL_NONE;
}
