/*
 * Parser of boot/init. Pure: no system calls, no allocation.
 */
#include "init.h"

#include <string.h>

#define LOOP_MAX 1000000u

/* What is left of the file: strings that all end within it. */
struct reader {
    const char *at, *end;
};

/* NULL at the end of the file. */
static const char *reader_next(struct reader *reader)
{
    const char *string = reader->at;

    if (string == reader->end)
        return NULL;
    reader->at += strlen(string) + 1;
    return string;
}

const char *init_next(const char *string) { return string + strlen(string) + 1; }

static bool parse_number(const char *text, uint32_t max, uint32_t *value)
{
    uint64_t number = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > max)
            return false;
    }
    *value = (uint32_t)number;
    return true;
}

static bool parse_flag(const char *text, bool *value)
{
    uint32_t number;

    if (!parse_number(text, 1, &number))
        return false;
    *value = number;
    return true;
}

/* The text behind "name=", or NULL. */
static const char *value_of(const char *setting, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(setting, name, length) || setting[length] != '=')
        return NULL;
    return setting + length + 1;
}

static const char *parse_loop(struct init_config *config, const char *value)
{
    uint32_t number;

    if (!parse_number(value, LOOP_MAX, &number) || number == 0)
        return "loop= needs a number from 1 to 1000000";
    config->loop = number;
    return NULL;
}

static const char *parse_stdio(struct init_config *config, const char *value)
{
    uint32_t number;

    if (!parse_number(value, 7, &number))
        return "stdio= needs a digit from 0 to 7";
    config->stdio = number;
    return NULL;
}

static const char *parse_setting(struct init_config *config, const char *setting)
{
    const char *value;

    if ((value = value_of(setting, "stdio")))
        return parse_stdio(config, value);
    if ((value = value_of(setting, "loop")))
        return parse_loop(config, value);
    if ((value = value_of(setting, "trace")))
        return parse_flag(value, &config->trace) ? NULL : "trace= needs 0 or 1";
    if ((value = value_of(setting, "stats")))
        return parse_flag(value, &config->stats) ? NULL : "stats= needs 0 or 1";
    if ((value = value_of(setting, "uid")))
        return parse_number(value, UINT32_MAX - 1, &config->uid) ? NULL : "uid= needs a user id";
    if ((value = value_of(setting, "gid")))
        return parse_number(value, UINT32_MAX - 1, &config->gid) ? NULL : "gid= needs a group id";
    if ((value = value_of(setting, "cwd"))) {
        config->cwd = value;
        return *value == '/' ? NULL : "cwd= needs an absolute path";
    }
    return "unknown setting";
}

/* The last string "envp" ends the arguments: an argument may be the word "envp",
 * an environment string has a '=' in it. NULL: there is none. */
static const char *find_environment(struct reader reader)
{
    const char *string, *found = NULL;

    while ((string = reader_next(&reader)))
        if (strcmp(string, "envp") == 0)
            found = string;
    return found;
}

static const char *parse_arguments(struct init_config *config, struct reader *reader)
{
    const char *environment = find_environment(*reader);

    if (!environment)
        return "no \"envp\" after the arguments";
    config->argv = reader->at;
    while (reader->at != environment) {
        reader_next(reader);
        config->argc++;
    }
    if (config->argc == 0 || !*config->argv)
        return "no program to run after \"argv\"";
    reader_next(reader);
    return NULL;
}

static const char *parse_environment(struct init_config *config, struct reader *reader)
{
    const char *string;

    config->envp = reader->at;
    while ((string = reader_next(reader))) {
        if (!strchr(string, '='))
            return "a string without \"=\" in the environment";
        config->envc++;
    }
    return NULL;
}

static const char *parse_all(struct init_config *config, struct reader *reader)
{
    const char *setting, *error;

    while ((setting = reader_next(reader))) {
        if (strcmp(setting, "argv") == 0) {
            error = parse_arguments(config, reader);
            return error ? error : parse_environment(config, reader);
        }
        error = parse_setting(config, setting);
        if (error) {
            reader->at = setting;
            return error;
        }
    }
    return "no \"argv\"";
}

const char *init_parse(struct init_config *config, const char *data, size_t bytes,
                       size_t *error_at)
{
    struct reader reader = { data, data + bytes };
    const char *error;

    *config = (struct init_config){ .cwd = "/", .loop = 1 };
    *error_at = 0;
    if (bytes == 0)
        return "it is empty";
    if (data[bytes - 1] != '\0') {
        *error_at = bytes;
        return "the last string has no end";
    }
    error = parse_all(config, &reader);
    *error_at = (size_t)(reader.at - data);
    return error;
}
