#include <lib/native/native.h>
#include <string.h>

cap_sel_t portal_find(const char *name)
{
    const struct startup *startup = startup_info();

    for (uint32_t i = 0; i < startup->portal_count && i < STARTUP_MAX_PORTALS; i++)
        if (strncmp(startup->portals[i].name, name, STARTUP_NAME_BYTES) == 0)
            return startup->portals[i].sel;
    return SEL_NONE;
}
