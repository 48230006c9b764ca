#include "servers/mem/object.h"

#include "servers/mem/frames.h"

#include <lib/native/native.h>
#include <stdlib.h>

static struct object *object_create(enum object_kind kind)
{
    struct object *object = calloc(1, sizeof *object);

    if (!object)
        return NULL;
    object->kind = kind;
    object->refs = 1;
    object->end_index = UINT64_MAX;
    return object;
}

struct object *object_create_file(uint64_t file, uint64_t file_bytes)
{
    struct object *object = object_create(OBJECT_FILE);

    if (!object)
        return NULL;
    object->file = file;
    object->file_bytes = file_bytes;
    return object;
}

struct object *object_create_anon(void) { return object_create(OBJECT_ANON); }

void object_get(struct object *object)
{
    must(object->refs > 0 && object->refs < UINT32_MAX);
    object->refs++;
}

static void drop_frames(struct object *object)
{
    phys_t phys;

    for (uint64_t index = 0; (phys = pagemap_next(&object->frames, &index, UINT64_MAX)); index++) {
        pagemap_clear(&object->frames, index);
        if (object->kind == OBJECT_ANON)
            frame_put(phys);
    }
}

void object_put(struct object *object, struct object **released)
{
    if (!object)
        return;
    must(object->refs > 0);
    if (--object->refs > 0)
        return;
    drop_frames(object);
    if (object->kind == OBJECT_ANON) {
        free(object);
        return;
    }
    object->next = *released;
    *released = object;
}

void object_cancel(struct object *object)
{
    must(object->refs == 1);
    drop_frames(object);
    free(object);
}

phys_t object_frame(struct object *object, uint64_t index)
{
    phys_t phys = pagemap_get(&object->frames, index);

    if (phys || object->kind == OBJECT_FILE)
        return phys;
    phys = frame_new();
    if (phys && pagemap_set(&object->frames, index, phys)) {
        frame_put(phys);
        return 0;
    }
    return phys;
}
