/*
 * The first C code of the roottask. In place of lib/native/start.c: the roottask
 * makes the startup page that the runtime expects itself.
 */
#include "root.h"

_Noreturn void root_start(const struct kernel_info *info, struct utcb *utcb, cap_sel_t first_free,
                          struct tcb *tcb);

void startup_page_make(const struct kernel_info *info, cap_sel_t first_free)
{
    phys_t phys = memory_take(0, OWNER_ROOT);
    struct startup *startup = frame_ptr(phys);

    must(phys);
    *startup = (struct startup){
        .magic = STARTUP_MAGIC,
        .name = "root",
        .sel_pd = ROOT_SEL_PD,
        .sel_ec = ROOT_SEL_EC,
        .sel_sc = ROOT_SEL_SC,
        .sel_event = ROOT_SEL_EVENT,
        .sel_free = first_free,
        .priority = MANIFEST_MAX_PRIORITY + 1,
        .cpu_count = info->cpu_count,
    };
    must(hc_map_phys(ROOT_SEL_PD, phys, STARTUP_VA, 1, MEM_R) == ST_OK);
}

_Noreturn void root_start(const struct kernel_info *info, struct utcb *utcb, cap_sel_t first_free,
                          struct tcb *tcb)
{
    tcb_init(tcb, (void *)(MAIN_STACK_TOP - MAIN_STACK_BYTES), utcb);
    own_pd = ROOT_SEL_PD;
    cap_init(first_free);
    receive_window_renew(utcb);
    root_main(info, first_free);
}
