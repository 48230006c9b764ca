#include <lib/native/clock.h>
#include <lib/native/native.h>

static uint64_t ns_per_tick(void)
{
    static uint64_t ratio; /* the same whoever computes it */

    if (!ratio)
        ratio = clock_ns_per_tick(kernel_info()->tsc_hz);
    return ratio;
}

uint64_t clock_ns(void)
{
    return clock_ticks_to_ns(clock_tsc() - kernel_info()->boot_tsc, ns_per_tick());
}

uint64_t clock_ns_to_tsc(uint64_t ns)
{
    return kernel_info()->boot_tsc + clock_ns_to_ticks(ns, ns_per_tick());
}
