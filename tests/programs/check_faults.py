"""What ph says and does when something is wrong: statuses and messages."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ph import paths
from ph.testing.vm import PH, ph_run

ELF = paths.CACHE / 'test-data' / 'elf'


def quick(function):
    """Marks a check for the quick run."""
    function.quick = True
    return function


def expect(done, status, *messages):
    """Status and what must be on standard error."""
    errors = done.stderr.decode(errors='replace')
    assert done.status == status, f'status {done.status}, expected {status}\n{errors}'
    for message in messages:
        assert re.search(message, errors), f'{message!r} is not in:\n{errors}'


def with_manifest(change):
    """Boots with the manifest as change makes it from the good one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'manifest'
        path.write_text(change(paths.MANIFEST.read_text(encoding='utf-8')), encoding='utf-8')
        return ph_run(['--manifest', path, 'hello'], timeout=30)


@quick
def check_missing_program():
    expect(ph_run(['nothing-like-this']), 127, 'not found')
    expect(ph_run(['/no/such/file']), 127, 'no such file')
    expect(ph_run(['/usr/lib']), 126, 'folder')
    expect(ph_run(['exec-it', '/nothing-either']), 126)


@quick
def check_status_of_a_bad_elf():
    for name in ('empty', 'foreign-machine', 'truncated-segments', 'text'):
        done = ph_run([ELF / name], timeout=30)
        expect(done, 126, 'can not run .*: not an executable')


def check_death_by_signal():
    expect(ph_run([ELF / 'jump-to-null'], timeout=30), 128 + 11)
    expect(ph_run([ELF / 'undefined'], timeout=30), 128 + 4)
    expect(ph_run([ELF / 'divide'], timeout=30), 128 + 8)


def check_bss_larger_than_memory():
    done = ph_run(['--mem', '32M', ELF / 'bss-1g'], timeout=60)
    if done.status != 128 + 9:
        expect(done, 125, 'can not run .*: out of memory')


@quick
def check_timeout():
    expect(ph_run(['/bin/busybox', 'sleep', '100'], timeout=5), 124, 'stopped after 5 s')


@quick
def check_manifest_error_names_the_line():
    done = with_manifest(lambda text: 'program\n' + text)
    expect(done, 125, r'manifest:1\b|line 1\b')


def check_manifest_unknown_word():
    lines = len(paths.MANIFEST.read_text(encoding='utf-8').splitlines())
    done = with_manifest(lambda text: text.rstrip('\n') + '\nnonsense here\n')
    expect(done, 125, rf'manifest:{lines + 1}\b|line {lines + 1}\b')


def check_manifest_empty():
    expect(with_manifest(lambda text: ''), 125, 'manifest')


def check_manifest_missing_server():
    done = with_manifest(lambda text: text.replace('boot/vfs', 'boot/no-vfs'))
    expect(done, 125, 'no-vfs')


def check_server_that_is_no_elf():
    done = with_manifest(lambda text: text.replace('boot/vfs', 'etc/passwd'))
    expect(done, 125, 'etc/passwd|vfs')


def corrupt(*options):
    """Boots with an archive that is damaged as the option says."""
    return ph_run([*options, 'hello'], timeout=30)


def check_archive_garbage():
    expect(corrupt('--damage-archive', '0:512'), 125, 'archive|module|tar')


def check_archive_truncated():
    expect(corrupt('--damage-archive', 'cut:5000'), 125, 'archive|module|tar|boot/')


def check_archive_empty():
    expect(corrupt('--damage-archive', 'cut:0'), 125)


def check_archive_bad_checksum_later():
    # The headers of files of boot/ are damaged one after another.
    for block in (2, 4, 9):
        done = corrupt('--damage-archive', f'{block * 512}:20')
        assert done.status in (0, 125), done.status


def check_too_little_memory():
    done = ph_run(['--mem', '8M', 'hello'], timeout=30)
    assert done.status in (0, 125), done.status
    if done.status:
        expect(done, 125, 'emory|RAM|end of the system log')


@quick
def check_trace_shows_calls_arguments_results():
    done = ph_run(['--trace', 'hello'])
    expect(done, 0, r'write\w*\(1, .*\) = \d+', r'exit_group\(0\)')
    assert b'Hello' in done.stdout


def check_stats():
    expect(ph_run(['--stats', 'hello']), 0, 'stats: ')


@quick
def check_input_with_every_byte():
    data = bytes(range(256)) * 64
    done = ph_run(['/bin/busybox', 'cat'], stdin=data)
    expect(done, 0)
    assert done.stdout == data, f'{len(done.stdout)} bytes came back of {len(data)}'


def check_large_input():
    data = bytes(range(256)) * 2048
    done = ph_run(['/bin/busybox', 'cat'], stdin=data, timeout=120)
    assert done.stdout == data, f'{len(done.stdout)} bytes came back of {len(data)}'


def check_slow_reader_loses_nothing():
    source = ELF.parent / 'files' / 'five-mib'
    with subprocess.Popen([sys.executable, str(PH), 'run', '--no-build', '--timeout', '60',
                           '--add', f'{source}:/file', '/bin/busybox', 'cat', '/file'],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        time.sleep(2)
        data = process.stdout.read()
    assert data == source.read_bytes(), f'{len(data)} bytes came'


def check_loop_leaks_nothing():
    done = ph_run(['--loop', '1000', 'hello'], timeout=300)
    expect(done, 0)
    assert done.stdout.count(b'Hello') == 1000, f'{done.stdout.count(b"Hello")} runs'


@quick
def check_loop_of_five():
    expect(ph_run(['--loop', '5', 'hello']), 0)


def check_machines():
    for machine in ('q35', 'microvm'):
        done = ph_run(['--machine', machine, 'hello'])
        expect(done, 0)
        assert b'Hello' in done.stdout, machine
