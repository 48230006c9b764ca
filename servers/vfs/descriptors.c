#include <servers/vfs/descriptors.h>

#include <lib/native/native.h>
#include <servers/vfs/file.h>
#include <servers/vfs/linux.h>
#include <servers/vfs/locks.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16u

struct file *descriptors_find(const struct descriptors *all, int fd)
{
    return fd >= 0 && (unsigned)fd < all->room ? all->table[fd].file : NULL;
}

static bool room_make(struct descriptors *all, unsigned fd)
{
    unsigned           room = all->room ? all->room : ROOM_FIRST;
    struct descriptor *table;

    if (fd < all->room)
        return true;
    while (room <= fd)
        room *= 2;
    table = realloc(all->table, room * sizeof *table);
    if (!table)
        return false;
    memset(table + all->room, 0, (room - all->room) * sizeof *table);
    all->table = table;
    all->room = room;
    return true;
}

/* The lowest free number >= first, or DESCRIPTORS_MAX. */
static unsigned lowest_free(const struct descriptors *all, unsigned first)
{
    uint64_t below = (1ull << first % 64) - 1;

    for (unsigned word = first / 64; word < DESCRIPTORS_MAX / 64; word++) {
        uint64_t free_bits = ~(all->used[word] | below);

        if (free_bits)
            return word * 64 + (unsigned)__builtin_ctzll(free_bits);
        below = 0;
    }
    return DESCRIPTORS_MAX;
}

int descriptors_reserve(struct descriptors *all, unsigned first)
{
    unsigned fd;

    if (first >= DESCRIPTORS_MAX)
        return -EINVAL;
    fd = lowest_free(all, first);
    if (fd == DESCRIPTORS_MAX)
        return -EMFILE;
    return room_make(all, fd) ? (int)fd : -ENOMEM;
}

int descriptors_reserve_exactly(struct descriptors *all, unsigned fd)
{
    if (fd >= DESCRIPTORS_MAX)
        return -EBADF;
    return room_make(all, fd) ? (int)fd : -ENOMEM;
}

void descriptors_set(struct descriptors *all, int fd, struct file *file, bool close_on_exec)
{
    must(fd >= 0 && (unsigned)fd < all->room && !all->table[fd].file);
    all->table[fd] = (struct descriptor){ .file = file, .close_on_exec = close_on_exec };
    all->used[fd / 64] |= 1ull << fd % 64;
}

int descriptors_close(struct descriptors *all, int fd, const struct process *process)
{
    struct file *file = descriptors_find(all, fd);

    if (!file)
        return -EBADF;
    all->table[fd] = (struct descriptor){ .file = NULL };
    all->used[fd / 64] &= ~(1ull << fd % 64);
    locks_drop_owner(file->inode, &file->inode->range_locks, process);
    file_put(file);
    return 0;
}

int descriptors_copy(struct descriptors *to, const struct descriptors *from)
{
    if (from->room && !room_make(to, from->room - 1))
        return -ENOMEM;
    for (unsigned fd = 0; fd < from->room; fd++)
        if (from->table[fd].file)
            descriptors_set(to, (int)fd, file_get(from->table[fd].file),
                            from->table[fd].close_on_exec);
    return 0;
}

void descriptors_close_marked(struct descriptors *all, const struct process *process)
{
    for (unsigned fd = 0; fd < all->room; fd++)
        if (all->table[fd].file && all->table[fd].close_on_exec)
            must(descriptors_close(all, (int)fd, process) == 0);
}

void descriptors_close_all(struct descriptors *all, const struct process *process)
{
    for (unsigned fd = 0; fd < all->room; fd++)
        if (all->table[fd].file)
            must(descriptors_close(all, (int)fd, process) == 0);
    free(all->table);
    *all = (struct descriptors){ .room = 0 };
}
