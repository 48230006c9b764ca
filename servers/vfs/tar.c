#include <servers/vfs/tar.h>

#include <stdbool.h>
#include <string.h>

#define BLOCK 512u

struct header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* What extended headers say about the next entry. */
struct extended {
    char     path[PATH_MAX];
    char     target[PATH_MAX];
    bool     has_size;
    uint64_t size;
};

/* A number: octal digits, or binary if the first bit is set. false: neither. */
static bool number_parse(const char *field, size_t bytes, uint64_t *value)
{
    size_t i = 0;

    *value = 0;
    if ((uint8_t)field[0] & 0x80) {
        *value = (uint8_t)field[0] & 0x7f;
        for (i = 1; i < bytes; i++) {
            if (*value >> 56)
                return false;
            *value = *value << 8 | (uint8_t)field[i];
        }
        return true;
    }
    while (i < bytes && field[i] == ' ')
        i++;
    for (; i < bytes && field[i] && field[i] != ' '; i++) {
        if (field[i] < '0' || field[i] > '7')
            return false;
        *value = *value << 3 | (unsigned)(field[i] - '0');
    }
    return true;
}

static bool checksum_is_good(const struct header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;
    size_t         first = offsetof(struct header, checksum);
    uint64_t       expected, sum = 0;

    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= first && i < first + sizeof header->checksum ? ' ' : bytes[i];
    return number_parse(header->checksum, sizeof header->checksum, &expected) && sum == expected;
}

static bool block_is_zero(const void *block)
{
    static const uint8_t zeros[BLOCK];

    return memcmp(block, zeros, BLOCK) == 0;
}

/* A field that fills its place has no end. */
static size_t field_copy(char *to, size_t room, const char *field, size_t bytes)
{
    size_t length = strnlen(field, bytes);

    if (length >= room)
        length = room - 1;
    memcpy(to, field, length);
    to[length] = 0;
    return length;
}

static void path_from_header(const struct header *header, char path[PATH_MAX])
{
    size_t length = 0;

    if (memcmp(header->magic, "ustar", 6) == 0 && header->prefix[0]) {
        length = field_copy(path, PATH_MAX, header->prefix, sizeof header->prefix);
        path[length++] = '/';
    }
    field_copy(path + length, PATH_MAX - length, header->name, sizeof header->name);
}

/* One "LENGTH KEY=VALUE\n" record of a pax header. Returns its length, 0 if it is bad. */
static size_t pax_record(const char *record, size_t bytes, struct extended *extended)
{
    size_t      length = 0, i = 0;
    const char *key, *equals, *end;

    for (; i < bytes && record[i] >= '0' && record[i] <= '9' && length < bytes; i++)
        length = length * 10 + (size_t)(record[i] - '0');
    if (i == bytes || record[i] != ' ' || length > bytes || length < i + 4)
        return 0;
    key = record + i + 1;
    end = record + length - 1;
    equals = memchr(key, '=', (size_t)(end - key));
    if (*end != '\n' || !equals)
        return 0;
    if (equals - key == 4 && memcmp(key, "path", 4) == 0)
        field_copy(extended->path, PATH_MAX, equals + 1, (size_t)(end - equals - 1));
    if (equals - key == 8 && memcmp(key, "linkpath", 8) == 0)
        field_copy(extended->target, PATH_MAX, equals + 1, (size_t)(end - equals - 1));
    if (equals - key == 4 && memcmp(key, "size", 4) == 0) {
        extended->has_size = true;
        extended->size = 0;
        for (const char *digit = equals + 1; digit < end && *digit >= '0' && *digit <= '9'; digit++)
            extended->size = extended->size * 10 + (unsigned)(*digit - '0');
    }
    return length;
}

static bool pax_parse(const uint8_t *data, uint64_t bytes, struct extended *extended)
{
    const char *at = (const char *)data;

    while (bytes) {
        size_t length = pax_record(at, bytes, extended);

        if (!length)
            return false;
        at += length;
        bytes -= length;
    }
    return true;
}

