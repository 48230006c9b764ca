"""Turns the addresses of "@backtrace NAME ADDRESS..." lines into functions and source lines."""

import subprocess

from . import build, paths

MARK = '@backtrace '
KERNEL_HALF = 1 << 63


def symbolise(lines, kernel=None):
    """The lines, each backtrace followed by the places that its addresses name.

    kernel: the image that ran, if it was not the build's.
    """
    result = []
    for line in lines:
        result.append(line)
        _, mark, rest = line.partition(MARK)
        if mark:
            result += [f'    {place}' for place in places(kernel, *rest.split())]
    return result


def places(kernel, name, *addresses):
    """"address: function at file:line" for each address of a program."""
    values = [int(address, 16) for address in addresses]
    if name == 'kernel' and values and values[0] < KERNEL_HALF:
        name = 'root'   # the kernel tells of the death of the root program
    elf = kernel if kernel and name == 'kernel' else elf_of(name)
    if elf is None or not values:
        return []
    # All but the first are return addresses: the call is just before.
    command = ['addr2line', '-e', str(elf), '-f', '-p',
               *(hex(value - 1 if at else value) for at, value in enumerate(values))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [f'{value:#x}: {line.replace(f"{paths.TREE}/", "").replace("../", "")}'
            for value, line in zip(values, done.stdout.splitlines()) if '?? ' not in line]


def elf_of(name):
    """The ELF file with symbols of a program of boot/, None if there is none."""
    programs = {'kernel': paths.KERNEL, 'root': paths.ROOTTASK, **paths.NATIVE}
    path = programs.get(name)
    if path is None:
        for folder in ('apps/native', *server_test_folders()):
            path = path or build.executables(folder).get(name)
    return path if path and path.exists() else None


def server_test_folders():
    """Where the build puts the test programs of servers."""
    return [str(folder.relative_to(paths.TREE))
            for folder in sorted((paths.TREE / 'tests' / 'servers').glob('*/'))]
