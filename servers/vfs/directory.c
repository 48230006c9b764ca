#include <servers/vfs/directory.h>

#include <lib/native/native.h>
#include <servers/vfs/inode.h>
#include <stdlib.h>
#include <string.h>

static bool is_directory(const struct inode *inode) { return S_ISDIR(inode->mode); }

struct dentry *directory_find(const struct inode *dir, const char *name, size_t bytes)
{
    struct dentry *entry;

    must(is_directory(dir));
    HASH_FIND(hh, dir->directory.entries, name, bytes, entry);
    return entry;
}

bool directory_is_empty(const struct inode *dir) { return dir->directory.entries == NULL; }

/* inode gets a place in the tree under entry. */
static void entry_attach(struct dentry *entry, struct inode *inode)
{
    entry->inode = inode_get(inode);
    inode->nlink++;
    if (!is_directory(inode))
        return;
    inode->nlink += inode->directory.self == NULL && inode->nlink == 1; /* its own "." */
    inode->directory.self = entry;
    inode->directory.removed = false;
    if (inode->directory.parent != entry->parent) {
        struct inode *former = inode->directory.parent;

        inode->directory.parent = inode_get(entry->parent);
        inode_put(former);
    }
    entry->parent->nlink++;
}

/* The inode that entry names loses that place. The caller puts the reference. */
static struct inode *entry_detach(struct dentry *entry)
{
    struct inode *inode = entry->inode;

    must(inode->nlink > 0);
    inode->nlink--;
    if (is_directory(inode)) {
        must(entry->parent->nlink > 0);
        entry->parent->nlink--;
        inode->directory.self = NULL;
    }
    entry->inode = NULL;
    return inode;
}

/* After a detach for good: a directory without a name is dead. */
static void inode_unlinked(struct inode *inode)
{
    if (is_directory(inode)) {
        inode->nlink = 0;
        inode->directory.removed = true;
    }
    inode_changed(inode);
    inode_put(inode);
}

/* An entry without an inode. NULL: memory is out. */
static struct dentry *entry_create(struct inode *dir, const char *name, size_t bytes)
{
    struct dentry *entry = calloc(1, sizeof *entry + bytes + 1);

    must(is_directory(dir) && bytes > 0 && bytes <= NAME_BYTES_MAX);
    if (!entry)
        return NULL;
    memcpy(entry->name, name, bytes);
    entry->name_bytes = (uint8_t)bytes;
    entry->parent = dir;
    HASH_ADD_KEYPTR(hh, dir->directory.entries, entry->name, bytes, entry);
    if (!entry->hh.tbl) {
        free(entry);
        return NULL;
    }
    entry->cookie = dir->directory.next_cookie++;
    return entry;
}

static void entry_free(struct dentry *entry)
{
    struct inode *dir = entry->parent;

    for (struct directory_cursor *c = dir->directory.cursors; c; c = c->next)
        if (c->entry == entry)
            cursor_advance(dir, c);
    HASH_DEL(dir->directory.entries, entry);
    free(entry);
}

int directory_add(struct inode *dir, const char *name, size_t bytes, struct inode *inode)
{
    struct dentry *entry = entry_create(dir, name, bytes);

    if (!entry)
        return -ENOMEM;
    entry_attach(entry, inode);
    inode_modified(dir);
    inode_changed(inode);
    return 0;
}

void directory_remove(struct dentry *entry)
{
    struct inode *dir = entry->parent;
    struct inode *inode = entry_detach(entry);

    entry_free(entry);
    inode_modified(dir);
    inode_unlinked(inode);
}

int directory_move(struct dentry *from, struct inode *dir, const char *name, size_t bytes,
                   struct dentry *target)
{
    struct inode *from_dir = from->parent;
    struct inode *former = target ? entry_detach(target) : NULL;
    struct inode *inode;

    if (!target)
        target = entry_create(dir, name, bytes);
    if (!target)
        return -ENOMEM;
    inode = entry_detach(from);
    entry_free(from);
    entry_attach(target, inode);
    inode_modified(from_dir);
    inode_modified(dir);
    inode_changed(inode);
    inode_put(inode);
    if (former)
        inode_unlinked(former);
    return 0;
}

void directory_exchange(struct dentry *a, struct dentry *b)
{
    struct inode *inode_a = entry_detach(a);
    struct inode *inode_b = entry_detach(b);

    entry_attach(a, inode_b);
    entry_attach(b, inode_a);
    inode_put(inode_a);
    inode_put(inode_b);
    inode_modified(a->parent);
    inode_modified(b->parent);
}

bool directory_is_below(const struct inode *dir, const struct inode *ancestor)
{
    for (; dir; dir = dir->directory.parent)
        if (dir == ancestor)
            return true;
    return false;
}

/* ---- cursors ------------------------------------------------------------------------ */

void cursor_open(struct inode *dir, struct directory_cursor *cursor)
{
    cursor->next = dir->directory.cursors;
    dir->directory.cursors = cursor;
    cursor_seek(dir, cursor, COOKIE_DOT);
}

void cursor_close(struct inode *dir, struct directory_cursor *cursor)
{
    struct directory_cursor **link = &dir->directory.cursors;

    while (*link != cursor)
        link = &(*link)->next;
    *link = cursor->next;
}

/* The entry that the position stands for: a search, but only after a seek to somewhere in the
 * middle. */
static struct dentry *entry_from(const struct inode *dir, uint64_t position)
{
    struct dentry *entry = dir->directory.entries;

    while (entry && entry->cookie < position)
        entry = entry->hh.next;
    return entry;
}

void cursor_seek(struct inode *dir, struct directory_cursor *cursor, uint64_t position)
{
    cursor->limit = dir->directory.next_cookie;
    cursor->position = position;
    cursor->entry = position < COOKIE_FIRST ? NULL : entry_from(dir, position);
}

void cursor_advance(struct inode *dir, struct directory_cursor *cursor)
{
    if (cursor->position < COOKIE_DOT_DOT) {
        cursor->position++;
    } else if (cursor->position == COOKIE_DOT_DOT) {
        cursor->position = COOKIE_FIRST;
        cursor->entry = dir->directory.entries;
    } else if (cursor->entry) {
        cursor->position = cursor->entry->cookie + 1;
        cursor->entry = cursor->entry->hh.next;
    }
}

bool cursor_look(struct inode *dir, struct directory_cursor *cursor, const char **name,
                 size_t *bytes, struct inode **inode, uint64_t *after)
{
    if (cursor->position < COOKIE_FIRST) {
        bool dot = cursor->position == COOKIE_DOT;

        *name = dot ? "." : "..";
        *bytes = dot ? 1 : 2;
        *inode = dot || !dir->directory.parent ? dir : dir->directory.parent;
        *after = cursor->position + 1;
        return true;
    }
    if (!cursor->entry || cursor->entry->cookie >= cursor->limit)
        return false;
    *name = cursor->entry->name;
    *bytes = cursor->entry->name_bytes;
    *inode = cursor->entry->inode;
    *after = cursor->entry->cookie + 1;
    return true;
}
