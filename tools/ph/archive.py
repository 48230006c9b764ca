"""Writes the boot archive: a tar file whose file contents begin on page boundaries.

The format is POSIX.1-2001 pax on ustar: before a regular file comes, where needed,
an extended header with a comment of such a length that the content that follows
begins at a multiple of 4096 bytes, so that the file server can hand out its frames.
Any tar program reads it. The same input gives the same bytes.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

BLOCK = 512
PAGE = 4096
EPOCH = 1704067200  # of what the build makes: 2024-01-01 00:00:00 UTC
TYPES = {'file': b'0', 'link': b'2', 'directory': b'5', 'extended': b'x'}


@dataclass
class Member:
    """One entry: content is bytes, a Path to read from, or the target of a link."""

    kind: str
    mode: int
    content: bytes | Path | str = b''
    mtime: int = EPOCH

    def size(self):
        """Bytes of content that follow the header."""
        if self.kind != 'file':
            return 0
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content)


class Archive:
    """Collects entries by their path in the guest (without the leading slash)."""

    def __init__(self):
        self.members = {}

    def __contains__(self, path):
        return path.strip('/') in self.members

    def add(self, path, member):
        """Adds an entry and the folders above it; a later entry replaces an earlier one."""
        path = os.path.normpath(path).strip('/')
        if path in ('', '.'):
            return
        parent = os.path.dirname(path)
        if parent and parent not in self.members:
            self.add(parent, Member('directory', 0o755))
        self.members[path] = member

    def add_bytes(self, path, content, mode=0o644):
        """Adds a file with this content."""
        self.add(path, Member('file', mode, content))

    def add_directory(self, path, mode=0o755):
        """Adds an empty folder."""
        self.add(path, Member('directory', mode))

    def add_program(self, path, source):
        """Adds an executable that the build made."""
        self.add(path, Member('file', 0o755, Path(source)))

    def add_host(self, source, path):
        """Adds a file of the host, or a folder with all that is in it.

        A symbolic link that is named itself is followed, those within a folder are kept.
        """
        info = os.stat(source)
        mode, mtime = stat.S_IMODE(info.st_mode), int(info.st_mtime)
        if stat.S_ISREG(info.st_mode):
            self.add(path, Member('file', mode, Path(source), mtime))
        elif stat.S_ISDIR(info.st_mode):
            self.add(path, Member('directory', mode, mtime=mtime))
            for entry in sorted(os.scandir(source), key=lambda e: e.name):
                self._add_entry(entry, os.path.join(path, entry.name))
        else:
            raise ValueError(f'{source} is neither a file nor a folder')

    def _add_entry(self, entry, path):
        if entry.is_symlink():
            mtime = int(entry.stat(follow_symlinks=False).st_mtime)
            self.add(path, Member('link', 0o777, os.readlink(entry.path), mtime))
        elif entry.is_file() or entry.is_dir():
            self.add_host(entry.path, path)

    def write(self, file):
        """Writes the archive to a binary file: what is in boot/ first, then by name."""
        writer = Writer(file)
        for path in sorted(self.members, key=lambda p: (p.split('/')[0] != 'boot', p)):
            writer.member(path, self.members[path])
        writer.end()


class Writer:
    """Puts members one after another into a file, and counts the bytes."""

    def __init__(self, file):
        self.file = file
        self.offset = 0

    def put(self, data):
        """Writes bytes."""
        self.file.write(data)
        self.offset += len(data)

    def fill_block(self):
        """Fills up the last block with zeros."""
        self.put(bytes(-self.offset % BLOCK))

    def member(self, path, member):
        """Writes the headers and the content of one member."""
        name = path + '/' if member.kind == 'directory' else path
        target = member.content if member.kind == 'link' else ''
        records = b''
        prefix, short = split_name(name)
        if prefix is None:
            records += record('path', os.fsencode(name))
            prefix, short = b'', os.fsencode(name)[:100]
        if len(os.fsencode(target)) > 100:
            records += record('linkpath', os.fsencode(target))
        size = member.size()
        self.extended(records, align=member.kind == 'file' and size > 0)
        self.put(header(short, member.kind, member.mode, size, member.mtime,
                        os.fsencode(target)[:100], prefix))
        if size:
            self.content(member.content, size)

    def extended(self, records, align):
        """Writes an extended header if there are records, or padding is needed."""
        body = -(-len(records) // BLOCK) * BLOCK
        if align:
            end = self.offset + (BLOCK + body if records else 0) + BLOCK
            gap = -end % PAGE
            if gap and not records:
                # The header of the header takes a block as well, and an empty one is no use.
                gap = gap - BLOCK if gap > BLOCK else gap - BLOCK + PAGE
            body += gap
        if body == 0:
            return
        if body - len(records) >= BLOCK:
            records += comment(body - len(records))
        self.put(header(b'pax', 'extended', 0o644, len(records), 0, b'', b''))
        self.put(records)
        self.fill_block()

    def content(self, content, size):
        """Writes the content of a file and fills the last block."""
        if isinstance(content, bytes):
            self.put(content)
        else:
            self.copy(content, size)
        self.fill_block()

    def copy(self, path, size):
        """Copies a file of the host that must still have the size it had."""
        left = size
        with open(path, 'rb') as source:
            while left:
                data = source.read(min(left, 1 << 20))
                if not data:
                    raise ValueError(f'{path} became shorter while it was read')
                self.put(data)
                left -= len(data)

    def end(self):
        """Two blocks of zeros end an archive."""
        self.put(bytes(2 * BLOCK))


def split_name(name):
    """Splits a path into ustar's prefix and name; (None, None) if it does not fit."""
    raw = os.fsencode(name)
    if len(raw) <= 100:
        return b'', raw
    cut = raw.find(b'/', len(raw) - 101)
    if cut == -1 or cut > 155 or cut == len(raw) - 1:
        return None, None
    return raw[:cut], raw[cut + 1:]


def record(key, value):
    """A record of an extended header: its own length in decimal, a blank, key=value."""
    rest = b' ' + key.encode() + b'=' + value + b'\n'
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def comment(length):
    """A comment record that is length (at least 16) bytes long."""
    start = f'{length} comment='.encode()
    return start + b'.' * (length - len(start) - 1) + b'\n'


def octal(value, width):
    """A number field of a tar header."""
    return f'{value:0{width - 1}o}'.encode() + b'\0'


def header(name, kind, mode, size, mtime, target, prefix):
    """A ustar header, owned by root."""
    fields = [name.ljust(100, b'\0'), octal(mode, 8), octal(0, 8), octal(0, 8), octal(size, 12),
              octal(max(mtime, 0), 12), b' ' * 8, TYPES[kind], target.ljust(100, b'\0'),
              b'ustar\0' + b'00', b'root'.ljust(32, b'\0'), b'root'.ljust(32, b'\0'),
              octal(0, 8), octal(0, 8), prefix.ljust(155, b'\0')]
    raw = b''.join(fields).ljust(BLOCK, b'\0')
    checksum = f'{sum(raw):06o}'.encode() + b'\0 '
    return raw[:148] + checksum + raw[156:]
