"""Runs meson and ninja, quietly unless they fail."""

import fcntl
import json
import shutil
import subprocess
import sys
from contextlib import contextmanager

from . import packages, paths
from .errors import PhError


@contextmanager
def build_lock():
    """Keeps two ph commands from building at the same time."""
    paths.CACHE.mkdir(exist_ok=True)
    with open(paths.CACHE / f'{paths.BUILD.name}.lock', 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_quietly(command):
    """Runs a command in the tree; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=paths.TREE, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.stderr.flush()
        sys.stderr.buffer.write(done.stdout)
        sys.stderr.flush()
        raise PhError(f'{" ".join(map(str, command))} failed')


def build(wanted=None):
    """Builds what is stale; installs the tools first if they are missing."""
    packages.ensure(packages.BUILD if wanted is None else wanted)
    with build_lock():
        if not (paths.BUILD / 'build.ninja').exists():
            print(f'ph: configuring {paths.BUILD.name}/', file=sys.stderr)
            run_quietly(['meson', 'setup', str(paths.BUILD)])
        run_quietly(['ninja', '-C', str(paths.BUILD)])


def clean():
    """Removes the build tree and what ph remembers."""
    for folder in (paths.BUILD, paths.CACHE):
        if folder.exists():
            shutil.rmtree(folder)


def executables(folder):
    """Programs that the build makes directly in this folder of the build tree, by name."""
    intro = paths.BUILD / 'meson-info' / 'intro-targets.json'
    if not intro.exists():
        return {}
    found = {}
    for target in json.loads(intro.read_text(encoding='utf-8')):
        if target['type'] != 'executable':
            continue
        for name in target['filename']:
            path = type(paths.BUILD)(name)
            if path.parent == paths.BUILD / folder and path.exists():
                found[path.name] = path
    return found


def stripped(path):
    """A copy of an ELF file without symbols; made anew when the file is younger."""
    copy = paths.BUILD / 'ph-stripped' / path.relative_to(paths.BUILD)
    if not copy.exists() or copy.stat().st_mtime <= path.stat().st_mtime:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with build_lock():
            run_quietly(['strip', '-o', str(copy), str(path)])
    return copy
