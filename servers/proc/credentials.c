/*
 * User and group ids and their rules: credentials(7), setuid(2), setreuid(2),
 * setresuid(2), setfsuid(2), setgroups(2) and their relatives.
 */
#include "proc.h"

#include <gen/linux_calls_proc.h>
#include <gen/proc_server.h>
#include <linux/capability.h>
#include <string.h>

#define KEEP UINT32_MAX /* -1: leave this id as it is */

static bool id_is_own(const struct id_set *ids, uint32_t id)
{
    return id == ids->real || id == ids->effective || id == ids->saved;
}

bool credentials_has_group(const struct credentials *cred, uint32_t gid)
{
    for (uint32_t i = 0; i < cred->group_count; i++)
        if (cred->groups[i] == gid)
            return true;
    return gid == cred->gid.effective;
}

/* ---- the rules, the same for users and groups ------------------------------------ */

static int64_t ids_set(struct id_set *ids, bool capable, uint32_t id)
{
    if (id == KEEP)
        return -EINVAL;
    if (capable)
        ids->real = ids->saved = id;
    else if (id != ids->real && id != ids->saved)
        return -EPERM;
    ids->effective = ids->fs = id;
    return 0;
}

static int64_t ids_set_real_effective(struct id_set *ids, bool capable, uint32_t real,
                                      uint32_t effective)
{
    struct id_set new = *ids;

    if (real != KEEP) {
        if (!capable && real != ids->real && real != ids->effective)
            return -EPERM;
        new.real = real;
    }
    if (effective != KEEP) {
        if (!capable && !id_is_own(ids, effective))
            return -EPERM;
        new.effective = effective;
    }
    if (real != KEEP || (effective != KEEP && effective != ids->real))
        new.saved = new.effective;
    new.fs = new.effective;
    *ids = new;
    return 0;
}

static int64_t ids_set_all(struct id_set *ids, bool capable, uint32_t real, uint32_t effective,
                           uint32_t saved)
{
    const uint32_t wanted[] = { real, effective, saved };

    for (int i = 0; i < 3; i++)
        if (!capable && wanted[i] != KEEP && !id_is_own(ids, wanted[i]))
            return -EPERM;
    if (real != KEEP)
        ids->real = real;
    if (effective != KEEP)
        ids->effective = effective;
    if (saved != KEEP)
        ids->saved = saved;
    ids->fs = ids->effective;
    return 0;
}

/* ---- putting them into effect ------------------------------------------------------- */

