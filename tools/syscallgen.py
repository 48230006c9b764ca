#!/usr/bin/env python3
"""Makes code and documents from the table of Linux calls (personality/linux/syscalls.tbl).

    syscallgen.py server SERVER TABLE OUT.h OUT.c    a server's functions, by number
    syscallgen.py router TABLE OUT.h OUT.c           who answers which call
    syscallgen.py trace TABLE FLAGS OUT.h OUT.c      names, arguments, symbols for traces
    syscallgen.py docs TABLE OUT.md                  the table for readers
"""

import re
import sys
from pathlib import Path

SERVERS = ("vfs", "proc", "mem")
OWNERS = ("-", "router") + SERVERS
FLAGS = ("wait", "self_cancel", "no_restart", "direct") + tuple(f"also_{server}" for server in SERVERS)
RESULTS = ("int", "hex", "fd", "none")
PLAIN = ("int uint long ulong hex octal fd dirfd path signal pid ptr strings vars sigset_in "
         "sigset_out fds timespec_in timespec_out timeval_in timeval_out stat_out rlimit_in "
         "rlimit_out utsname_out sigaction_in sigaction_out int_in int_out").split()
COUNTED = ("inbuf", "outbuf", "iniov", "outiov", "pollfds", "mode")
SYMBOLIC = ("flags", "enum")
LENGTH_IS_RESULT = 7
MAX_ARGUMENTS = 6


class TableError(Exception):
    """A mistake in a table."""

    def __init__(self, path, line, text):
        super().__init__(f"{path}:{line}: {text}")


class Call:
    """A row of syscalls.tbl. arguments: (kind, detail) with detail a number or a set's name."""

    def __init__(self, number, name, owner, flags, result, arguments):
        self.number, self.name, self.owner = number, name, owner
        self.flags, self.result, self.arguments = flags, result, arguments


# ---- reading -----------------------------------------------------------------------------

def rows(path):
    """Yields (line number, line without comment) of the lines that say something."""
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        line = line.split("#")[0].rstrip()
        if line:
            yield number, line


def parse_argument(text, count, fail):
    """Returns (kind, detail) of one argument."""
    if text in PLAIN:
        return text, 0
    match = re.fullmatch(r"(\w+)\((\w+)\)", text)
    if match and match[1] in COUNTED:
        if match[2] == "result" and match[1] == "outbuf":
            return match[1], LENGTH_IS_RESULT
        if match[2].isdecimal() and int(match[2]) < count:
            return match[1], int(match[2])
        fail(f"{text}: no argument {match[2]}")
    match = re.fullmatch(r"(\w+):(\w+)", text)
    if match and match[1] in SYMBOLIC:
        return match[1], match[2]
    return fail(f'unknown kind of argument "{text}"')


def parse_arguments(words, fail):
    if words and words[-1] == "...":
        words = words[:-1] + ["hex"] * (MAX_ARGUMENTS + 1 - len(words))
    if len(words) > MAX_ARGUMENTS:
        fail(f"more than {MAX_ARGUMENTS} arguments")
    return [parse_argument(word, len(words), fail) for word in words]


def parse_call(line, fail):
    words = line.split()
    if len(words) < 5:
        fail("a row is: number name owner flags result arguments...")
    number, name, owner, flags, result = words[:5]
    if not number.isdecimal() or int(number) > 511:
        fail(f'"{number}" is not the number of a call (0 to 511)')
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        fail(f'"{name}" is not the name of a call')
    if owner not in OWNERS:
        fail(f'unknown owner "{owner}": one of {", ".join(OWNERS)}')
    flags = [] if flags == "-" else flags.split(",")
    for flag in flags:
        if flag not in FLAGS:
            fail(f'unknown flag "{flag}": of {", ".join(FLAGS)}')
    if flags and owner == "-":
        fail("flags without an owner")
    if "direct" in flags and owner not in SERVERS:
        fail("only a server's call can have a direct route")
    if result not in RESULTS:
        fail(f'unknown kind of result "{result}": one of {", ".join(RESULTS)}')
    return Call(int(number), name, owner, flags, result, parse_arguments(words[5:], fail))


def parse_table(path):
    """Returns the calls, in the order of their numbers."""
    calls = {}
    for line_number, line in rows(path):
        def fail(text, at=line_number):
            raise TableError(path, at, text)
        call = parse_call(line, fail)
        if call.number in calls:
            fail(f"number {call.number} is taken by {calls[call.number].name}")
        if any(call.name == other.name for other in calls.values()):
            fail(f"a second row for {call.name}")
        calls[call.number] = call
    if not calls:
        raise TableError(path, 1, "no rows")
    return [calls[number] for number in sorted(calls)]


class SymbolSet:
    """A set or enum of flags.tbl. symbols: (name, value in C, mask in C or None)."""

    def __init__(self, name, is_flags, headers, line):
        self.name, self.is_flags, self.headers, self.line = name, is_flags, headers, line
        self.symbols = []


