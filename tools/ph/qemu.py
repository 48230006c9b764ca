"""The QEMU command line, and the pipes to its serial ports."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

from . import paths
from .errors import PhError, STATUS_USAGE

BINARY = 'qemu-system-x86_64'
MACHINES = {'pc': 'pc', 'q35': 'q35', 'microvm': 'microvm,isa-serial=off,rtc=on,pit=on,pic=on'}
ACCELS = ('tcg', 'kvm', 'icount')

# Exit status of QEMU when the guest writes v to the debug-exit port: v << 1 | 1.
EXIT_DONE = 67
EXIT_PANIC = 71
EXIT_CRASH = 75

BUFFER_BYTES = 1 << 20
POLL_SECONDS = 0.001
PR_SET_PDEATHSIG = 1

# Channels: name -> index of the serial port.
CHANNELS = {'log': 0, 'out': 1, 'err': 2}


@dataclass
class Machine:
    """The virtual machine that the user asked for."""

    smp: int = 1
    mem: str = '512M'
    accel: str = 'tcg'
    cpu: str = ''
    machine: str = 'pc'
    console: str = ''   # 'virtio', 'uart', '': what suits
    kernel_args: list = field(default_factory=list)
    kernel: os.PathLike = None   # another kernel image than the build's
    gdb_port: int = 0   # wait for gdb there before the first instruction
    extra: list = field(default_factory=list)

    def command(self, archive, chardevs):
        """The arguments of QEMU; chardevs: by channel, where its bytes go."""
        command = [BINARY, '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
                   '-machine', MACHINES[self.machine], '-cpu', self.cpu_model(),
                   '-smp', str(self.smp), '-m', self.mem, *self.accel_args(),
                   '-kernel', str(self.kernel or paths.KERNEL), '-initrd', str(archive),
                   '-append', ' '.join(self.kernel_args),
                   '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
        for name, index in CHANNELS.items():
            command += ['-chardev', chardevs[name]]
            if name == 'log' or self.console_kind() == 'uart':
                command += ['-device', f'isa-serial,index={index},chardev={name}']
            else:
                command += virtio_console(name, index)
        if self.gdb_port:
            command += ['-S', '-gdb', f'tcp:127.0.0.1:{self.gdb_port}']
        return command + self.extra

    def console_kind(self):
        """UARTs are slow but exact; microvm has no PCI bus for the other."""
        exact = self.accel == 'icount' or self.machine == 'microvm'
        return self.console or ('uart' if exact else 'virtio')

    def cpu_model(self):
        """The model asked for, or what suits the accelerator best."""
        default = {'tcg': 'max', 'kvm': 'host', 'icount': 'qemu64,+rdrand'}
        return self.cpu or default[self.accel]

    def accel_args(self):
        """Never left to QEMU's choice: /dev/kvm may exist and not work."""
        if self.accel == 'kvm':
            return ['-accel', 'kvm']
        if self.accel == 'tcg':
            return ['-accel', f'tcg,thread={"multi" if self.smp > 1 else "single"}']
        # Everything that could differ between two runs is fixed.
        return ['-accel', 'tcg', '-icount', 'shift=0,sleep=off', '-seed', '1',
                '-rtc', 'base=2024-01-01T00:00:00,clock=vm']

    def check(self):
        """Raises PhError for values that QEMU would refuse with a riddle."""
        if self.smp < 1 or self.smp > 16:
            raise PhError('--smp: 1 to 16', STATUS_USAGE)
        if self.machine not in MACHINES:
            raise PhError(f'--machine: one of {", ".join(MACHINES)}', STATUS_USAGE)


def virtio_console(name, index):
    """A virtio console of its own for a channel, as drivers/console expects it: the legacy
    interface, found in the order of the slots; a message is sent when its call returns."""
    return ['-device', f'virtio-serial-pci,id=bus-{name},max_ports=1,addr={index + 3},'
                       'disable-modern=on,disable-legacy=off,ioeventfd=off,vectors=0',
            '-device', f'virtconsole,bus=bus-{name}.0,chardev={name}']


class Channel:
    """A socket between a chardev of QEMU and us.

    QEMU makes its end non-blocking, and then its devices drop what does not fit into the
    buffer. The flag belongs to the open file, which we share until we have taken it back:
    so QEMU, and the guest in it, waits for us, and nothing is lost.
    """

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)

    def theirs_is_blocking_again(self):
        """Call until it is true."""
        flags = fcntl.fcntl(self.theirs, fcntl.F_GETFL)
        if not flags & os.O_NONBLOCK:
            return False
        fcntl.fcntl(self.theirs, fcntl.F_SETFL, flags & ~os.O_NONBLOCK)
        return True

    def close(self):
        """Closes what is still open."""
        self.ours.close()
        self.theirs.close()


class Qemu:
    """A running QEMU with a channel for each serial port, and one pipe for its own messages."""

    def __init__(self, machine, archive):
        self.channels = {name: Channel() for name in CHANNELS}
        self.outputs = {name: channel.ours.fileno() for name, channel in self.channels.items()}
        self.input = os.dup(self.outputs['out'])
        self.process = None
        theirs = {name: channel.theirs.fileno() for name, channel in self.channels.items()}
        chardevs = {name: f'socket,id={name},fd={fd}' for name, fd in theirs.items()}
        try:
            self.process = subprocess.Popen(
                machine.command(archive, chardevs), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=theirs.values(),
                start_new_session=True, preexec_fn=die_with_parent)
        except OSError as error:
            self.close()
            raise PhError(f'cannot start QEMU: {error}') from error
        self.messages = self.process.stdout.fileno()
        os.set_blocking(self.messages, False)
        self.take_over()

    def take_over(self):
        """Waits until QEMU has its ends, makes them blocking, and leaves them to it alone."""
        waiting = list(self.channels.values())
        while waiting and self.process.poll() is None:
            waiting = [channel for channel in waiting if not channel.theirs_is_blocking_again()]
            time.sleep(POLL_SECONDS)
        for channel in self.channels.values():
            channel.theirs.close()

    def stop(self):
        """Ends it now, if it still runs; returns its exit status."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def close(self):
        """Closes our ends."""
        if self.process:
            self.process.stdout.close()
        os.close(self.input)
        for channel in self.channels.values():
            channel.close()


def die_with_parent():
    """QEMU ends when ph does, however that happens (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
