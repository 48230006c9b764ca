#!/usr/bin/env python3
"""Makes client stubs and server dispatch from a protocol definition (proto/README.md).

    protogen.py client FILE.def OUT.h
    protogen.py server FILE.def OUT.h OUT.c

How an operation travels (lib/server/codec.h does the work): the request's words are the
scalar parameters and the length of each bytes or string parameter, in order; the first six
are in registers, the others at the start of the UTCB's data; the bytes themselves follow,
each padded to a multiple of eight. The reply is the same, with the result as word 0.
Capabilities are the message's items, in order.
"""

import re
import sys
from pathlib import Path

UTCB_WORDS = 448
UTCB_ITEMS = 8
REGISTER_WORDS = 6
COMMON_OPERATIONS = 16
MAX_OPERATION = 0x7FFF

SCALARS = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
           "s8": "int8_t", "s16": "int16_t", "s32": "int32_t", "s64": "int64_t"}
LIMITS = {"uint8_t": "UINT8_MAX", "uint16_t": "UINT16_MAX", "uint32_t": "UINT32_MAX",
          "int8_t": "INT8_MAX", "int16_t": "INT16_MAX", "int32_t": "INT32_MAX"}
RESERVED = set("""auto break case char const continue default do double else enum extern float for
goto if inline int long register restrict return short signed sizeof static struct switch typedef
union unsigned void volatile while to call message request reply result""".split())


class DefinitionError(Exception):
    """A mistake in a .def file."""

    def __init__(self, path, line, text):
        super().__init__(f"{path}:{line}: {text}")


class Parameter:
    """One parameter of an operation."""

    def __init__(self, kind, name, size=0, rights="RIGHTS_ALL"):
        self.kind, self.name, self.size, self.rights = kind, name, size, rights

    @property
    def is_blob(self):
        return self.kind in ("bytes", "string")

    @property
    def words(self):
        """Words at the start of the message: a scalar, or the length of a blob."""
        return 0 if self.kind == "cap" else 1

    @property
    def c_type(self):
        return "cap_sel_t" if self.kind == "cap" else SCALARS.get(self.kind)


class Operation:
    """One operation: name, number, what goes in and what comes out."""

    def __init__(self, name, number, inputs, outputs):
        self.name, self.number, self.inputs, self.outputs = name, number, inputs, outputs


# ---- reading ---------------------------------------------------------------------------

def parse_parameter(text, fail):
    """Parses one parameter, such as "u32 pid" or "bytes data[512]"."""
    match = re.fullmatch(r"(\w+)\s+(\w+)(?:\s*\[\s*(\d+)\s*\])?(?:\s*:\s*([A-Z_|\s]+))?", text)
    if not match:
        fail(f'"{text}" is not a parameter: write TYPE NAME, bytes NAME[N] or cap NAME:RIGHTS')
    kind, name, size, rights = match.groups()
    if kind not in SCALARS and kind not in ("cap", "bytes", "string"):
        fail(f'unknown type "{kind}"')
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in RESERVED:
        fail(f'"{name}" can not be the name of a parameter')
    if kind in ("bytes", "string"):
        if not size or not 0 < int(size) <= UTCB_WORDS * 8:
            fail(f'{kind} {name} needs a size from 1 to {UTCB_WORDS * 8}: {name}[N]')
        if rights:
            fail(f"{kind} {name} takes no rights")
        return Parameter(kind, name, int(size))
    if size:
        fail(f"{kind} {name} takes no size")
    if rights and kind != "cap":
        fail(f"{kind} {name} takes no rights")
    return Parameter(kind, name, rights=rights.replace(" ", "") if rights else "RIGHTS_ALL")


