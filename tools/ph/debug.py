"""ph debug: QEMU stopped at its first instruction, and gdb on it."""

import os
import socket
import subprocess
import tempfile
from pathlib import Path

from . import build, packages, paths, run
from .errors import PhError, STATUS_SYSTEM
from .qemu import CHANNELS

GDB_COMMANDS = """\
set confirm off
set pagination off
file {kernel}
define add-servers
{servers}
end
document add-servers
Loads the symbols of the roottask and the servers.
end
define add-program
{program}
end
document add-program
Loads the symbols of the program.
end
target remote 127.0.0.1:{port}
echo \\nThe machine has not begun yet. The log is in {folder}/log, the program's output in out\\n
echo and err beside it. Symbols: add-servers, add-program. Go on with: continue\\n
"""


def debug(options):
    """Runs gdb; returns its exit status."""
    packages.ensure(packages.DEBUG)
    run.prepare(options)
    guest = run.guest_of(options, options.program, options.args)
    guest.stdio = 0   # the terminal is gdb's
    machine = run.machine_of(options)
    machine.check()
    machine.gdb_port = free_port()
    with tempfile.TemporaryDirectory(prefix='ph-debug-') as name:
        folder = Path(name)
        guest.write_archive(folder / 'archive.tar')
        chardevs = {channel: f'file,id={channel},path={folder}/{channel}' for channel in CHANNELS}
        vm = subprocess.Popen(machine.command(folder / 'archive.tar', chardevs),
                              stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return gdb(machine.gdb_port, options.program, folder)
        finally:
            vm.kill()
            vm.wait()


def free_port():
    """A TCP port of this host that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def gdb(port, program, folder):
    """Runs gdb on our terminal."""
    script = folder / 'commands'
    servers = [paths.ROOTTASK, *paths.NATIVE.values()]
    script.write_text(GDB_COMMANDS.format(
        kernel=paths.KERNEL, port=port, folder=folder,
        servers='\n'.join(f'add-symbol-file {path}' for path in servers if path.exists()),
        program=f'add-symbol-file {program_file(program)}'), encoding='utf-8')
    try:
        return subprocess.run(['gdb', '-q', '-x', str(script)], check=False).returncode
    except OSError as error:
        raise PhError(f'gdb: {error}', STATUS_SYSTEM) from error


def program_file(program):
    """The ELF file, with symbols, of a program as ph run knows it."""
    if '/' in program:
        return os.path.abspath(program)
    for folder in ('apps', 'apps/native', 'tests/guest', 'tests/bench'):
        found = build.executables(folder).get(program)
        if found:
            return found
    return program