static bool ids_equal(const struct id_set *a, const struct id_set *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The router tells vfs; a change of who one is also ends what others may inspect. */
static void credentials_changed(struct call *call)
{
    struct process *process = process_of(call);

    process->dumpable = false;
    process->death_signal = 0;
    call->answer_word[0] = FOLLOW_CREDENTIALS;
}

static int64_t uid_commit(struct call *call, const struct id_set *new, int64_t result)
{
    struct credentials *cred = &process_of(call)->cred;
    struct id_set old = cred->uid;

    if (result || ids_equal(&old, new))
        return result;
    cred->uid = *new;
    capabilities_after_set_uid(cred, &old);
    credentials_changed(call);
    return 0;
}

static int64_t gid_commit(struct call *call, const struct id_set *new, int64_t result)
{
    struct credentials *cred = &process_of(call)->cred;

    if (result || ids_equal(&cred->gid, new))
        return result;
    cred->gid = *new;
    credentials_changed(call);
    return 0;
}

static bool may_set_uid(struct call *call)
{
    return credentials_capable(&process_of(call)->cred, CAP_SETUID);
}

static bool may_set_gid(struct call *call)
{
    return credentials_capable(&process_of(call)->cred, CAP_SETGID);
}

/* ---- calls ------------------------------------------------------------------------------ */

int64_t sys_getuid(struct call *call) { return process_of(call)->cred.uid.real; }
int64_t sys_geteuid(struct call *call) { return process_of(call)->cred.uid.effective; }
int64_t sys_getgid(struct call *call) { return process_of(call)->cred.gid.real; }
int64_t sys_getegid(struct call *call) { return process_of(call)->cred.gid.effective; }

static int64_t ids_get(struct call *call, const struct id_set *ids)
{
    if (copy_out(call, call->arg[0], &ids->real, sizeof ids->real) ||
        copy_out(call, call->arg[1], &ids->effective, sizeof ids->effective) ||
        copy_out(call, call->arg[2], &ids->saved, sizeof ids->saved))
        return 0;
    return 0;
}

int64_t sys_getresuid(struct call *call) { return ids_get(call, &process_of(call)->cred.uid); }
int64_t sys_getresgid(struct call *call) { return ids_get(call, &process_of(call)->cred.gid); }

int64_t sys_setuid(struct call *call)
{
    struct id_set ids = process_of(call)->cred.uid;
    int64_t result = ids_set(&ids, may_set_uid(call), (uint32_t)call->arg[0]);

    return uid_commit(call, &ids, result);
}

int64_t sys_setgid(struct call *call)
{
    struct id_set ids = process_of(call)->cred.gid;
    int64_t result = ids_set(&ids, may_set_gid(call), (uint32_t)call->arg[0]);

    return gid_commit(call, &ids, result);
}

int64_t sys_setreuid(struct call *call)
{
    struct id_set ids = process_of(call)->cred.uid;
    int64_t result = ids_set_real_effective(&ids, may_set_uid(call), (uint32_t)call->arg[0],
                                            (uint32_t)call->arg[1]);

    return uid_commit(call, &ids, result);
}

int64_t sys_setregid(struct call *call)
{
    struct id_set ids = process_of(call)->cred.gid;
    int64_t result = ids_set_real_effective(&ids, may_set_gid(call), (uint32_t)call->arg[0],
                                            (uint32_t)call->arg[1]);

    return gid_commit(call, &ids, result);
}

int64_t sys_setresuid(struct call *call)
{
    struct id_set ids = process_of(call)->cred.uid;
    int64_t result = ids_set_all(&ids, may_set_uid(call), (uint32_t)call->arg[0],
                                 (uint32_t)call->arg[1], (uint32_t)call->arg[2]);

    return uid_commit(call, &ids, result);
}

int64_t sys_setresgid(struct call *call)
{
    struct id_set ids = process_of(call)->cred.gid;
    int64_t result = ids_set_all(&ids, may_set_gid(call), (uint32_t)call->arg[0],
                                 (uint32_t)call->arg[1], (uint32_t)call->arg[2]);

    return gid_commit(call, &ids, result);
}

/* Returns the previous id, also when nothing was changed. */
int64_t sys_setfsuid(struct call *call)
{
    struct credentials *cred = &process_of(call)->cred;
    uint32_t id = (uint32_t)call->arg[0], old = cred->uid.fs;

    if (id != KEEP && id != old && (id_is_own(&cred->uid, id) || may_set_uid(call))) {
        cred->uid.fs = id;
        capabilities_after_set_fsuid(cred, old);
        credentials_changed(call);
    }
    return old;
}

int64_t sys_setfsgid(struct call *call)
{
    struct credentials *cred = &process_of(call)->cred;
    uint32_t id = (uint32_t)call->arg[0], old = cred->gid.fs;

    if (id != KEEP && id != old && (id_is_own(&cred->gid, id) || may_set_gid(call))) {
        cred->gid.fs = id;
        credentials_changed(call);
    }
    return old;
}

int64_t sys_getgroups(struct call *call)
{
    const struct credentials *cred = &process_of(call)->cred;
    int32_t room = (int32_t)call->arg[0];

    if (room < 0)
        return -EINVAL;
    if (room == 0)
        return cred->group_count;
    if ((uint32_t)room < cred->group_count)
        return -EINVAL;
    if (copy_out(call, call->arg[1], cred->groups, cred->group_count * sizeof *cred->groups))
        return 0;
    return cred->group_count;
}

/* At most GROUPS_MAX (Linux: 65536). */
int64_t sys_setgroups(struct call *call)
{
    struct credentials *cred = &process_of(call)->cred;
    uint32_t groups[GROUPS_MAX], count = (uint32_t)call->arg[0];

    if (!may_set_gid(call))
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL;
    if (copy_in(call, groups, call->arg[1], count * sizeof *groups))
        return 0;
    memcpy(cred->groups, groups, count * sizeof *groups);
    cred->group_count = count;
    call->answer_word[0] = FOLLOW_CREDENTIALS;
    return 0;
}

/* ---- for the router ------------------------------------------------------------------------ */

int64_t proc_op_credentials(struct call *call, uint32_t pid, uint32_t *uid, uint32_t *euid,
                            uint32_t *gid, uint32_t *egid)
{
    const struct process *process = process_find(pid);

    (void)call;
    if (!process)
        return -ESRCH;
    *uid = process->cred.uid.real;
    *euid = process->cred.uid.effective;
    *gid = process->cred.gid.real;
    *egid = process->cred.gid.effective;
    return 0;
}

int64_t proc_op_file_credentials(struct call *call, uint32_t pid, uint32_t *fsuid,
                                 uint32_t *fsgid, void *groups, size_t *groups_bytes)
{
    const struct process *process = process_find(pid);
    size_t bytes;

    (void)call;
    if (!process)
        return -ESRCH;
    bytes = process->cred.group_count * sizeof(uint32_t);
    must(bytes <= *groups_bytes);
    *fsuid = process->cred.uid.fs;
    *fsgid = process->cred.gid.fs;
    memcpy(groups, process->cred.groups, bytes);
    *groups_bytes = bytes;
    return 0;
}