def parse_symbols(words, symbol_set, mask, fail):
    """Adds a line's symbols to the set; returns the mask for the next line. "mask 0" ends a
    field: single bits follow."""
    words = iter(words)
    for word in words:
        if word == "mask":
            mask = next(words, None) or fail("mask of what?")
            if not symbol_set.is_flags:
                fail("mask is for sets")
            mask = None if mask == "0" else mask
            continue
        match = re.fullmatch(r"(\w+)(?:=(\w+))?", word) or fail(f'"{word}" is not a symbol')
        symbol_set.symbols.append((match[1], match[2] or match[1], mask))
    return mask


def parse_flags(path):
    """Returns the symbol sets by name."""
    sets, current, mask = {}, None, None
    for line_number, line in rows(path):
        def fail(text, at=line_number):
            raise TableError(path, at, text)
        words = line.split()
        if line[0].isspace():
            if not current:
                fail("symbols before the first set or enum")
            mask = parse_symbols(words, current, mask, fail)
            continue
        if words[0] not in ("set", "enum") or len(words) < 2:
            fail('expected "set NAME HEADER..." or "enum NAME HEADER..."')
        if words[1] in sets:
            fail(f"a second {words[1]}")
        current, mask = SymbolSet(words[1], words[0] == "set", words[2:], line_number), None
        sets[words[1]] = current
    return sets


# ---- writing -----------------------------------------------------------------------------

def head(what):
    return [f"/* {what} Made from personality/linux/syscalls.tbl by tools/syscallgen.py. */"]


def write_server(server, calls, header, source):
    """The table of a server's handlers, and their prototypes."""
    mine = [call for call in calls if call.owner == server or f"also_{server}" in call.flags]
    count = max(call.number for call in mine) + 1
    text = head(f"The Linux calls that {server} answers.") + [
        "#pragma once", "", "#include <lib/server/server.h>", "",
        f"extern const struct linux_call linux_calls_{server}[{count}];", ""]
    text += [f"int64_t sys_{call.name}(struct call *call);" for call in mine]
    Path(header).write_text("\n".join(text) + "\n")
    text = head(f"The Linux calls that {server} answers.") + [
        f"#include <gen/linux_calls_{server}.h>", "",
        f"const struct linux_call linux_calls_{server}[{count}] = {{"]
    for call in mine:
        flags = [f"SERVER_{flag.upper()}" for flag in ("self_cancel", "no_restart")
                 if flag in call.flags]
        text.append(f'    [{call.number}] = {{ sys_{call.name}, "{call.name}", '
                    f'{" | ".join(flags) or "0"} }},')
    Path(source).write_text("\n".join(text + ["};"]) + "\n")


ROUTER_TYPES = """
enum linux_owner { LINUX_NONE, LINUX_ROUTER, LINUX_VFS, LINUX_PROC, LINUX_MEM };

enum {
    LINUX_WAITS  = 1 << 0, /* may answer ANSWER_PENDING */
    LINUX_DIRECT = 1 << 1, /* candidate for a direct route */
};

struct thread;
typedef int64_t router_fn(struct thread *thread, unsigned nr, const uint64_t arg[6]);

struct linux_route {
    const char *name;   /* NULL: there is no such call */
    router_fn  *handle; /* LINUX_ROUTER only */
    uint8_t     owner;
    uint8_t     flags;
};
"""


def write_router(calls, header, source):
    """Owner and flags of each call; the functions of those that the router owns."""
    count = calls[-1].number + 1
    text = head("Who answers which Linux call.") + ["#pragma once", "", "#include <stdint.h>",
                                                    ROUTER_TYPES]
    text += [f"#define LINUX_CALL_COUNT {count}u", "",
             "extern const struct linux_route linux_routes[LINUX_CALL_COUNT];", ""]
    text += [f"int64_t sys_{call.name}(struct thread *thread, unsigned nr, const uint64_t arg[6]);"
             for call in calls if call.owner == "router"]
    Path(header).write_text("\n".join(text) + "\n")
    text = head("Who answers which Linux call.") + [
        "#include <asm/unistd_64.h>", "#include <gen/linux_router.h>", "#include <stddef.h>", "",
        "const struct linux_route linux_routes[LINUX_CALL_COUNT] = {"]
    for call in calls:
        handle = f"sys_{call.name}" if call.owner == "router" else "NULL"
        owner = "LINUX_NONE" if call.owner == "-" else f"LINUX_{call.owner.upper()}"
        flags = [name for flag, name in (("wait", "LINUX_WAITS"), ("direct", "LINUX_DIRECT"))
                 if flag in call.flags]
        text.append(f'    [{call.number}] = {{ "{call.name}", {handle}, {owner}, '
                    f'{" | ".join(flags) or "0"} }},')
    text += ["};", ""]
    text += [f'_Static_assert(__NR_{call.name} == {call.number}, "syscalls.tbl: {call.name}");'
             for call in calls]
    Path(source).write_text("\n".join(text) + "\n")