/* Fills in what the header says, except data. Returns NULL or what is wrong. */
static const char *header_parse(const struct header *header, struct tar_entry *entry)
{
    uint64_t mode, uid, gid, mtime, major, minor;

    if (!number_parse(header->mode, sizeof header->mode, &mode) ||
        !number_parse(header->uid, sizeof header->uid, &uid) ||
        !number_parse(header->gid, sizeof header->gid, &gid) ||
        !number_parse(header->size, sizeof header->size, &entry->bytes) ||
        !number_parse(header->mtime, sizeof header->mtime, &mtime) ||
        !number_parse(header->major, sizeof header->major, &major) ||
        !number_parse(header->minor, sizeof header->minor, &minor))
        return "a header field is not a number";
    entry->type = header->type ? header->type : TAR_FILE;
    if (entry->type == '7')
        entry->type = TAR_FILE;
    entry->mode = (uint32_t)mode & 07777;
    entry->uid = (uint32_t)uid;
    entry->gid = (uint32_t)gid;
    entry->mtime = (int64_t)mtime;
    entry->major = (uint32_t)major;
    entry->minor = (uint32_t)minor;
    path_from_header(header, entry->path);
    field_copy(entry->target, PATH_MAX, header->link, sizeof header->link);
    return NULL;
}

/* Steps over the content. false: the archive ends before it does. */
static bool data_take(struct tar_reader *reader, struct tar_entry *entry)
{
    uint64_t left = reader->bytes - reader->at;

    entry->data = reader->base + reader->at;
    if (entry->bytes > left) {
        reader->at = reader->bytes;
        return false;
    }
    reader->at += entry->bytes;
    left -= entry->bytes;
    if (entry->bytes % BLOCK)
        reader->at += BLOCK - entry->bytes % BLOCK < left ? BLOCK - entry->bytes % BLOCK : left;
    return true;
}

static bool type_has_data(char type)
{
    return type < TAR_HARD_LINK || type > TAR_FIFO;
}

static void extended_apply(const struct extended *extended, struct tar_entry *entry)
{
    if (extended->path[0])
        memcpy(entry->path, extended->path, PATH_MAX);
    if (extended->target[0])
        memcpy(entry->target, extended->target, PATH_MAX);
}

/* Content of an entry that is about the next one. Returns NULL or what is wrong. */
static const char *extended_read(const struct tar_entry *entry, struct extended *extended)
{
    switch (entry->type) {
    case 'x': return pax_parse(entry->data, entry->bytes, extended) ? NULL : "bad pax header";
    case 'L':
        field_copy(extended->path, PATH_MAX, (const char *)entry->data, entry->bytes);
        return NULL;
    case 'K':
        field_copy(extended->target, PATH_MAX, (const char *)entry->data, entry->bytes);
        return NULL;
    default: return NULL; /* 'g': for all entries, nothing that matters here */
    }
}

/* The header at the present place. Steps over it. */
static enum tar_result header_next(struct tar_reader *reader, struct tar_entry *entry,
                                   const char **what)
{
    const struct header *header = (const void *)(reader->base + reader->at);

    if (reader->bytes - reader->at < BLOCK)
        return TAR_END;
    reader->at += BLOCK;
    if (block_is_zero(header))
        return TAR_END;
    if (!checksum_is_good(header)) {
        *what = "bad checksum";
        while (reader->bytes - reader->at >= BLOCK &&
               !block_is_zero(reader->base + reader->at) &&
               !checksum_is_good((const void *)(reader->base + reader->at)))
            reader->at += BLOCK;
        return TAR_CORRUPT;
    }
    *what = header_parse(header, entry);
    return *what ? TAR_CORRUPT : TAR_ENTRY;
}

enum tar_result tar_next(struct tar_reader *reader, struct tar_entry *entry, const char **what)
{
    static struct extended extended; /* one archive is read at a time */

    memset(&extended, 0, sizeof extended);
    for (;;) {
        enum tar_result result = header_next(reader, entry, what);

        if (result != TAR_ENTRY)
            return result;
        if (extended.has_size && !strchr("xgLK", entry->type))
            entry->bytes = extended.size;
        if (!type_has_data(entry->type))
            entry->bytes = 0;
        if (!data_take(reader, entry)) {
            *what = "the archive ends within a file";
            return TAR_CORRUPT;
        }
        if (!strchr("xgLK", entry->type)) {
            extended_apply(&extended, entry);
            return TAR_ENTRY;
        }
        *what = extended_read(entry, &extended);
        if (*what)
            return TAR_CORRUPT;
    }
}
