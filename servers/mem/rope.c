#include "servers/mem/rope.h"

#include "servers/mem/frames.h"
#include "servers/mem/layout.h"

#include <errno.h>
#include <lib/native/native.h>
#include <string.h>

/* The frame that the end of the text is in. 0 when memory is out. */
static phys_t last_frame(struct rope *rope)
{
    uint64_t index = page_number(rope->bytes);
    phys_t phys = pagemap_get(&rope->frames, index);

    if (phys)
        return phys;
    phys = frame_new();
    if (phys && pagemap_set(&rope->frames, index, phys)) {
        frame_put(phys);
        return 0;
    }
    return phys;
}

int rope_append(struct rope *rope, const void *text, size_t bytes)
{
    while (bytes > 0) {
        size_t offset = page_offset(rope->bytes);
        size_t count = bytes < PAGE_BYTES - offset ? bytes : PAGE_BYTES - offset;
        phys_t phys = last_frame(rope);

        if (!phys)
            return -ENOMEM;
        memcpy((char *)frame_ptr(phys) + offset, text, count);
        text = (const char *)text + count;
        bytes -= count;
        rope->bytes += count;
    }
    return 0;
}

const char *rope_at(const struct rope *rope, uint64_t offset, uint64_t max, uint64_t *bytes)
{
    uint64_t left = rope->bytes - offset, in_page = PAGE_BYTES - page_offset(offset);
    phys_t phys = pagemap_get(&rope->frames, page_number(offset));

    must(offset < rope->bytes && phys);
    *bytes = left < in_page ? left : in_page;
    if (*bytes > max)
        *bytes = max;
    return (const char *)frame_ptr(phys) + page_offset(offset);
}

void rope_free(struct rope *rope)
{
    phys_t phys;

    for (uint64_t index = 0; (phys = pagemap_next(&rope->frames, &index, UINT64_MAX)); index++) {
        pagemap_clear(&rope->frames, index);
        frame_put(phys);
    }
    *rope = (struct rope){ 0 };
}
