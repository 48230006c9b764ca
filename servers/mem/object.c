#include "servers/mem/object.h"

#include "servers/mem/frames.h"

#include <lib/native/native.h>
#include <stdlib.h>

#define BUCKET_BITS 8

static struct object *buckets[1 << BUCKET_BITS]; /* file objects, linked by next */

static struct object **bucket_of(uint64_t file)
{
    return &buckets[file * 0x9e3779b97f4a7c15ull >> (64 - BUCKET_BITS)];
}

static void bucket_remove(struct object *object)
{
    struct object **link = bucket_of(object->file);

    while (*link != object) {
        must(*link);
        link = &(*link)->next;
    }
    *link = object->next;
}

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

struct object *object_find_file(uint64_t file)
{
    struct object *object = *bucket_of(file);

    while (object && object->file != file)
        object = object->next;
    return object;
}

struct object *object_open_file(uint64_t file, uint64_t file_bytes)
{
    struct object *object = object_find_file(file);

    if (object) {
        object_get(object);
    } else {
        object = object_create(OBJECT_FILE);
        if (!object)
            return NULL;
        object->file = file;
        object->next = *bucket_of(file);
        *bucket_of(file) = object;
    }
    object->file_refs++;
    object->file_bytes = file_bytes;
    return object;
}

struct object *object_create_anon(void) { return object_create(OBJECT_ANON); }

void object_get(struct object *object)
{
    must(object->refs > 0 && object->refs < UINT32_MAX);
    object->refs++;
}

static void forget_frame(uint64_t phys) { (void)phys; }

/* With the last reference. */
static void object_end(struct object *object)
{
    must(object->refs == 0);
    pagemap_drain(&object->frames, 0, UINT64_MAX,
                  object->kind == OBJECT_ANON ? frame_put : forget_frame);
    if (object->kind == OBJECT_FILE)
        bucket_remove(object);
}

void object_put(struct object *object, struct object **released)
{
    if (!object)
        return;
    must(object->refs > 0);
    if (--object->refs > 0)
        return;
    object_end(object);
    if (object->file_refs == 0) {
        free(object);
        return;
    }
    object->next = *released;
    *released = object;
}

void object_cancel(struct object *object)
{
    struct object *none = NULL;

    must(object->file_refs > 0);
    object->file_refs--;
    object_put(object, &none);
    must(!none);
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
