/*
 * "#!" scripts: execve(2), "Interpreter scripts".
 */
#pragma once

#include <stddef.h>

#define SCRIPT_LINE_BYTES 256u /* of the file that are looked at, as in Linux */

struct script_line {
    char interpreter[SCRIPT_LINE_BYTES];
    char argument[SCRIPT_LINE_BYTES]; /* empty: none */
};

/* Returns 1 when the file is a script and its line was taken in, 0 when it is
 * none, -ENOEXEC when the line names no interpreter or is cut off. */
int script_parse(struct script_line *line, const char *head, size_t bytes);
