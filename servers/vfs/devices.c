/*
 * Character devices without hardware, and /dev.
 */
#include <servers/vfs/kinds.h>

#include <lib/native/native.h>
#include <linux/major.h>
#include <servers/vfs/random.h>
#include <string.h>

/* All of these can be positioned, and ignore it: null(4). */
static int64_t any_seek(struct file *file, int64_t offset, unsigned whence)
{
    (void)offset;
    if (whence > SEEK_END)
        return -EINVAL;
    file->position = 0;
    return 0;
}

static int read_end(struct file *file, struct io *io, uint64_t *position)
{
    (void)file, (void)io, (void)position;
    return 0;
}

static int read_zeros(struct file *file, struct io *io, uint64_t *position)
{
    (void)file, (void)position;
    io_put_zeros(io, io->left);
    return 0;
}

static int read_random(struct file *file, struct io *io, uint64_t *position)
{
    (void)file, (void)position;
    return random_read(io);
}

/* Takes everything without looking at it, as Linux does. */
static int write_nowhere(struct file *file, struct io *io, uint64_t *position)
{
    (void)file, (void)position;
    io->moved += io->left;
    io->left = 0;
    return 0;
}

static int write_full(struct file *file, struct io *io, uint64_t *position)
{
    (void)file, (void)io, (void)position;
    return -ENOSPC;
}

const struct file_ops null_ops = { .read = read_end, .write = write_nowhere, .seek = any_seek };
const struct file_ops zero_ops = { .read = read_zeros, .write = write_nowhere, .seek = any_seek };
const struct file_ops full_ops = { .read = read_zeros, .write = write_full, .seek = any_seek };
const struct file_ops random_ops = { .read = read_random, .write = write_nowhere,
                                     .seek = any_seek };

struct device {
    const char            *name; /* in /dev */
    uint32_t               major, minor;
    uint32_t               permissions;
    const struct file_ops *ops;
};

/* Numbers: admin-guide/devices.txt of Linux. */
static const struct device devices[] = {
    { "null", MEM_MAJOR, 3, 0666, &null_ops },
    { "zero", MEM_MAJOR, 5, 0666, &zero_ops },
    { "full", MEM_MAJOR, 7, 0666, &full_ops },
    { "random", MEM_MAJOR, 8, 0666, &random_ops },
    { "urandom", MEM_MAJOR, 9, 0666, &random_ops },
    { "tty", TTYAUX_MAJOR, 0, 0666, &terminal_ops },
    { "console", TTYAUX_MAJOR, 1, 0600, &terminal_ops },
};

#define DEVICE_COUNT (sizeof devices / sizeof devices[0])

const struct file_ops *device_find(uint32_t rdev)
{
    for (size_t i = 0; i < DEVICE_COUNT; i++)
        if (rdev == device_make(devices[i].major, devices[i].minor))
            return devices[i].ops;
    return NULL;
}

/* The directory, made if missing. NULL: something else has the name, or memory is out. */
static struct inode *directory_ensure(struct inode *root, const char *name, uint32_t mode)
{
    struct dentry *entry = directory_find(root, name, strlen(name));
    struct inode  *dir;
    int            error;

    if (entry)
        return S_ISDIR(entry->inode->mode) ? entry->inode : NULL;
    dir = inode_create(S_IFDIR | mode, 0, 0);
    if (!dir)
        return NULL;
    error = directory_add(root, name, strlen(name), dir);
    inode_put(dir);
    return error ? NULL : dir;
}

static int device_ensure(struct inode *dir, const struct device *device)
{
    struct inode *inode;
    int           error;

    if (directory_find(dir, device->name, strlen(device->name)))
        return 0;
    inode = inode_create(S_IFCHR | device->permissions, 0, 0);
    if (!inode)
        return -ENOMEM;
    inode->rdev = device_make(device->major, device->minor);
    error = directory_add(dir, device->name, strlen(device->name), inode);
    inode_put(inode);
    return error;
}

int devices_populate(struct inode *root)
{
    struct inode *dev = directory_ensure(root, "dev", 0755);

    for (size_t i = 0; dev && i < DEVICE_COUNT; i++)
        if (device_ensure(dev, &devices[i]))
            return -ENOMEM;
    return directory_ensure(root, "tmp", 01777) ? 0 : -ENOMEM;
}
