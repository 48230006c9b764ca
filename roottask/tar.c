/*
 * Reader for tar archives: see tar.h.
 */
#include "tar.h"
#include <string.h>

struct tar_header {
    char name[100];
    char mode[8], uid[8], gid[8];
    char size[12], mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6], version[2];
    char user[32], group[32];
    char major[8], minor[8];
    char prefix[155];
    char unused[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_BYTES, "one block");

void tar_open(struct tar *tar, const void *base, uint64_t bytes)
{
    *tar = (struct tar){ .base = base, .bytes = bytes };
}

/* Octal digits, with blanks before and a blank or zero byte after them. */
static bool parse_octal(const char *text, unsigned length, uint64_t *value)
{
    unsigned i = 0;

    *value = 0;
    while (i < length && text[i] == ' ')
        i++;
    if (i == length || text[i] < '0' || text[i] > '7')
        return false;
    for (; i < length && text[i] >= '0' && text[i] <= '7'; i++)
        *value = *value << 3 | (uint64_t)(text[i] - '0');
    return i == length || text[i] == ' ' || text[i] == '\0';
}

/* GNU: the first byte is 0x80 and the rest a big-endian number. */
static bool parse_size(const char *text, unsigned length, uint64_t *value)
{
    if ((unsigned char)text[0] != 0x80)
        return parse_octal(text, length, value);
    *value = 0;
    for (unsigned i = 1; i < length; i++) {
        if (*value >> 56)
            return false;
        *value = *value << 8 | (unsigned char)text[i];
    }
    return true;
}

static bool is_zero(const uint8_t *block)
{
    for (unsigned i = 0; i < TAR_BLOCK_BYTES; i++)
        if (block[i])
            return false;
    return true;
}

/* The sum of all bytes of the header, its own field counted as blanks. */
static bool checksum_matches(const struct tar_header *header)
{
    const unsigned char *byte = (const unsigned char *)header;
    uint64_t sum = 0, expected;

    for (unsigned i = 0; i < TAR_BLOCK_BYTES; i++)
        sum += byte[i];
    for (unsigned i = 0; i < sizeof header->checksum; i++)
        sum += ' ' - (uint64_t)(unsigned char)header->checksum[i];
    return parse_octal(header->checksum, sizeof header->checksum, &expected) && sum == expected;
}

/* Reads and checks the header at tar->at. */
static enum tar_status read_header(const struct tar *tar, const struct tar_header **header,
                                   uint64_t *size)
{
    if (tar->at > tar->bytes || tar->bytes - tar->at < TAR_BLOCK_BYTES)
        return TAR_TRUNCATED;
    *header = (const struct tar_header *)(tar->base + tar->at);
    if ((*header)->name[0] == '\0' && is_zero(tar->base + tar->at))
        return TAR_END;
    if (!checksum_matches(*header))
        return TAR_BAD_CHECKSUM;
    if (memcmp((*header)->magic, "ustar", 5) != 0)
        return TAR_BAD_FORMAT;
    if (!parse_size((*header)->size, sizeof(*header)->size, size))
        return TAR_BAD_FORMAT;
    if ((*header)->type == '1' || (*header)->type == '2' || (*header)->type == '5')
        *size = 0; /* links and directories have no content, whatever the field says */
    if (*size > tar->bytes - tar->at - TAR_BLOCK_BYTES)
        return TAR_BAD_SIZE;
    return TAR_OK;
}

/* Appends at most max bytes of a field to the name; false if there is no room. */
static bool name_append(char *name, const char *text, uint64_t max)
{
    size_t used = strlen(name), length = strnlen(text, max);

    if (used + length >= TAR_NAME_BYTES)
        return false;
    memcpy(name + used, text, length);
    name[used + length] = '\0';
    return true;
}

static void name_strip(char *name)
{
    const char *from = name;

    while (from[0] == '/' || (from[0] == '.' && from[1] == '/'))
        from++;
    memmove(name, from, strlen(from) + 1);
}

/* GNU archives ("ustar  ") use the prefix field for times. */
static bool name_from_header(char *name, const struct tar_header *header)
{
    bool posix = memcmp(header->magic, "ustar", 6) == 0;

    if (posix && header->prefix[0])
        if (!name_append(name, header->prefix, sizeof header->prefix) || !name_append(name, "/", 1))
            return false;
    return name_append(name, header->name, sizeof header->name);
}

enum tar_status tar_next(struct tar *tar, struct tar_entry *entry)
{
    const struct tar_header *header;
    enum tar_status status;
    uint64_t size;

    entry->name[0] = '\0';
    while ((status = read_header(tar, &header, &size)) == TAR_OK) {
        uint64_t content = tar->at + TAR_BLOCK_BYTES;
        uint64_t padded = (size + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
        bool extended = header->type == 'x' || header->type == 'g' || header->type == 'K';

        if (header->type == 'L') {
            entry->name[0] = '\0';
            if (!name_append(entry->name, (const char *)tar->base + content, size))
                return TAR_BAD_NAME;
        } else if (!extended) {
            if (!entry->name[0] && !name_from_header(entry->name, header))
                return TAR_BAD_NAME;
            if (!entry->name[0])
                return TAR_BAD_NAME;
            name_strip(entry->name);
            entry->type = header->type ? header->type : '0';
            entry->offset = content;
            entry->bytes = size;
            tar->at = content + padded;
            return TAR_OK;
        }
        tar->at = content + padded;
    }
    return status;
}

enum tar_status tar_find(struct tar *tar, const char *name, struct tar_entry *entry)
{
    struct tar_entry next;
    enum tar_status status;
    bool found = false;

    tar->at = 0;
    while ((status = tar_next(tar, &next)) == TAR_OK) {
        if (next.type != '0' || strcmp(next.name, name) != 0)
            continue;
        *entry = next;
        found = true;
    }
    if (status != TAR_END)
        return status;
    return found ? TAR_OK : TAR_NO_FILE;
}

const char *tar_status_text(enum tar_status status)
{
    switch (status) {
    case TAR_OK: return "no error";
    case TAR_END: return "no further entry";
    case TAR_TRUNCATED: return "it ends before its end marker";
    case TAR_BAD_CHECKSUM: return "wrong checksum in a header";
    case TAR_BAD_FORMAT: return "a header that is not ustar";
    case TAR_BAD_SIZE: return "an entry reaches beyond the end";
    case TAR_BAD_NAME: return "an entry has no name or one that is too long";
    case TAR_NO_FILE: return "no such file";
    }
    return "unknown error";
}
