"""One run of QEMU from the archive to the exit status; used by run, boot and the tests."""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import paths, qemu, symbols
from .console import Capture, Console, Sink
from .errors import (Interrupted, PhError, STATUS_SIGNAL, STATUS_SYSTEM, STATUS_TIMEOUT)
from .syslog import SystemLog
from .terminal import RawTerminal

SIGPIPE = 13


@dataclass
class Result:
    """How a run ended."""

    status: int                # as "ph run" exits
    reason: str = ''           # why the system failed; empty if it did not
    log: SystemLog = None
    seconds: float = 0.0
    stdout: bytes = b''        # with capture only
    stderr: bytes = b''


def run(machine, guest, timeout=None, capture=False, stdin=0, on_line=None, log_file=None):
    """Boots the machine with the guest and moves its input and output.

    stdin: descriptor, None for none. timeout: seconds. capture: keep the output.
    on_line(kind, text): called for each line of the log that is meant for ph.
    """
    machine.check()
    kernel = Path(machine.kernel or paths.KERNEL)
    if not kernel.exists():
        raise PhError(f'there is no kernel {kernel}')
    sinks = {'out': Capture(), 'err': Capture()} if capture else {'out': Sink(1), 'err': Sink(2)}
    log = SystemLog(on_line, log_file)
    with tempfile.TemporaryDirectory(prefix='ph-') as folder:
        archive = Path(folder) / 'archive.tar'
        guest.write_archive(archive)
        start = time.monotonic()
        result = supervise(machine, archive, log, sinks, stdin, guest.stdio & 1,
                           start + timeout if timeout else None)
    result.seconds = time.monotonic() - start
    if capture:
        result.stdout, result.stderr = bytes(sinks['out'].data), bytes(sinks['err'].data)
    return result


def supervise(machine, archive, log, sinks, stdin, raw, deadline):
    """Starts QEMU and stays until it has ended, one way or the other."""
    vm = qemu.Qemu(machine, archive)
    try:
        with RawTerminal(bool(raw)) as raw_terminal:
            ready = 'wanted' if machine.accel == 'icount' else 'ready'
            ended = Console(vm, log, sinks, stdin, raw_terminal, deadline, ready).run()
        status = vm.stop()
        log.finish()
        if not ended:
            return Result(STATUS_SIGNAL + 2, log=log)
        return judge(status, log, needs_exit=not machine.kernel)
    except TimeoutError:
        return Result(STATUS_TIMEOUT, log=log)
    except BrokenPipeError:
        return Result(STATUS_SIGNAL + SIGPIPE, log=log)
    except Interrupted as interrupt:
        return Result(STATUS_SIGNAL + interrupt.signum, log=log)
    finally:
        vm.stop()
        vm.close()


def judge(status, log, needs_exit):
    """The result for an exit status of QEMU. needs_exit: the log must have "@exit"."""
    if status == qemu.EXIT_DONE and log.exit_status is None and not needs_exit:
        return Result(0, log=log)
    if status == qemu.EXIT_DONE and log.exit_status is not None:
        failed = log.exit_status == STATUS_SYSTEM and not log.refusal
        return Result(log.exit_status, 'the system reports a failure' if failed else '', log)
    reasons = {qemu.EXIT_DONE: 'the system ended without the status of the program',
               qemu.EXIT_PANIC: 'kernel panic',
               qemu.EXIT_CRASH: 'a server crashed',
               0: 'the machine was reset (triple fault)'}
    return Result(STATUS_SYSTEM, reasons.get(status, f'QEMU ended with status {status}'), log)


def report(result, out, kernel=None):
    """Says on out why the system failed, with the end of the log."""
    lines = symbols.symbolise(result.log.tail(), kernel) if result.log else []
    if lines:
        print('ph: the end of the system log:', file=out)
    for line in lines:
        print(f'  | {line}', file=out)
    print(f'ph: {result.reason}', file=out)
    out.flush()


def devnull():
    """A descriptor for no input that is at its end at once."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
