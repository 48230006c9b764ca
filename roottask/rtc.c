/*
 * The CMOS real-time clock (Motorola MC146818A), which firmware and QEMU keep in UTC.
 */
#include "calendar.h"
#include "root.h"
#include <drivers/ports.h>

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

enum {
    RTC_SECONDS = 0,
    RTC_MINUTES = 2,
    RTC_HOURS = 4,
    RTC_DAY = 7,
    RTC_MONTH = 8,
    RTC_YEAR = 9,
    RTC_STATUS_A = 10,
    RTC_STATUS_B = 11
};
enum { STATUS_A_UPDATING = 1 << 7, STATUS_B_24_HOURS = 1 << 1, STATUS_B_BINARY = 1 << 2 };
enum { HOURS_PM = 1 << 7 };

static uint8_t cmos_read(uint8_t index)
{
    port_write8(CMOS_INDEX, index);
    return port_read8(CMOS_DATA);
}

static unsigned number_read(uint8_t index, uint8_t status)
{
    uint8_t raw = cmos_read(index);

    return status & STATUS_B_BINARY ? raw : (raw >> 4) * 10u + (raw & 15u);
}

/* Hours may be counted 12, 1 ... 11 with a flag for the afternoon. */
static unsigned hours_read(uint8_t status)
{
    uint8_t raw = cmos_read(RTC_HOURS);
    bool afternoon = raw & HOURS_PM;
    unsigned hours = raw & ~HOURS_PM;

    if (!(status & STATUS_B_BINARY))
        hours = (hours >> 4) * 10u + (hours & 15u);
    if (status & STATUS_B_24_HOURS)
        return hours;
    return hours % 12 + (afternoon ? 12 : 0);
}

/* The fields change only while the update flag is set; a missing clock reads 0xff. */
static bool update_wait(void)
{
    for (unsigned tries = 0; tries < 100000; tries++)
        if (!(cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING))
            return true;
    return false;
}

int64_t rtc_seconds(void)
{
    uint8_t status;
    unsigned year, month, day, hours, minutes, seconds;

    do {
        if (!update_wait())
            return 0;
        status = cmos_read(RTC_STATUS_B);
        seconds = number_read(RTC_SECONDS, status);
        minutes = number_read(RTC_MINUTES, status);
        hours = hours_read(status);
        day = number_read(RTC_DAY, status);
        month = number_read(RTC_MONTH, status);
        year = number_read(RTC_YEAR, status);
    } while (number_read(RTC_SECONDS, status) != seconds);
    return calendar_seconds(2000 + year, month, day, hours, minutes, seconds);
}
