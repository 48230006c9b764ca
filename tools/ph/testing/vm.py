"""Runs ./ph run as a user would, with the output kept."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import fcntl
from dataclasses import dataclass

from .. import paths

PH = paths.TREE / 'ph'
ROWS, COLUMNS = 24, 80
SPARE_SECONDS = 20   # for what ph does before and after QEMU's own time limit


@dataclass
class Done:
    """What came of a command."""

    status: int
    stdout: bytes
    stderr: bytes = b''
    seconds: float = 0.0


def ph_run(args, stdin=b'', timeout=60, command='run'):
    """ph run ARGS; ends after timeout seconds with status 124."""
    start = time.monotonic()
    argv = [sys.executable, str(PH), command, '--no-build', f'--timeout={timeout}', *map(str, args)]
    done = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout + SPARE_SECONDS,
                          check=False)
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def ph_run_on_terminal(args, keys, timeout=60, command='run'):
    """The same on a terminal; keys as for on_terminal."""
    argv = [sys.executable, str(PH), command, '--no-build', f'--timeout={timeout}', *map(str, args)]
    return on_terminal(argv, keys, timeout + SPARE_SECONDS)


def on_terminal(argv, keys, timeout, **options):
    """Runs a command on a terminal of 24 rows and 80 columns.

    keys: pairs (regular expression to wait for in the output that followed the last
    keys, what is then typed). Returns all output as stdout.
    """
    start = time.monotonic()
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', ROWS, COLUMNS, 0, 0))
    prepare = options.pop('preexec_fn', None)

    def begin():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if prepare:
            prepare()
    process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                               start_new_session=True, preexec_fn=begin, **options)
    os.close(slave)
    try:
        output = converse(master, keys, start + timeout)
        status = process.wait(max(0.1, start + timeout - time.monotonic()))
    except subprocess.TimeoutExpired:
        status = 124
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(master)
    status = 128 - status if status < 0 else status
    return Done(status, output, b'', time.monotonic() - start)


def converse(master, keys, deadline):
    """Types the keys when their time has come; returns the output until its end."""
    output, seen, waiting = b'', 0, [(re.compile(p.encode()), k.encode()) for p, k in keys]
    while True:
        if waiting:
            match = waiting[0][0].search(output, seen)
            if match:
                seen = match.end()
                os.write(master, waiting.pop(0)[1])
                continue
        if not select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
            return output
        try:
            data = os.read(master, 65536)
        except OSError:   # EIO: the other side was closed
            return output
        if not data:
            return output
        output += data


def environment():
    """The environment of a program on the host, as it is in the guest."""
    from ..guest import PATH
    return {'PATH': PATH, 'HOME': '/root'}
