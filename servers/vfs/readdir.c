/*
 * Reading directories: getdents64(2), getdents(2).
 */
#include <servers/vfs/kinds.h>

#include "gen/linux_calls_vfs.h"

#include <lib/native/native.h>
#include <string.h>

struct entry64 {
    uint64_t ino;
    int64_t  offset;
    uint16_t bytes;
    uint8_t  type;
    char     name[NAME_BYTES_MAX + 1 + 8];
} __attribute__((packed));

struct entry_old {
    uint64_t ino;
    int64_t  offset;
    uint16_t bytes;
    char     name[NAME_BYTES_MAX + 1 + 8]; /* the type is in the record's last byte */
} __attribute__((packed));

/* Writes one record; returns its length. */
typedef size_t record_fn(void *to, const char *name, size_t name_bytes, const struct inode *inode,
                         uint64_t after);

static size_t round_up(size_t bytes) { return (bytes + 7) & ~(size_t)7; }

static uint8_t type_of(const struct inode *inode) { return inode->mode >> 12 & 15; }

static size_t record64(void *to, const char *name, size_t name_bytes, const struct inode *inode,
                       uint64_t after)
{
    struct entry64 *entry = to;
    size_t          bytes = round_up(offsetof(struct entry64, name) + name_bytes + 1);

    memset(entry, 0, bytes);
    entry->ino = inode->ino;
    entry->offset = (int64_t)after;
    entry->bytes = (uint16_t)bytes;
    entry->type = type_of(inode);
    memcpy(entry->name, name, name_bytes);
    return bytes;
}

static size_t record_old(void *to, const char *name, size_t name_bytes, const struct inode *inode,
                         uint64_t after)
{
    struct entry_old *entry = to;
    size_t            bytes = round_up(offsetof(struct entry_old, name) + name_bytes + 2);

    memset(entry, 0, bytes);
    entry->ino = inode->ino;
    entry->offset = (int64_t)after;
    entry->bytes = (uint16_t)bytes;
    memcpy(entry->name, name, name_bytes);
    ((uint8_t *)to)[bytes - 1] = type_of(inode);
    return bytes;
}

/* As many records as fit into buffer. Steps the cursor past them. -EINVAL: not even one. */
static int64_t records_fill(struct inode *dir, struct directory_cursor *cursor, record_fn *record,
                            uint8_t *buffer, size_t room)
{
    struct entry64 one;
    size_t         total = 0;
    const char    *name;
    size_t         name_bytes;
    struct inode  *inode;
    uint64_t       after;

    _Static_assert(sizeof(struct entry64) >= sizeof(struct entry_old), "room for either");
    while (cursor_look(dir, cursor, &name, &name_bytes, &inode, &after)) {
        size_t bytes = record(&one, name, name_bytes, inode, after);

        if (bytes > room - total)
            return total ? (int64_t)total : -EINVAL;
        memcpy(buffer + total, &one, bytes);
        total += bytes;
        cursor_advance(dir, cursor);
    }
    return (int64_t)total;
}

static int64_t get_entries(struct call *call, record_fn *record)
{
    static uint8_t buffer[8 * PAGE_BYTES]; /* requests are serialised */
    struct file   *file = call_file(call, call->arg[0]);
    uint64_t       room = (unsigned)call->arg[2];
    struct directory_cursor before;
    int64_t        bytes;

    if (!file)
        return -EBADF;
    if (!S_ISDIR(file->inode->mode))
        return -ENOTDIR;
    if (file->inode->directory.removed)
        return -ENOENT;
    before = file->cursor;
    bytes = records_fill(file->inode, &file->cursor, record, buffer,
                         room < sizeof buffer ? room : sizeof buffer);
    if (bytes > 0 && copy_out(call, call->arg[1], buffer, (size_t)bytes)) {
        file->cursor = before;
        return 0;
    }
    inode_accessed(file->inode);
    return bytes;
}

int64_t sys_getdents64(struct call *call) { return get_entries(call, record64); }

int64_t sys_getdents(struct call *call) { return get_entries(call, record_old); }

static int64_t directory_seek(struct file *file, int64_t offset, unsigned whence)
{
    if (whence == SEEK_CUR)
        offset += (int64_t)file->cursor.position;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    if (whence == SEEK_SET || (uint64_t)offset != file->cursor.position)
        cursor_seek(file->inode, &file->cursor, (uint64_t)offset);
    return offset;
}

const struct file_ops directory_ops = { .seek = directory_seek };