TRACE_TYPES = """
struct linux_argument {
    uint8_t kind;   /* enum argument_kind */
    uint8_t detail; /* index of the argument with the length, LENGTH_IS_RESULT, or symbol set */
};
#define LENGTH_IS_RESULT 7

struct linux_signature {
    const char *name; /* NULL: there is no such call */
    uint8_t     result; /* enum result_kind */
    uint8_t     count;
    struct linux_argument argument[6];
};

struct linux_symbol {
    const char *name;
    uint64_t    value, mask; /* present if (bits & mask) == value */
};

struct linux_symbols {
    bool is_flags; /* else one of the values */
    const struct linux_symbol *symbol; /* ends with a NULL name */
};
"""


def enum_of(name, prefix, members):
    lines = [f"enum {name} {{"]
    lines += [f"    {prefix}{member.upper()}," for member in members]
    return lines + ["};"]


def check_sets(calls, sets, table):
    for call in calls:
        for kind, detail in call.arguments:
            if kind in SYMBOLIC and (detail not in sets or
                                     sets[detail].is_flags != (kind == "flags")):
                raise TableError(table, 1, f"{call.name}: no {kind} {detail} in flags.tbl")


def symbol_row(symbol_set, name, value, mask):
    if not symbol_set.is_flags:
        mask = "~0ull"
    elif not mask:
        mask = f"({value}) ? ({value}) : ~0ull"
    return f'    {{ "{name}", {value}, {mask} }},'


def write_trace(calls, sets, header, source):
    """Names, signatures and symbols. The bits of a set are printed in the order of flags.tbl."""
    count = calls[-1].number + 1
    kinds = [k for k in PLAIN + list(COUNTED) + list(SYMBOLIC)]
    text = head("How Linux calls look in a trace.") + [
        "#pragma once", "", "#include <stdbool.h>", "#include <stdint.h>", ""]
    text += enum_of("argument_kind", "ARG_", kinds) + [""]
    text += enum_of("result_kind", "RESULT_", RESULTS) + [""]
    text += enum_of("symbol_set", "SYMBOLS_", sets) + [TRACE_TYPES]
    text += [f"#define LINUX_SIGNATURE_COUNT {count}u",
             "extern const struct linux_signature linux_signatures[LINUX_SIGNATURE_COUNT];",
             "extern const struct linux_symbols linux_symbols[]; /* by enum symbol_set */"]
    Path(header).write_text("\n".join(text) + "\n")
    text = head("How Linux calls look in a trace.")
    text += [f"#include <{h}>" for h in sorted({h for s in sets.values() for h in s.headers})]
    text += ["#include <gen/linux_trace.h>", "#include <stddef.h>", ""]
    text += ["const struct linux_signature linux_signatures[LINUX_SIGNATURE_COUNT] = {"]
    for call in calls:
        arguments = ", ".join(
            f"{{ ARG_{k.upper()}, {'SYMBOLS_' + d.upper() if k in SYMBOLIC else d} }}"
            for k, d in call.arguments)
        text.append(f'    [{call.number}] = {{ "{call.name}", RESULT_{call.result.upper()}, '
                    f'{len(call.arguments)}, {{ {arguments} }} }},')
    text += ["};", ""]
    for s in sets.values():
        text += [f"static const struct linux_symbol {s.name}_symbols[] = {{"]
        text += [symbol_row(s, *symbol) for symbol in s.symbols]
        text += ["    { NULL, 0, 0 },", "};"]
    text += ["", "const struct linux_symbols linux_symbols[] = {"]
    text += [f"    [SYMBOLS_{s.name.upper()}] = {{ {'true' if s.is_flags else 'false'}, "
             f"{s.name}_symbols }}," for s in sets.values()]
    Path(source).write_text("\n".join(text + ["};"]) + "\n")


def write_docs(calls, out):
    """docs/linux-calls.md: what is there, then what is not."""
    owned = [call for call in calls if call.owner != "-"]
    text = ["# Linux calls", "",
            "Made from `personality/linux/syscalls.tbl` by `tools/syscallgen.py docs`.", "",
            f"{len(owned)} of {len(calls)} calls have an owner; the others answer `ENOSYS`.", "",
            "| number | call | answered by | may wait |", "|---|---|---|---|"]
    text += [f"| {call.number} | {call.name} | {call.owner} | "
             f"{'yes' if 'wait' in call.flags else ''} |" for call in owned]
    text += ["", "Not there:", ""]
    line = ""
    for name in [call.name for call in calls if call.owner == "-"]:
        if len(line) + len(name) + 1 > 99:
            text.append(line.rstrip())
            line = ""
        line += name + " "
    Path(out).write_text("\n".join(text + [line.rstrip()]) + "\n")


def main(arguments):
    command, rest = (arguments or [""])[0], arguments[1:]
    expected = {"server": 4, "router": 3, "trace": 4, "docs": 2}
    if len(rest) != expected.get(command, -1) or command == "server" and rest[0] not in SERVERS:
        sys.exit(__doc__)
    try:
        table = rest.pop(1) if command == "server" else rest.pop(0)
        calls = parse_table(table)
        if command == "server":
            write_server(rest[0], calls, *rest[1:])
        elif command == "router":
            write_router(calls, *rest)
        elif command == "trace":
            sets = parse_flags(rest[0])
            check_sets(calls, sets, table)
            write_trace(calls, sets, *rest[1:])
        else:
            write_docs(calls, *rest)
    except (TableError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
