"""Shells and tools of the host for the guest: static busybox with its applets, other shells."""

import functools
import os
import shutil
import struct
import subprocess

from .archive import Member
from .errors import PhError, STATUS_NOT_FOUND

ELF_HEADER = struct.Struct('<16sHHIQQQIHHHHHH')
PT_INTERP = 3
# Name -> where Debian has the static one, and the prompt, each in the shell's own language.
SHELLS = {
    'bash': (('bash-static',), 'polyhedron:\\w\\$ '),
    'mksh': (('/usr/lib/x86_64-linux-musl/bin/mksh', 'mksh-static'), 'polyhedron:$PWD# '),
    'zsh': (('zsh-static', '/usr/bin/zsh5-static'), 'polyhedron:%~%# '),
    'sash': (('sash',), '> '),
}
BUSYBOX_PROMPT = 'polyhedron:\\w\\$ '


def is_static(path):
    """Whether it is an ELF file that asks for no dynamic linker."""
    try:
        with open(path, 'rb') as file:
            raw = file.read(ELF_HEADER.size)
            if len(raw) < ELF_HEADER.size or raw[:4] != b'\x7fELF':
                return False
            fields = ELF_HEADER.unpack(raw)
            offset, size, count = fields[5], fields[9], fields[10]
            file.seek(offset)
            headers = file.read(size * count)
    except OSError:
        return False
    kinds = [struct.unpack_from('<I', headers, at)[0] for at in range(0, len(headers) - 3, size)]
    return PT_INTERP not in kinds


@functools.cache
def busybox():
    """The real path of the host's static busybox, or None."""
    path = shutil.which('busybox')
    return os.path.realpath(path) if path and is_static(os.path.realpath(path)) else None


@functools.cache
def applets():
    """The names that busybox answers to."""
    if not busybox():
        return ()
    done = subprocess.run([busybox(), '--list'], capture_output=True, text=True, check=False)
    return tuple(done.stdout.split())


def add_busybox(archive):
    """Puts busybox into /bin, with a link for each applet that is not there otherwise."""
    if 'bin/busybox' not in archive:
        archive.add_host(busybox(), 'bin/busybox')
    for name in applets():
        if f'bin/{name}' not in archive:
            archive.add(f'bin/{name}', Member('link', 0o777, 'busybox'))


def add_applet(archive, name):
    """The path in the guest of the busybox applet of that name, or None if there is none."""
    if name != 'busybox' and name not in applets() or not busybox():
        return None
    add_busybox(archive)
    return f'/bin/{name}'


def find(name):
    """The host's file for --shell NAME: a known shell, a path, or what PATH has."""
    places, _ = SHELLS.get(name, ((name,), ''))
    for place in places:
        path = shutil.which(place)
        if path and (is_static(os.path.realpath(path)) or '/' in name):
            return os.path.abspath(path)
    if '/' in name:
        return name   # why it can not be added is told by who adds it
    raise PhError(f'--shell {name}: no static program of that name on the host',
                  STATUS_NOT_FOUND)


def prompt(name):
    """What PS1 is for a shell."""
    return SHELLS.get(os.path.basename(name).removesuffix('-static'), ((), '$ '))[1]
