/*
 * The roottask: the first program, started by the kernel. It owns the frames,
 * starts the programs of the manifest and serves their requests.
 */
#include "root.h"

static void info_check(const struct kernel_info *info)
{
    must(info->magic == INFO_MAGIC);
    must(info->cpu_count > 0 && info->cpu_count <= MAX_CPUS);
    must(info->tsc_hz > 0);
    must(info->module_base + info->module_bytes >= info->module_base);
}

_Noreturn void root_main(const struct kernel_info *info, cap_sel_t first_free)
{
    info_check(info);
    memory_init(info);
    startup_page_make(info, first_free);
    log_init();
    log_line("%u CPUs, %llu MiB free, boot archive of %llu KiB", info->cpu_count,
             (unsigned long long)memory_free_frames() >> (20 - PAGE_SHIFT),
             (unsigned long long)info->module_bytes >> 10);
    archive_init(info);
    crash_init(info);
    service_init(info);
    programs_start(info);
    sleep_for_ever();
}
