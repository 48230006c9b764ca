/*
 * The boot module: a tar archive, in the window.
 */
#include "root.h"
#include "tar.h"

static struct tar archive;

static _Noreturn void archive_fail(enum tar_status status)
{
    log_line("the boot archive is corrupt at offset %llu (0x%llx) of %llu: %s",
             (unsigned long long)archive.at, (unsigned long long)archive.at,
             (unsigned long long)archive.bytes, tar_status_text(status));
    system_fail();
}

void archive_init(const struct kernel_info *info)
{
    struct tar_entry entry;
    enum tar_status status;

    if (info->module_bytes == 0) {
        log_line("there is no boot module: it is QEMU's -initrd");
        system_fail();
    }
    tar_open(&archive, frame_ptr(info->module_base), info->module_bytes);
    do
        status = tar_next(&archive, &entry);
    while (status == TAR_OK);
    if (status != TAR_END)
        archive_fail(status);
}

const void *archive_file(const char *name, uint64_t *bytes)
{
    struct tar_entry entry;
    struct tar tar = archive;
    enum tar_status status = tar_find(&tar, name, &entry);

    if (status != TAR_OK)
        return NULL;
    *bytes = entry.bytes;
    return archive.base + entry.offset;
}
