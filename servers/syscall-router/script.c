/*
 * The first line of a script.
 */
#include "script.h"

#include <errno.h>
#include <string.h>

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
    while (at < end && (text[at] == ' ' || text[at] == '\t'))
        at++;
    return at;
}

static size_t skip_word(const char *text, size_t at, size_t end)
{
    while (at < end && text[at] != ' ' && text[at] != '\t' && text[at] != '\0')
        at++;
    return at;
}

int script_parse(struct script_line *line, const char *head, size_t bytes)
{
    size_t room = bytes < SCRIPT_LINE_BYTES ? bytes : SCRIPT_LINE_BYTES;
    const char *newline;
    size_t end, start, stop;

    if (bytes < 2 || head[0] != '#' || head[1] != '!')
        return 0;
    newline = memchr(head, '\n', room);
    end = newline ? (size_t)(newline - head) : room;
    start = skip_blanks(head, 2, end);
    stop = skip_word(head, start, end);
    if (start == stop || (!newline && stop == end && bytes > room))
        return -ENOEXEC;
    memset(line, 0, sizeof *line);
    memcpy(line->interpreter, head + start, stop - start);
    start = skip_blanks(head, stop, end);
    while (end > start && (head[end - 1] == ' ' || head[end - 1] == '\t'))
        end--;
    memcpy(line->argument, head + start, strnlen(head + start, end - start));
    return 1;
}
