"""Where things are in the source tree and in the build tree."""

import os
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
# Another build folder than build/ can be named, relative to the tree, by PH_BUILD.
BUILD = TREE / os.environ.get('PH_BUILD', 'build')
CACHE = TREE / '.cache'

KERNEL = BUILD / 'kernel' / 'polyhedron.elf'
ROOTTASK = BUILD / 'roottask' / 'roottask'
MANIFEST = TREE / 'boot' / 'manifest'

# Native programs of the boot archive: name under boot/ -> file in the build tree.
NATIVE = {
    'console': BUILD / 'drivers' / 'console' / 'console',
    'vfs': BUILD / 'servers' / 'vfs' / 'vfs',
    'proc': BUILD / 'servers' / 'proc' / 'proc',
    'mem': BUILD / 'servers' / 'mem' / 'mem',
    'router': BUILD / 'servers' / 'syscall-router' / 'router',
}
