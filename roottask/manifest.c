/*
 * Parser of the boot manifest: see manifest.h and docs/manifest.md.
 *
 * The text is read twice: first for the names, so that "uses" may mention any of
 * them, then for the words.
 */
#include "manifest.h"
#include "format.h"
#include <stdarg.h>
#include <string.h>

#define WORD_BYTES 128u

struct parser {
    struct manifest *manifest;
    struct manifest_error *error;
    const char *text, *end;
    const char *at;
    unsigned line; /* of the next word */
    char word[WORD_BYTES];
    unsigned word_line;
    unsigned last_line; /* of the word before */
    bool word_first;    /* the word begins its line without indentation */
    bool ended;
};

typedef bool word_fn(struct parser *parser, struct manifest_program *program);

__attribute__((format(printf, 3, 4))) static bool fail(struct parser *parser, unsigned line,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    parser->error->line = line;
    text_format_list(parser->error->text, sizeof parser->error->text, format, args);
    va_end(args);
    return false;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->end) {
        if (*parser->at == '#') {
            while (parser->at < parser->end && *parser->at != '\n')
                parser->at++;
        } else if (is_blank(*parser->at)) {
            parser->line += *parser->at == '\n';
            parser->at++;
        } else {
            return;
        }
    }
}

/* Reads a word ahead into parser->word; sets parser->ended after the last one. */
static bool advance(struct parser *parser)
{
    const char *begin;
    size_t length;

    skip_blanks(parser);
    begin = parser->at;
    parser->ended = begin == parser->end;
    parser->last_line = parser->word_line;
    parser->word_line = parser->line;
    parser->word_first = begin == parser->text || (!parser->ended && begin[-1] == '\n');
    while (parser->at < parser->end && !is_blank(*parser->at) && *parser->at != '#') {
        if ((unsigned char)*parser->at < ' ' || *parser->at == 0x7f)
            return fail(parser, parser->line, "a character that is not text (0x%02x)",
                        (unsigned char)*parser->at);
        parser->at++;
    }
    length = (size_t)(parser->at - begin);
    if (length >= WORD_BYTES)
        return fail(parser, parser->line, "a word of %zu characters (at most %u)", length,
                    WORD_BYTES - 1);
    memcpy(parser->word, begin, length);
    parser->word[length] = '\0';
    return true;
}

/* Is the current word one of the row that began before? */
static bool in_row(const struct parser *parser) { return !parser->ended && !parser->word_first; }

/* Where something is wrong with the current word, or with its absence. */
static unsigned line_here(const struct parser *parser)
{
    return in_row(parser) ? parser->word_line : parser->last_line;
}

