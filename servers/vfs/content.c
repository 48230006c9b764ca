#include <servers/vfs/content.h>

#include <lib/native/native.h>
#include <stdlib.h>

struct content {
    UT_hash_handle   hh;
    uint64_t         id;
    struct inode    *inode;
    enum content_use use;
};

static struct content *contents; /* by id */
static uint64_t        last_id;

struct content *content_create(struct inode *inode, enum content_use use)
{
    struct content *content = calloc(1, sizeof *content);

    must(S_ISREG(inode->mode));
    if (!content)
        return NULL;
    content->id = ++last_id;
    content->use = use;
    HASH_ADD(hh, contents, id, sizeof content->id, content);
    if (!content->hh.tbl) {
        free(content);
        return NULL;
    }
    content->inode = inode_get(inode);
    inode->executions += use == CONTENT_EXECUTE;
    pages_pin(&inode->pages);
    return content;
}

void content_release(struct content *content)
{
    struct inode *inode = content->inode;

    HASH_DEL(contents, content);
    inode->executions -= content->use == CONTENT_EXECUTE;
    pages_unpin(&inode->pages);
    inode_put(inode);
    free(content);
}

struct content *content_find(uint64_t id)
{
    struct content *content;

    HASH_FIND(hh, contents, &id, sizeof id, content);
    return content;
}

uint64_t content_id(const struct content *content) { return content->id; }

struct inode *content_inode(const struct content *content) { return content->inode; }

phys_t content_frame(struct content *content, uint64_t index)
{
    return pages_frame(&content->inode->pages, index, content->use == CONTENT_MAP_SHARED);
}
