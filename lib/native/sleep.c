#include <lib/native/runtime.h>

_Noreturn void sleep_for_ever(void)
{
    cap_sel_t sem = semaphore_create(0);

    for (;;)
        if (hc_sm_down(sem, 0) != ST_OK)
            panic("nothing to sleep on");
}