int manifest_find(const struct manifest *manifest, const char *name)
{
    for (unsigned i = 0; i < manifest->count; i++)
        if (strcmp(manifest->programs[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* ---- words ------------------------------------------------------------------------- */

/* A decimal number up to max in the current word; units: also KiB, MiB. */
static bool number_read(struct parser *parser, const char *what, uint64_t max, bool units,
                        uint64_t *value)
{
    const char *c = parser->word;

    *value = 0;
    if (!in_row(parser) || *c < '0' || *c > '9')
        return fail(parser, line_here(parser), "%s needs a number, not '%s'", what,
                    in_row(parser) ? parser->word : "end of row");
    for (; *c >= '0' && *c <= '9' && *value < 1ull << 48; c++)
        *value = *value * 10 + (uint64_t)(*c - '0');
    if (units && strcmp(c, "KiB") == 0)
        *value <<= 10;
    else if (units && strcmp(c, "MiB") == 0)
        *value <<= 20;
    else if (*c)
        return fail(parser, parser->word_line, "%s: '%s' is not a number%s", what, parser->word,
                    units ? " of KiB or MiB" : "");
    if (*value > max)
        return fail(parser, parser->word_line, "%s: %s is more than %llu", what, parser->word,
                    (unsigned long long)max);
    return advance(parser);
}

static bool read_priority(struct parser *parser, struct manifest_program *program)
{
    uint64_t value;

    if (!number_read(parser, "priority", MANIFEST_MAX_PRIORITY, false, &value))
        return false;
    program->priority = (unsigned)value;
    return true;
}

static bool read_cpu(struct parser *parser, struct manifest_program *program)
{
    uint64_t value;

    if (!number_read(parser, "cpu", MAX_CPUS - 1, false, &value))
        return false;
    program->cpu = (unsigned)value;
    return true;
}

static bool read_quota(struct parser *parser, struct manifest_program *program)
{
    uint64_t bytes;

    if (!number_read(parser, "kernel-quota", 1ull << 40, true, &bytes))
        return false;
    program->quota_pages = (bytes + PAGE_BYTES - 1) >> PAGE_SHIFT;
    if (program->quota_pages < MANIFEST_MIN_QUOTA)
        return fail(parser, parser->last_line, "kernel-quota: less than %u KiB",
                    (unsigned)(MANIFEST_MIN_QUOTA * PAGE_BYTES >> 10));
    return true;
}

/* The rest of the line, as it is; comments are cut off. */
static bool read_args(struct parser *parser, struct manifest_program *program)
{
    const char *begin = parser->at - strlen(parser->word), *end = begin;

    if (!in_row(parser))
        return fail(parser, line_here(parser), "args needs something after it");
    while (end < parser->end && *end != '\n' && *end != '#') {
        if ((unsigned char)*end < ' ' && !is_blank(*end))
            return fail(parser, parser->word_line, "a character that is not text (0x%02x)",
                        (unsigned char)*end);
        end++;
    }
    while (end > begin && is_blank(end[-1]))
        end--;
    if ((size_t)(end - begin) >= sizeof program->args)
        return fail(parser, parser->word_line, "args of %zu characters (at most %zu)",
                    (size_t)(end - begin), sizeof program->args - 1);
    memcpy(program->args, begin, (size_t)(end - begin));
    program->args[end - begin] = '\0';
    parser->at = end;
    return advance(parser);
}

static const struct word_row *word_find(const char *word);

/* Names of programs up to the next word of the manifest; a bit for each. */
static bool read_names(struct parser *parser, const struct manifest_program *program,
                       const char *what, uint32_t *mask)
{
    unsigned names = 0;

    for (; in_row(parser) && !word_find(parser->word); names++) {
        int other = manifest_find(parser->manifest, parser->word);

        if (other < 0)
            return fail(parser, parser->word_line, "unknown program '%s' after %s", parser->word,
                        what);
        if (program == &parser->manifest->programs[other])
            return fail(parser, parser->word_line, "%s %s itself", parser->word, what);
        *mask |= 1u << other;
        if (!advance(parser))
            return false;
    }
    if (names == 0)
        return fail(parser, line_here(parser), "%s needs the name of a program", what);
    return true;
}

static bool read_uses(struct parser *parser, struct manifest_program *program)
{
    return read_names(parser, program, "uses", &program->uses);
}

static bool read_shares(struct parser *parser, struct manifest_program *program)
{
    return read_names(parser, program, "shares-frames-with", &program->shares);
}

static const struct word_row {
    const char *word;
    word_fn *read; /* what follows the word; NULL: nothing, it is a flag */
    unsigned flag;
} words[] = {
    { "args", read_args, 0 },
    { "cpu", read_cpu, 0 },
    { "create-pd", NULL, PROGRAM_CREATE_PD },
    { "interrupts", NULL, PROGRAM_INTERRUPTS },
    { "io-ports", NULL, PROGRAM_IO_PORTS },
    { "kernel-quota", read_quota, 0 },
    { "module", NULL, PROGRAM_MODULE },
    { "no-portal", NULL, PROGRAM_NO_PORTAL },
    { "priority", read_priority, 0 },
    { "program", NULL, 0 },
    { "shares-frames-with", read_shares, 0 },
    { "uses", read_uses, 0 },
};

static const struct word_row *word_find(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            return &words[i];
    return NULL;
}

/* ---- rows ------------------------------------------------------------------------------ */

static bool name_read(struct parser *parser, struct manifest_program *program)
{
    if (!in_row(parser))
        return fail(parser, program->line, "program needs a name and a path");
    if (strlen(parser->word) >= sizeof program->name)
        return fail(parser, parser->word_line, "the name '%s' is longer than %zu characters",
                    parser->word, sizeof program->name - 1);
    if (word_find(parser->word) || strcmp(parser->word, "root") == 0)
        return fail(parser, parser->word_line, "a program can't have the name '%s'", parser->word);
    if (manifest_find(parser->manifest, parser->word) >= 0)
        return fail(parser, parser->word_line, "there are two programs with the name '%s'",
                    parser->word);
    strcpy(program->name, parser->word);
    return advance(parser);
}

static bool path_read(struct parser *parser, struct manifest_program *program)
{
    if (!in_row(parser))
        return fail(parser, program->line, "program '%s' needs a path", program->name);
    strcpy(program->path, parser->word);
    return advance(parser);
}
_Static_assert(WORD_BYTES <= MANIFEST_PATH_BYTES, "any word is a possible path");

static bool row_begin(struct parser *parser)
{
    if (parser->ended)
        return true;
    if (!parser->word_first || strcmp(parser->word, "program") != 0)
        return fail(parser, parser->word_line, "a row begins with 'program', not '%s'%s",
                    parser->word, parser->word_first ? "" : " after blanks");
    return true;
}

/* First reading: name and path of each row. */
static bool rows_read(struct parser *parser)
{
    struct manifest *manifest = parser->manifest;

    while (!parser->ended) {
        struct manifest_program *program = &manifest->programs[manifest->count];

        if (!row_begin(parser))
            return false;
        if (manifest->count == MANIFEST_MAX_PROGRAMS)
            return fail(parser, parser->word_line, "more than %u programs", MANIFEST_MAX_PROGRAMS);
        program->line = parser->word_line;
        program->priority = MANIFEST_DEFAULT_PRIORITY;
        program->quota_pages = MANIFEST_DEFAULT_QUOTA;
        if (!advance(parser) || !name_read(parser, program) || !path_read(parser, program))
            return false;
        manifest->count++;
        while (in_row(parser))
            if (!advance(parser))
                return false;
    }
    return true;
}

static bool row_words_read(struct parser *parser, struct manifest_program *program)
{
    while (in_row(parser)) {
        const struct word_row *row = word_find(parser->word);

        if (!row || (!row->read && !row->flag))
            return fail(parser, parser->word_line, "unknown word '%s'", parser->word);
        if (!advance(parser))
            return false;
        program->flags |= row->flag;
        if (row->read && !row->read(parser, program))
            return false;
    }
    return true;
}

/* Second reading: the words of each row. */
static bool words_read(struct parser *parser)
{
    for (unsigned i = 0; i < parser->manifest->count; i++) {
        for (unsigned skip = 0; skip < 3; skip++) /* program NAME PATH */
            if (!advance(parser))
                return false;
        if (!row_words_read(parser, &parser->manifest->programs[i]))
            return false;
    }
    return true;
}

/* ---- checks of the whole ------------------------------------------------------------------ */

/* Follows "uses" from program i. path: programs on the way here; done: those from
 * which no cycle starts. */
static bool acyclic_from(struct parser *parser, unsigned i, uint32_t path, uint32_t *done)
{
    const struct manifest_program *program = &parser->manifest->programs[i];

    if (*done & 1u << i)
        return true;
    for (unsigned j = 0; j < parser->manifest->count; j++) {
        if (!(program->uses & 1u << j))
            continue;
        if (path & 1u << j)
            return fail(parser, program->line,
                        "a cycle: %s uses %s, which (by way of others) uses %s", program->name,
                        parser->manifest->programs[j].name, program->name);
        if (!acyclic_from(parser, j, path | 1u << j, done))
            return false;
    }
    *done |= 1u << i;
    return true;
}

/* Who is named has started before; who is used has a portal. */
static bool order_check(struct parser *parser, unsigned i)
{
    const struct manifest_program *program = &parser->manifest->programs[i];

    for (unsigned j = 0; j < parser->manifest->count; j++) {
        const struct manifest_program *other = &parser->manifest->programs[j];

        if (program->shares & 1u << j && j > i)
            return fail(parser, program->line, "%s shares frames with %s, which starts after it",
                        program->name, other->name);
        if (!(program->uses & 1u << j))
            continue;
        if (other->flags & PROGRAM_NO_PORTAL)
            return fail(parser, program->line, "%s uses %s, which has no portal", program->name,
                        other->name);
        if (j > i)
            return fail(parser, program->line, "%s uses %s, which starts after it (line %u)",
                        program->name, other->name, other->line);
    }
    return true;
}

static bool graph_check(struct parser *parser)
{
    uint32_t done = 0;

    if (parser->manifest->count == 0)
        return fail(parser, 0, "there is no program in it");
    for (unsigned i = 0; i < parser->manifest->count; i++)
        if (!acyclic_from(parser, i, 1u << i, &done))
            return false;
    for (unsigned i = 0; i < parser->manifest->count; i++)
        if (!order_check(parser, i))
            return false;
    return true;
}

static bool parser_begin(struct parser *parser)
{
    parser->at = parser->text;
    parser->line = 1;
    return advance(parser);
}

bool manifest_parse(struct manifest *manifest, const char *text, uint64_t bytes,
                    struct manifest_error *error)
{
    struct parser parser = {
        .manifest = manifest, .error = error, .text = text, .end = text + bytes
    };

    memset(manifest, 0, sizeof *manifest);
    return parser_begin(&parser) && rows_read(&parser) && parser_begin(&parser) &&
           words_read(&parser) && graph_check(&parser);
}
