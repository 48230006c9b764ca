/*
 * How the system ends: by QEMU's debug-exit device, else by switching off.
 */
#include "root.h"
#include <drivers/ports.h>

#define DEBUG_EXIT_PORT  0xf4
#define DEBUG_EXIT_PASS  33 /* QEMU's status is 2 * value + 1 */
#define DEBUG_EXIT_CRASH 37

/* ACPI PM1a control register of QEMU's pc and q35 machines: SLP_EN, type S5. */
#define PM1A_CONTROL_PORT 0x604
#define PM1A_SOFT_OFF     0x2000

/* A second is enough for a machine that can. */
static void switch_off_wait(void)
{
    uint64_t start = __builtin_ia32_rdtsc();

    while (__builtin_ia32_rdtsc() - start < kernel_info()->tsc_hz)
        __builtin_ia32_pause();
}

static _Noreturn void power_off(uint8_t debug_exit_value)
{
    port_write8(DEBUG_EXIT_PORT, debug_exit_value);
    port_write16(PM1A_CONTROL_PORT, PM1A_SOFT_OFF);
    switch_off_wait();
    log_line("this machine does not switch off; halted");
    sleep_for_ever();
}

void system_exit(unsigned status)
{
    log_line("@exit %u", status & 0xff);
    power_off(DEBUG_EXIT_PASS);
}

void system_fail(void)
{
    log_line("the system has failed and stops");
    power_off(DEBUG_EXIT_CRASH);
}
