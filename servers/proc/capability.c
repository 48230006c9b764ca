/*
 * Capabilities in the sense of capabilities(7).
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <linux/capability.h>
#include <string.h>

#define CAPS_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)
#define CAP(name) (1ull << CAP_##name)
/* Those that follow the file-system user id. */
#define CAPS_FS                                                                                   \
    (CAP(CHOWN) | CAP(MKNOD) | CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) |            \
     CAP(FSETID) | CAP(MAC_OVERRIDE) | CAP(LINUX_IMMUTABLE))

bool credentials_capable(const struct credentials *cred, unsigned capability)
{
    return cred->cap_effective >> capability & 1;
}

static bool any_root(const struct id_set *ids)
{
    return ids->real == 0 || ids->effective == 0 || ids->saved == 0;
}

void capabilities_after_set_uid(struct credentials *cred, const struct id_set *old)
{
    if (any_root(old) && !any_root(&cred->uid) && !cred->keep_caps)
        cred->cap_permitted = cred->cap_effective = 0;
    if (old->effective == 0 && cred->uid.effective != 0)
        cred->cap_effective = 0;
    if (old->effective != 0 && cred->uid.effective == 0)
        cred->cap_effective = cred->cap_permitted;
}

void capabilities_after_set_fsuid(struct credentials *cred, uint32_t old)
{
    if (old == 0 && cred->uid.fs != 0)
        cred->cap_effective &= ~CAPS_FS;
    if (old != 0 && cred->uid.fs == 0)
        cred->cap_effective |= cred->cap_permitted & CAPS_FS;
}

/* Files carry no capabilities here, so only root gains any. */
void capabilities_after_exec(struct credentials *cred)
{
    bool root = cred->uid.real == 0 || cred->uid.effective == 0;

    cred->cap_permitted = root ? cred->cap_inheritable | cred->cap_bounding : 0;
    cred->cap_effective = cred->uid.effective == 0 ? cred->cap_permitted : 0;
    cred->keep_caps = false;
}

void credentials_init(struct credentials *cred, uint32_t uid, uint32_t gid)
{
    memset(cred, 0, sizeof *cred);
    cred->uid = (struct id_set){ uid, uid, uid, uid };
    cred->gid = (struct id_set){ gid, gid, gid, gid };
    cred->cap_bounding = CAPS_ALL;
    cred->cap_permitted = cred->cap_effective = uid == 0 ? CAPS_ALL : 0;
}

/* Takes in the header. Returns 0, 1 (the call can't go on), or a negative errno;
 * words: 32-bit words per set of that version. */
static int64_t header_get(struct call *call, struct __user_cap_header_struct *header,
                          unsigned *words)
{
    const uint32_t preferred = _LINUX_CAPABILITY_VERSION_3;

    if (copy_in(call, header, call->arg[0], sizeof *header))
        return 1;
    switch (header->version) {
    case _LINUX_CAPABILITY_VERSION_1: *words = _LINUX_CAPABILITY_U32S_1; return 0;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3: *words = _LINUX_CAPABILITY_U32S_3; return 0;
    default: break;
    }
    if (copy_out(call, call->arg[0], &preferred, sizeof preferred))
        return 1;
    return -EINVAL;
}

/* capget(2) */
int64_t sys_capget(struct call *call)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    const struct process *process;
    unsigned words;
    int64_t result = header_get(call, &header, &words);

    if (result)
        return result > 0 || (result == -EINVAL && !call->arg[1]) ? 0 : result;
    if (header.pid < 0)
        return -EINVAL;
    process = process_named(call, (uint64_t)header.pid);
    if (!process)
        return -ESRCH;
    if (!call->arg[1])
        return 0;
    for (unsigned i = 0; i < words; i++) {
        data[i].effective = (uint32_t)(process->cred.cap_effective >> 32 * i);
        data[i].permitted = (uint32_t)(process->cred.cap_permitted >> 32 * i);
        data[i].inheritable = (uint32_t)(process->cred.cap_inheritable >> 32 * i);
    }
    copy_out(call, call->arg[1], data, words * sizeof *data);
    return 0;
}

/* Returns 0, or -EPERM when a set would gain what the rules do not allow. */
static int64_t capabilities_set(struct credentials *cred, uint64_t effective, uint64_t permitted,
                                uint64_t inheritable)
{
    uint64_t may_inherit = cred->cap_inheritable | cred->cap_bounding;

    if (!credentials_capable(cred, CAP_SETPCAP))
        may_inherit &= cred->cap_inheritable | cred->cap_permitted;
    if (inheritable & ~may_inherit || permitted & ~cred->cap_permitted || effective & ~permitted)
        return -EPERM;
    cred->cap_effective = effective;
    cred->cap_permitted = permitted;
    cred->cap_inheritable = inheritable;
    return 0;
}

/* capset(2) */
int64_t sys_capset(struct call *call)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
    uint64_t effective = 0, permitted = 0, inheritable = 0;
    unsigned words;
    int64_t result = header_get(call, &header, &words);

    if (result)
        return result > 0 ? 0 : result;
    if (header.pid != 0 && (uint32_t)header.pid != process_of(call)->pid)
        return -EPERM;
    if (copy_in(call, data, call->arg[1], words * sizeof *data))
        return 0;
    for (unsigned i = 0; i < words; i++) {
        effective |= (uint64_t)data[i].effective << 32 * i;
        permitted |= (uint64_t)data[i].permitted << 32 * i;
        inheritable |= (uint64_t)data[i].inheritable << 32 * i;
    }
    return capabilities_set(&process_of(call)->cred, effective & CAPS_ALL, permitted & CAPS_ALL,
                            inheritable & CAPS_ALL);
}
