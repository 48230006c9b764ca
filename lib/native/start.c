/*
 * The first C code of a native program.
 */
#include <lib/native/clock.h>
#include <lib/native/runtime.h>

_Noreturn void native_start(struct tcb *tcb);

/* In frames.c and heap.c: their locks. */
void runtime_frames_init(void);
void runtime_heap_init(void);


/* Not secret from other servers, but no value that a string would contain. */
static uint64_t canary_make(void)
{
    return (clock_tsc() * 0x9e3779b97f4a7c15ull) & ~0xffull;
}

_Noreturn void native_start(struct tcb *tcb)
{
    const struct startup *startup = startup_info();

    tcb_set_canary(canary_make());
    tcb_init(tcb, (void *)(MAIN_STACK_TOP - MAIN_STACK_BYTES), (struct utcb *)UTCB_AREA_VA);
    must(startup->magic == STARTUP_MAGIC);
    own_pd = startup->sel_pd;
    cap_init(startup->sel_free);
    receive_window_renew(tcb->utcb);
    runtime_frames_init();
    runtime_heap_init();
    native_main(startup);
    sleep_for_ever();
}
