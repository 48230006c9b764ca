/*
 * The Linux constants and structures that the file server needs, and device numbers.
 *
 * struct stat comes from the C library's <sys/stat.h>, because <linux/stat.h> hides the mode
 * bits from some of them; on x86-64 all three layouts are the same.
 */
#pragma once

#include <sys/stat.h>

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/uio.h>
#include <stdint.h>

_Static_assert(sizeof(struct stat) == 144, "the layout of the Linux ABI on x86-64");

/* A device number as stat(2) and mknod(2) carry it. */
static inline uint32_t device_make(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffu) << 12;
}
static inline uint32_t device_major(uint32_t device) { return device >> 8 & 0xfff; }
static inline uint32_t device_minor(uint32_t device)
{
    return (device & 0xff) | (device >> 12 & 0xfff00);
}

#define MODE_PERMISSIONS 07777u /* all that chmod(2) can change */
#define NAME_BYTES_MAX   255u   /* of one path component, without the end */
#define FILE_BYTES_MAX   INT64_MAX
#define NS_PER_SECOND    1000000000ll
