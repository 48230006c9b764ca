"""Turns addresses in the log into functions and source lines."""

import re
import subprocess

from . import build, paths

ADDRESS = re.compile(r'\b(?:0x)?([0-9a-f]{6,16})\b')
KERNEL_HALF = 1 << 63
MARKS = ('backtrace', 'rip', ' ip ', 'panic')


def symbolise(lines):
    """The lines; after each that tells of a backtrace or an instruction pointer, what is there."""
    result = []
    for line in lines:
        result.append(line)
        if any(mark in line.lower() for mark in MARKS):
            result += [f'    {place}' for place in places(line)]
    return result


def places(line):
    """"function at file:line" for each code address in a line."""
    found = {}
    for match in ADDRESS.finditer(line.lower()):
        value = int(match[1], 16)
        elf = elf_for(line, value)
        if elf is not None:
            found.setdefault(elf, []).append(value)
    return [text for elf, values in found.items() for text in addr2line(elf, values)]


def elf_for(line, address):
    """The ELF file that an address of a log line belongs to, None if it is not known."""
    if address >= KERNEL_HALF:
        return paths.KERNEL if paths.KERNEL.exists() else None
    programs = {'root': paths.ROOTTASK, 'roottask': paths.ROOTTASK, **paths.NATIVE,
                **build.executables('apps/native'), **build.executables('tests/native')}
    for name, path in programs.items():
        if re.search(rf'\b{re.escape(name)}\b', line) and path.exists():
            return path
    return None


def addr2line(elf, addresses):
    """Asks addr2line; addresses without a symbol are left out."""
    command = ['addr2line', '-e', str(elf), '-f', '-i', '-p', '-a', *map(hex, addresses)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.replace(f'{paths.TREE}/', '').replace('../', '')
            for line in done.stdout.splitlines() if '?? ' not in line]
