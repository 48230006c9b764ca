/*
 * References to files whose content somebody else uses: programs and mappings.
 */
#pragma once

#include <servers/vfs/inode.h>

struct content;

enum content_use {
    CONTENT_EXECUTE,       /* nobody may open it for writing */
    CONTENT_MAP,
    CONTENT_MAP_SHARED,    /* the frames must be the file's own, not the archive's */
};

/* Returns the new reference, or NULL: memory is out. */
struct content *content_create(struct inode *inode, enum content_use use);
void content_release(struct content *content);
/* NULL: no such reference. */
struct content *content_find(uint64_t id);

uint64_t content_id(const struct content *content);
struct inode *content_inode(const struct content *content);
/* The frame of a page within the file; 0: memory is out. */
phys_t content_frame(struct content *content, uint64_t index);
