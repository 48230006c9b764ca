"""What is in the guest: the base of its file tree, the program to run, boot/init."""

import os
from dataclasses import dataclass, field

from . import build, paths, shells
from .archive import Archive
from .errors import (PhError, STATUS_NOT_EXECUTABLE, STATUS_NOT_FOUND, STATUS_USAGE)

PATH = '/bin:/usr/bin:/sbin:/usr/sbin'
SEARCH = [folder.strip('/') for folder in PATH.split(':')]

ETC = {
    'etc/passwd': b'root:x:0:0:root:/root:/bin/sh\n'
                  b'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    'etc/group': b'root:x:0:\nnogroup:x:65534:\n',
    'etc/hostname': b'polyhedron\n',
}


@dataclass
class Guest:
    """What the guest shall contain and do."""

    program: str         # '' : what the manifest starts, and no more
    args: list = field(default_factory=list)
    added: list = field(default_factory=list)   # "HOST[:GUEST]"
    env: list = field(default_factory=list)     # "K=V"
    cwd: str = '/'
    stdio: int = 0       # bit n: descriptor n is a terminal
    trace: bool = False
    stats: bool = False
    loop: int = 1
    manifest: os.PathLike = paths.MANIFEST
    natives: dict = field(default_factory=dict)  # further programs of boot/: name -> path
    applets: bool = False       # busybox and its applets in /bin
    damage: str | None = None   # for tests: how the archive is to be spoilt, see spoil()

    def write_archive(self, path):
        """Writes the boot archive to a file."""
        archive = self.archive()
        with open(path, 'wb') as file:
            archive.write(file)
        if self.damage:
            spoil(path, self.damage)

    def archive(self):
        """The boot archive; raises PhError when something named is not there."""
        archive = Archive()
        add_base(archive)
        add_boot(archive, self.native_manifest() or self.manifest, self.natives)
        for item in self.added:
            add_item(archive, item)
        if self.program and not self.native_manifest():
            path = self.locate(archive)
            archive.add_bytes('boot/init', self.init(path))
        if self.applets and shells.busybox():
            shells.add_busybox(archive)
        return archive

    def native_manifest(self):
        """The manifest that starts the program, if it is a native one of apps/native."""
        if not self.program or '/' in self.program:
            return None
        path = paths.TREE / 'apps' / 'native' / f'{self.program}.manifest'
        return path if path.exists() else None

    def locate(self, archive):
        """The path of the program in the guest; adds a host file to the archive."""
        if '/' in self.program:
            return add_program(archive, self.program)
        for folder in SEARCH:
            if f'{folder}/{self.program}' in archive:
                return f'/{folder}/{self.program}'
        test_programs = {**build.executables('tests/guest'), **build.executables('tests/bench')}
        if self.program in test_programs:
            archive.add_program(f'bin/{self.program}', build.stripped(test_programs[self.program]))
            return f'/bin/{self.program}'
        applet = shells.add_applet(archive, self.program)
        if applet:
            return applet
        raise PhError(f"{self.program}: not found in the guest's {PATH}\n"
                      '    (a file of the host is named with a slash: ./'
                      f'{self.program}; more files: --add)', STATUS_NOT_FOUND)

    def init(self, path):
        """boot/init as docs/architecture.md describes it."""
        strings = [f'stdio={self.stdio}', f'cwd={self.cwd}', f'trace={int(self.trace)}',
                   'uid=0', 'gid=0', f'loop={self.loop}', f'stats={int(self.stats)}',
                   'argv', path, *self.args, 'envp', *self.environment()]
        return b''.join(os.fsencode(s) + b'\0' for s in strings)

    def environment(self):
        """The program's environment: the defaults, then what the user said."""
        env = {'PATH': PATH, 'HOME': '/root', 'POLYHEDRON': '1'}
        if self.stdio:
            env['TERM'] = os.environ.get('TERM', 'linux')
        for item in self.env:
            key, equals, value = item.partition('=')
            if not key or not equals:
                raise PhError(f'--env {item}: expected K=V', STATUS_USAGE)
            env[key] = value
        return [f'{key}={value}' for key, value in env.items()]


def add_base(archive):
    """Folders, /etc and the programs of apps/."""
    for folder in ('bin', 'dev', 'etc', 'root'):
        archive.add_directory(folder, 0o700 if folder == 'root' else 0o755)
    archive.add_directory('tmp', 0o1777)
    for path, content in ETC.items():
        archive.add_bytes(path, content)
    for name, path in build.executables('apps').items():
        archive.add_program(f'bin/{name}', build.stripped(path))


def add_boot(archive, manifest, natives):
    """boot/: the manifest and the native programs."""
    archive.add_directory('boot')
    try:
        with open(manifest, 'rb') as file:
            archive.add_bytes('boot/manifest', file.read())
    except FileNotFoundError as error:
        raise PhError(f'no manifest: {error}') from error
    apps = build.executables('apps/native')
    for name, path in {**paths.NATIVE, **apps, **natives}.items():
        if path.exists():
            archive.add_program(f'boot/{name}', build.stripped(path))


def spoil(path, damage):
    """Damages a file: "cut:BYTES" or "OFFSET:BYTES" (of rubbish)."""
    where, _, count = damage.partition(':')
    if not count.isdigit() or not (where == 'cut' or where.isdigit()):
        raise PhError(f'--damage-archive {damage}: expected cut:BYTES or OFFSET:BYTES',
                      STATUS_USAGE)
    if where == 'cut':
        os.truncate(path, int(count))
        return
    with open(path, 'r+b') as file:
        file.seek(int(where))
        file.write(b'\xa5' * int(count))


def add_item(archive, item):
    """Adds --add HOST[:GUEST]."""
    host, _, guest = item.partition(':')
    if os.path.exists(item):
        host, guest = item, ''   # a name with a colon in it
    if not os.path.exists(host):
        raise PhError(f'--add {item}: {host} does not exist', STATUS_NOT_FOUND)
    try:
        archive.add_host(host, guest or os.path.abspath(host))
    except (OSError, ValueError) as error:
        raise PhError(f'--add {item}: {error}') from error


def add_program(archive, program):
    """Adds a program of the host under its absolute path, unless --add brought it."""
    path = os.path.abspath(program)
    if path in archive:
        return path
    if not os.path.exists(path):
        raise PhError(f'{program}: no such file on the host', STATUS_NOT_FOUND)
    if os.path.isdir(path):
        raise PhError(f'{program}: is a folder', STATUS_NOT_EXECUTABLE)
    try:
        archive.add_host(path, path)
    except (OSError, ValueError) as error:
        raise PhError(f'{program}: {error}', STATUS_NOT_EXECUTABLE) from error
    return path
