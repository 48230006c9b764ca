"""Suite programs: the same program in the guest and on the host, with one expected result."""

import importlib.util
import os
import subprocess
import tempfile
import time
from pathlib import Path

from .. import paths
from ..archive import EPOCH
from ..guest import Guest
from . import native, vm
from .case import Case, read_cases
from .outcome import FAIL, OK, SKIP, Job, Outcome

FOLDER = paths.TREE / 'tests' / 'programs'
DATA = paths.CACHE / 'test-data'
# Name -> options of ph run: in each of these, the quick cases must pass as well.
MATRIX = {
    '@smp4': ['--smp', '4'],
    '@qemu64': ['--cpu', 'qemu64'],
    '@smp4-qemu64': ['--smp', '4', '--cpu', 'qemu64'],
    '@32M': ['--mem', '32M'],
    '@4G': ['--mem', '4G'],
}
DEVICES = {'null': (1, 3, 0o666), 'zero': (1, 5, 0o666), 'full': (1, 7, 0o666),
           'random': (1, 8, 0o666), 'urandom': (1, 9, 0o666), 'tty': (5, 0, 0o666),
           'console': (5, 1, 0o600)}


def load(path):
    """Imports a Python file of tests/programs."""
    spec = importlib.util.spec_from_file_location(f'programs_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def jobs():
    """The cases of all files, the quick ones once more for each configuration."""
    make_data()
    cases = [case for path in sorted(FOLDER.glob('*.toml')) for case in read_cases(path)]
    cases += load(FOLDER / 'cases_exec.py').cases(Case, sorted(os.listdir(DATA / 'elf')))
    found = [item for case in cases for item in case_jobs(case)]
    for path in sorted(FOLDER.glob('check_*.py')):
        found += check_jobs(path)
    return found or [native.absent('programs')]


def case_jobs(case):
    """The job for a case; for a quick one, those for the other configurations as well."""
    name = f'programs/{case.group}/{case.name}'
    found = [job(name, case, [], case.quick)]
    if case.quick:
        found += [job(name + suffix, case, options, False) for suffix, options in MATRIX.items()]
    return found


def job(name, case, options, quick):
    """The job for a case in one configuration."""
    return Job(name, lambda: [run(name, case, options)], quick=quick)


def check_jobs(path):
    """Each function check_* of a Python file is a test; it raises AssertionError."""
    module = load(path)
    group = path.stem.removeprefix('check_')
    found = []
    for key, function in vars(module).items():
        if key.startswith('check_'):
            name = f'programs/{group}/{key.removeprefix("check_")}'
            found.append(Job(name, lambda f=function, n=name: [run_check(n, f)],
                             quick=getattr(function, 'quick', False)))
    return found


def run_check(name, function):
    """Runs one function."""
    start = time.monotonic()
    try:
        function()
    except AssertionError as error:
        return Outcome(name, FAIL, str(error), time.monotonic() - start)
    return Outcome(name, OK, '', time.monotonic() - start)


def make_data():
    """Makes the test data anew where the program that makes it has changed."""
    maker = load(FOLDER / 'data.py')
    stamp = DATA / 'stamp'
    parts = [FOLDER / 'data.py', FOLDER / 'elf_maker.py', *sorted((FOLDER / 'scripts').iterdir())]
    source = b''.join(part.read_bytes() for part in parts)
    if not stamp.exists() or stamp.read_bytes() != source:
        maker.make(DATA)
        stamp.write_bytes(source)


def run(name, case, options):
    """Runs a case here and there."""
    if case.host and os.geteuid() != 0:
        return Outcome(name, SKIP, 'chroot, for the comparison with the host, needs root')
    additions = [f'{DATA / item}:/data/{item}' for item in case.data] + case.add
    ours = in_guest(case, additions, options)
    theirs = on_host(case, additions) if case.host else None
    wrong = case.differences(ours, theirs)
    return Outcome(name, FAIL if wrong else OK, wrong, ours.seconds)


def in_guest(case, additions, options):
    """ph run."""
    args = [*case.options, *options, '--cwd', case.cwd]
    for item in additions:
        args += ['--add', item]
    for key, value in case.env.items():
        args += ['--env', f'{key}={value}']
    args += ['--', *case.argv()]
    if case.keys:
        return vm.ph_run_on_terminal(args, case.keys, case.timeout)
    return vm.ph_run(args, case.stdin.encode(), case.timeout)


def on_host(case, additions):
    """The same program with the same file tree: in a chroot made from the same archive."""
    program, *args = case.argv()
    archive = Guest(program, args, additions).archive()
    with tempfile.TemporaryDirectory(prefix='ph-root-') as root:
        with subprocess.Popen(['tar', '-xpf', '-', '-C', root], stdin=subprocess.PIPE) as tar:
            archive.write(tar.stdin)
        make_devices(Path(root) / 'dev')

        def enter():
            os.chroot(root)
            os.chdir(case.cwd)
            os.umask(0o022)
            os.setgroups([])
        env = {**vm.environment(), **case.env}
        argv = [program if '/' in program else f'/bin/{program}', *args]
        if case.keys:
            env['TERM'] = os.environ.get('TERM', 'linux')
            return vm.on_terminal(argv, case.keys, case.timeout, env=env, preexec_fn=enter)
        return plain(argv, env, enter, case)


def plain(argv, env, enter, case):
    """Runs a program of the host without a terminal."""
    try:
        done = subprocess.run(argv, input=case.stdin.encode(), capture_output=True, env=env,
                              preexec_fn=enter, timeout=case.timeout, check=False)
    except OSError as error:
        return vm.Done(126, b'', str(error).encode())
    status = 128 - done.returncode if done.returncode < 0 else done.returncode
    return vm.Done(status, done.stdout, done.stderr)


def make_devices(folder):
    """The devices that the guest has as well."""
    for name, (major, minor, mode) in DEVICES.items():
        path = folder / name
        os.mknod(path, 0o020000 | mode, os.makedev(major, minor))
        os.chmod(path, mode)
        os.utime(path, (EPOCH, EPOCH))
    os.utime(folder, (EPOCH, EPOCH))
