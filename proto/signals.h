/*
 * What signal_take of the process server answers.
 */
#pragma once

enum signal_order {
    SIGNAL_NONE   = 0, /* nothing to do */
    SIGNAL_HANDLE = 1, /* run the handler */
    SIGNAL_END    = 2, /* the process ends by the signal */
    SIGNAL_STOP   = 3, /* wait until there is something to look at, then ask again */
};