def check_size(parameters, extra, fail):
    """A message must fit into registers and UTCB in its largest form."""
    words = extra + sum(p.words for p in parameters)
    blobs = sum((p.size + 7) // 8 for p in parameters if p.is_blob)
    total = max(0, words - REGISTER_WORDS) + blobs
    if total > UTCB_WORDS:
        fail(f"the message needs up to {total} words of the UTCB, which has {UTCB_WORDS}")
    if sum(p.kind == "cap" for p in parameters) > UTCB_ITEMS:
        fail(f"more than {UTCB_ITEMS} capabilities")


def parse_operation(line, server, fail):
    match = re.fullmatch(r"op\s+(\S+)\s+(\S+)\s*\(([^()]*)\)\s*->\s*\(([^()]*)\)", line)
    if not match:
        fail('an operation is "op NAME NUMBER (IN, ...) -> (OUT, ...)"')
    name, number, inputs, outputs = match.groups()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        fail(f'"{name}" can not be the name of an operation')
    if not number.isdecimal():
        fail(f'"{number}" is not a number')
    lowest, highest = (0, COMMON_OPERATIONS - 1) if server == "common" else (
        COMMON_OPERATIONS, MAX_OPERATION)
    if not lowest <= int(number) <= highest:
        fail(f"operation numbers of {server} go from {lowest} to {highest}")
    parsed = [[parse_parameter(p.strip(), fail) for p in part.split(",")] if part.strip() else []
              for part in (inputs, outputs)]
    names = [p.name for part in parsed for p in part]
    for repeated in sorted({n for n in names if names.count(n) > 1}):
        fail(f'two parameters are named "{repeated}"')
    if any(p.kind == "string" for p in parsed[1]):
        fail("a string can only go in; bytes come out")
    check_size(parsed[0], 0, fail)
    check_size(parsed[1], 1, fail)
    return Operation(name, int(number), *parsed)


def parse(path):
    """Returns (server name, operations) of a definition file."""
    server, operations, line_number = None, [], 0

    def fail(text):
        raise DefinitionError(path, line_number, text)

    for line_number, line in enumerate(Path(path).read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        words = line.split()
        if words[0] == "server":
            if server:
                fail("a second server in the same file")
            if len(words) != 2 or not re.fullmatch(r"[a-z][a-z0-9_]*", words[1]):
                fail('expected "server NAME"')
            server = words[1]
        elif words[0] == "op":
            if not server:
                fail('an operation before "server NAME"')
            operation = parse_operation(line, server, fail)
            for other in operations:
                if operation.number == other.number:
                    fail(f"number {other.number} is taken by {other.name}")
                if operation.name == other.name:
                    fail(f"a second operation {other.name}")
            operations.append(operation)
        else:
            fail(f'expected "server" or "op", not "{words[0]}"')
    if not server:
        raise DefinitionError(path, 1, 'no "server NAME" in this file')
    return server, operations


# ---- writing ---------------------------------------------------------------------------

def wrap(text, indent):
    """Breaks a parameter list at 100 columns."""
    lines, line = [], ""
    for piece in text:
        if line and len(line.rstrip()) + len(piece.rstrip()) > 99:
            lines.append(line.rstrip())
            line, piece = " " * indent, piece.lstrip()
        line += piece
    return "\n".join(lines + [line])


def signature(head, operation):
    """The C declarator of a stub or a handler, without the body."""
    parameters = []
    for p in operation.inputs:
        if p.kind == "string":
            parameters.append(f"const char *{p.name}")
        elif p.kind == "bytes":
            parameters += [f"const void *{p.name}", f"size_t {p.name}_bytes"]
        else:
            parameters.append(f"{p.c_type} {p.name}")
    for p in operation.outputs:
        if p.kind == "bytes":
            parameters += [f"void *{p.name}", f"size_t *{p.name}_bytes"]
        else:
            parameters.append(f"{p.c_type} *{p.name}")
    pieces = [head + ("," if parameters else ")")]
    pieces += [f" {p}{')' if i + 1 == len(parameters) else ','}" for i, p in enumerate(parameters)]
    return wrap(pieces, head.index("(") + 1)


def encode(p, value, length):
    """The statement that adds a parameter to a message."""
    if p.kind == "string":
        return f"encode_string(&request, {value}, {p.size});"
    if p.kind == "bytes":
        return f"encode_bytes(%s, {value}, {length}, {p.size});"
    if p.kind == "cap":
        return f"encode_cap(%s, {value}, {p.rights});"
    wide = "(uint64_t)" if p.kind[0] == "u" else "(uint64_t)(int64_t)"
    return f"encode_word(%s, {wide}{value});"


def decode_scalar(p, source):
    limit = LIMITS.get(p.c_type)
    if p.kind == "u64":
        return f"decode_word({source})"
    if p.kind == "s64":
        return f"(int64_t)decode_word({source})"
    if p.kind[0] == "u":
        return f"({p.c_type})decode_unsigned({source}, {limit})"
    return f"({p.c_type})decode_signed({source}, {limit})"


def word_count(parameters):
    return sum(p.words for p in parameters)


def client_stub(server, operation):
    lines = [signature(f"static inline int64_t {server}_{operation.name}"
                       "(const struct server_ref *to", operation)]
    lines += ["{",
              "    struct ipc_message message;",
              "    struct encoder request;",
              "    struct decoder reply;",
              "    int64_t result;",
              "",
              f"    ipc_message_init(&message, LABEL_OPERATION | "
              f"{server.upper()}_OP_{operation.name.upper()});",
              f"    encode_begin(&request, &message, {word_count(operation.inputs)});"]
    for p in operation.inputs:
        statement = encode(p, p.name, f"{p.name}_bytes")
        lines.append("    " + (statement % "&request" if "%s" in statement else statement))
    lines += ["    result = encode_end(&request);",
              "    if (!result)",
              "        result = ipc_call(to, &message);",
              "    result = decode_reply_begin(&reply, &message, result, "
              f"{word_count(operation.outputs) + 1});"]
    for p in operation.outputs:
        if p.kind == "bytes":
            lines.append(f"    decode_bytes(&reply, {p.name}, *{p.name}_bytes, {p.name}_bytes);")
        elif p.kind == "cap":
            lines.append(f"    decode_reply_cap(&reply, {p.name});")
        else:
            lines += [f"    {p.c_type} {p.name}_value = {decode_scalar(p, '&reply')};",
                      f"    if ({p.name})",
                      f"        *{p.name} = {p.name}_value;"]
    lines += ["    return decode_reply_end(&reply, result);", "}"]
    return "\n".join(lines)


def client_header(server, operations, source):
    parts = [f"/* Client stubs of {server}. Made from {source} by tools/protogen.py. */",
             "#pragma once", "", "#include <lib/server/codec.h>", "#include <lib/server/server.h>",
             "", f"enum {server}_operation {{"]
    parts += [f"    {server.upper()}_OP_{o.name.upper()} = {o.number}," for o in operations]
    parts += ["};", "", "/* For traces; NULL: no such operation. */",
              f"static inline const char *{server}_op_name(unsigned number)", "{",
              "    switch (number) {"]
    parts += [f'    case {o.number}: return "{o.name}";' for o in operations]
    parts += ["    default: return NULL;", "    }", "}", ""]
    for operation in operations:
        parts += [client_stub(server, operation), ""]
    return "\n".join(parts)


def server_header(server, operations, source):
    parts = [f"/* The operations that {server} implements. Made from {source} by tools/protogen.py. */",
             "#pragma once", "", f"#include <gen/{server}_client.h>", "",
             "/* Decodes an operation, calls its handler and encodes the answer. */",
             f"void {server}_dispatch(struct call *call, struct ipc_message *message);", ""]
    for o in operations:
        parts.append(signature(f"int64_t {server}_op_{o.name}(struct call *call", o) + ";")
    return "\n".join(parts) + "\n"


def server_locals(operation):
    """Declarations of what a dispatch function decodes into and encodes from."""
    lines = []
    for p in operation.inputs:
        if p.kind == "bytes":
            lines += [f"    _Alignas(8) uint8_t {p.name}[{p.size}];", f"    size_t {p.name}_bytes;"]
        elif p.kind == "string":
            lines += [f"    char {p.name}[{p.size}];"]
        else:
            lines += [f"    {p.c_type} {p.name};"]
    for p in operation.outputs:
        if p.kind == "bytes":
            lines += [f"    _Alignas(8) uint8_t {p.name}[{p.size}] = {{ 0 }};",
                      f"    size_t {p.name}_bytes = sizeof {p.name};"]
        else:
            initial = "SEL_NONE" if p.kind == "cap" else "0"
            lines += [f"    {p.c_type} {p.name} = {initial};"]
    return lines


def server_function(server, operation):
    lines = [f"static void dispatch_{operation.name}(struct call *call, struct ipc_message *message)",
             "{", "    struct decoder request;", "    struct encoder reply;", "    int64_t result;"]
    lines += server_locals(operation)
    lines += ["", f"    decode_begin(&request, message, {word_count(operation.inputs)});"]
    arguments = ["call"]
    for p in operation.inputs:
        arguments.append(p.name)
        if p.kind == "bytes":
            lines.append(f"    decode_bytes(&request, {p.name}, sizeof {p.name}, &{p.name}_bytes);")
            arguments.append(f"{p.name}_bytes")
        elif p.kind == "string":
            lines.append(f"    decode_string(&request, {p.name}, sizeof {p.name});")
        elif p.kind == "cap":
            lines.append(f"    {p.name} = decode_cap(&request);")
        else:
            lines.append(f"    {p.name} = {decode_scalar(p, '&request')};")
    for p in operation.outputs:
        arguments.append(p.name if p.kind == "bytes" else f"&{p.name}")
        if p.kind == "bytes":
            arguments.append(f"&{p.name}_bytes")
    call = [f"        result = {server}_op_{operation.name}("]
    call += [a + (");" if i + 1 == len(arguments) else ", ") for i, a in enumerate(arguments)]
    lines += ["    result = decode_end(&request);", "    if (!result)", wrap(call, 12)]
    caps = [p.name for p in operation.inputs if p.kind == "cap"]
    if caps:
        lines += ["    if (result < 0) {"] + [f"        ipc_cap_drop({c});" for c in caps] + ["    }"]
    lines += [f"    encode_begin(&reply, message, {word_count(operation.outputs) + 1});",
              "    encode_word(&reply, (uint64_t)result);"]
    for p in operation.outputs:
        lines.append("    " + encode(p, p.name, f"{p.name}_bytes") % "&reply")
    lines += ["    encode_reply_end(&reply);", "}"]
    return "\n".join(lines)


def server_source(server, operations, source):
    parts = [f"/* Dispatch of {server}. Made from {source} by tools/protogen.py. */",
             f"#include <gen/{server}_server.h>", ""]
    for operation in operations:
        parts += [server_function(server, operation), ""]
    parts += [f"void {server}_dispatch(struct call *call, struct ipc_message *message)", "{",
              "    switch (message->label & ~LABEL_OPERATION) {"]
    parts += [f"    case {server.upper()}_OP_{o.name.upper()}: dispatch_{o.name}(call, message); break;"
              for o in operations]
    parts += ["    default: decode_refuse(message); break;", "    }", "}"]
    return "\n".join(parts) + "\n"


def main(arguments):
    if len(arguments) < 3 or arguments[0] not in ("client", "server"):
        sys.exit(__doc__)
    try:
        server, operations = parse(arguments[1])
    except (DefinitionError, OSError) as error:
        sys.exit(str(error))
    source = f"proto/{Path(arguments[1]).name}"
    if arguments[0] == "client":
        Path(arguments[2]).write_text(client_header(server, operations, source))
    else:
        Path(arguments[2]).write_text(server_header(server, operations, source))
        Path(arguments[3]).write_text(server_source(server, operations, source))


if __name__ == "__main__":
    main(sys.argv[1:])
