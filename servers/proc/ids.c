/*
 * Numbers of processes, threads, groups and sessions. A number stays taken
 * while anything refers to it, also a group whose leader is gone.
 */
#include "proc.h"

#define ID_RESTART 300u /* where the search goes on after the highest number, as in Linux */

static uint16_t id_refs[ID_MAX];
static uint32_t id_last;

static uint32_t id_next(uint32_t id) { return id + 1 < ID_MAX ? id + 1 : ID_RESTART; }

uint32_t id_alloc(void)
{
    uint32_t id = id_last;

    for (uint32_t tries = 0; tries < ID_MAX; tries++) {
        id = id_next(id);
        if (id_refs[id] == 0) {
            id_last = id;
            id_refs[id] = 1;
            return id;
        }
    }
    return 0;
}

void id_ref(uint32_t id)
{
    must(id > 0 && id < ID_MAX && id_refs[id] > 0 && id_refs[id] < UINT16_MAX);
    id_refs[id]++;
}

void id_unref(uint32_t id)
{
    must(id > 0 && id < ID_MAX && id_refs[id] > 0);
    id_refs[id]--;
}
