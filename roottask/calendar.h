/*
 * Days of the Gregorian calendar.
 */
#pragma once

#include <stdint.h>

/* Seconds from 1970-01-01 00:00:00 to that time; month and day count from 1.
 * Returns 0 for a date that does not exist (month or day out of range). */
static inline int64_t calendar_seconds(unsigned year, unsigned month, unsigned day, unsigned hours,
                                       unsigned minutes, unsigned seconds)
{
    static const uint16_t days_before[12] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
    };
    uint64_t years = year - 1, days;
    unsigned leap;

    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    leap = month > 2 && (year % 4 == 0) && (year % 100 != 0 || year % 400 == 0);
    days = years * 365 + years / 4 - years / 100 + years / 400; /* since 0001-01-01 */
    days += days_before[month - 1] + leap + day - 1;
    days -= 719162; /* 1970-01-01 */
    return (int64_t)((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}
