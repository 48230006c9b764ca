"""Makes the data that program tests find under /data in the guest: the same each time."""

import gzip
import importlib.util
import io
import os
import random
import shutil
import tarfile
from pathlib import Path

MTIME = 1600000000
WORDS = ('alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike '
         'november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee '
         'zulu needle').split()


def elf_files():
    """The ELF files of elf_maker.py."""
    path = Path(__file__).with_name('elf_maker.py')
    spec = importlib.util.spec_from_file_location('elf_maker', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.files()


def text(rng, lines):
    """Lines of words and numbers."""
    return ''.join(' '.join([str(rng.randrange(10000)), *rng.choices(WORDS, k=6)]) + '\n'
                   for _ in range(lines))


def make_tree(folder):
    """A small tree: folders, files of several sizes, links."""
    rng = random.Random(1)
    for number in range(4):
        sub = folder / f'dir{number}' / 'deep'
        sub.mkdir(parents=True)
        for size in (0, 1, 20, 200):
            (sub / f'file{size}').write_text(text(rng, size))
        (sub.parent / 'link').symlink_to('deep/file20')
    (folder / 'broken').symlink_to('nowhere')
    (folder / 'private').write_text('secret\n')
    (folder / 'private').chmod(0o600)
    (folder / 'name with blanks').write_text('blanks\n')
    (folder / 'x').write_text('x\n')


def make_files(folder):
    """Single files: 5 MiB of bytes, lines to sort, words to compress."""
    rng = random.Random(2)
    (folder / 'five-mib').write_bytes(rng.randbytes(5 << 20))
    (folder / 'lines').write_text(text(rng, 5000))
    (folder / 'short').write_text(text(rng, 10))
    (folder / 'table').write_text(''.join(f'{n}\t{n * n}\t{WORDS[n % 27]}\n' for n in range(200)))


def make_archives(folder):
    """A tar archive, a compressed file, and one that is damaged."""
    rng = random.Random(3)
    with tarfile.open(folder / 'short.tar', 'w', format=tarfile.USTAR_FORMAT) as tar:
        for name in ('one', 'sub/two', 'sub/three'):
            content = text(rng, 30).encode()
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), MTIME, 0o640
            tar.addfile(info, io.BytesIO(content))
    packed = gzip.compress(text(rng, 3000).encode(), mtime=MTIME)
    (folder / 'lines.gz').write_bytes(packed)
    middle = len(packed) // 2
    (folder / 'corrupt.gz').write_bytes(packed[:middle] + bytes(100) + packed[middle + 100:])


def settle(folder):
    """Fixed modes and times for everything, from the leaves up."""
    for path, folders, files in os.walk(folder, topdown=False):
        for name in folders + files:
            item = os.path.join(path, name)
            if not os.path.islink(item):
                private = name == 'private'
                executable = os.path.isdir(item) or os.path.basename(path) in ('elf', 'scripts')
                os.chmod(item, 0o600 if private else 0o755 if executable else 0o644)
            os.utime(item, (MTIME, MTIME), follow_symlinks=False)
    os.utime(folder, (MTIME, MTIME))


def make(folder):
    """Makes everything anew in this folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ('tree', 'files', 'tar', 'elf', 'scripts'):
        (folder / name).mkdir(parents=True)
    make_tree(folder / 'tree')
    make_files(folder / 'files')
    make_archives(folder / 'tar')
    for name, content in elf_files().items():
        (folder / 'elf' / name).write_bytes(content)
    for script in (Path(__file__).parent / 'scripts').iterdir():
        shutil.copyfile(script, folder / 'scripts' / script.name)
    settle(folder)
