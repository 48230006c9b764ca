"""The Debian packages that the project needs: the one list, and how to get them."""

import os
import shutil
import subprocess
import sys

from .errors import PhError

# By what they are for. "ph run" asks only for BUILD and RUN.
BUILD = ['gcc', 'binutils', 'meson', 'ninja-build', 'python3', 'musl-tools', 'libcmocka-dev',
         'linux-libc-dev', 'uthash-dev']
RUN = ['qemu-system-x86']
TEST = ['busybox-static', 'bash-static', 'mksh', 'golang-petname', 'gojq']
DEBUG = ['gdb']
ALL = BUILD + RUN + TEST + DEBUG

# What to look for where there is no dpkg.
COMMANDS = {'gcc': 'gcc', 'binutils': 'strip', 'meson': 'meson', 'ninja-build': 'ninja',
            'musl-tools': 'musl-gcc', 'qemu-system-x86': 'qemu-system-x86_64', 'gdb': 'gdb',
            'busybox-static': 'busybox', 'bash-static': 'bash-static', 'mksh': 'mksh',
            'golang-petname': 'golang-petname', 'gojq': 'gojq'}


def missing(wanted):
    """Those of the wanted packages that are not installed."""
    if not shutil.which('dpkg-query'):
        return [p for p in wanted if p in COMMANDS and not shutil.which(COMMANDS[p])]
    query = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n', *wanted],
                           capture_output=True, text=True, check=False)
    installed = {line.split()[0] for line in query.stdout.splitlines()
                 if line.endswith(' installed')}
    return [p for p in wanted if p not in installed]


def apt_install(wanted):
    """The apt-get command that installs the packages."""
    return ['apt-get', 'install', '-y', '-q', '--no-install-recommends', *wanted]


def ensure(wanted):
    """Installs what is missing; without the right to, says how and stops."""
    lacking = missing(wanted)
    if not lacking:
        return
    command = apt_install(lacking)
    if os.geteuid() != 0 or not shutil.which('apt-get'):
        raise PhError('these packages are missing; install them with\n'
                      f'    sudo {" ".join(command)}')
    print(f'ph: installing {" ".join(lacking)}', file=sys.stderr)
    env = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    first = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, check=False)
    if first.returncode == 0:
        return
    # The lists of packages may be old or absent.
    subprocess.run(['apt-get', 'update', '-q'], env=env, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    second = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=False)
    if second.returncode != 0:
        raise PhError(f'{" ".join(command)} failed:\n{second.stdout}{second.stderr}')
