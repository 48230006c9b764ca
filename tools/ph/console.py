"""Moves bytes between the guest's channels and ours until the guest ends."""

import os
import select
import signal
import time

from . import terminal
from .errors import Interrupted

DLE = 0x10
CHUNK = 65536
INPUT_LIMIT = 65536   # bytes of our input that may wait for the guest
PIPE_BUF = 4096       # a pipe that polls as writable takes so much without blocking
# A serial port loses what arrives before its driver has set it up, so we wait for a line
# "@console ready" in the log. For exact runs input must not come unasked: it waits for
# "@console wanted". Without these lines we go on after so many seconds.
READY_SECONDS = 3
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def escape(data):
    """Input bytes as they travel: DLE twice."""
    return data.replace(b'\x10', b'\x10\x10')


def end_message():
    """The end of the input."""
    return bytes([DLE]) + b'E'


def size_message(rows, columns):
    """The size of the window, in 6-bit halves (docs/architecture.md, "The outside")."""
    halves = [half + 0x20 for value in (min(rows, 4095), min(columns, 4095))
              for half in (value >> 6, value & 63)]
    return bytes([DLE]) + b'W' + bytes(halves)


class Sink:
    """One of our output descriptors."""

    def __init__(self, fd):
        self.fd = fd

    def write(self, data, deadline=None):
        """Writes all; TimeoutError when the reader does not take it before the deadline."""
        view = memoryview(data)
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        while view:
            wait = None if deadline is None else max(0, deadline - time.monotonic()) * 1000
            if not poll.poll(wait):
                raise TimeoutError
            try:
                view = view[os.write(self.fd, view[:PIPE_BUF]):]
            except BlockingIOError:
                pass


class Capture:
    """Keeps the output in memory instead."""

    def __init__(self):
        self.data = bytearray()

    def write(self, data, deadline=None):
        """Keeps all."""
        del deadline
        self.data += data


class Signals:
    """Turns signals into bytes of a pipe, so that the loop sees them in order."""

    def __init__(self, window):
        self.numbers = (*SIGNALS, *((signal.SIGWINCH, signal.SIGCONT) if window else ()))
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self):
        self.saved = {n: signal.signal(n, lambda *_: None) for n in self.numbers
                      if signal.getsignal(n) != signal.SIG_IGN}
        self.saved_fd = signal.set_wakeup_fd(self.writer)
        return self

    def __exit__(self, *_):
        signal.set_wakeup_fd(self.saved_fd)
        for number, handler in self.saved.items():
            signal.signal(number, handler)
        os.close(self.reader)
        os.close(self.writer)


class Console:
    """The loop. Outputs go to sinks, the log to a SystemLog."""

    def __init__(self, qemu, log, sinks, stdin=0, raw=None, deadline=None,
                 ready='ready'):
        self.qemu = qemu
        self.log = log
        self.stdin = stdin              # descriptor, or None for no input at all
        self.raw = raw                  # RawTerminal
        self.deadline = deadline        # of time.monotonic(), or None
        self.escape_key = terminal.EscapeKey() if self.terminal() else None
        self.to_guest = bytearray()
        self.ready = ready              # which "@console" line lets our input through
        self.ready_by = time.monotonic() + READY_SECONDS
        self.poll = select.poll()
        self.watched = {}
        self.routes = {qemu.outputs['log']: lambda data: log.feed(data),
                       qemu.messages: self.qemu_message,
                       qemu.outputs['out']: lambda data: sinks['out'].write(data, deadline),
                       qemu.outputs['err']: lambda data: sinks['err'].write(data, deadline)}

    def terminal(self):
        """Whether the guest has our terminal."""
        return self.raw is not None and self.raw.active

    def qemu_message(self, data):
        """What QEMU itself prints belongs to the log."""
        self.log.feed(data)

    def run(self):
        """Until the guest has ended. True: it did; False: the user wants to end (Ctrl-A x).

        Raises TimeoutError, BrokenPipeError (nobody reads our output), Interrupted.
        """
        with Signals(self.terminal()) as signals:
            for fd in self.routes:
                self.watch(fd, select.POLLIN)
            self.watch(signals.reader, select.POLLIN)
            self.open_input()
            while any(fd in self.watched for fd in self.routes):
                for fd, events in self.poll.poll(self.wait_ms()):
                    if fd == signals.reader:
                        self.on_signals(os.read(fd, 64))
                    elif fd in self.routes:
                        self.on_output(fd)
                    elif fd == self.qemu.input:
                        self.send()
                    elif not self.on_input(events):
                        return False
                self.check_time()
                self.update_input()
        return True

    def watch(self, fd, events):
        """Changes what is waited for on a descriptor; 0: nothing."""
        if events == self.watched.get(fd, 0):
            return
        if events:
            self.poll.register(fd, events)
            self.watched[fd] = events
        else:
            self.poll.unregister(fd)
            del self.watched[fd]

    def wait_ms(self):
        """How long poll may wait."""
        times = [] if self.deadline is None else [self.deadline]
        if self.to_guest and not self.guest_ready():
            times.append(self.ready_by)
        return max(0, min(times) - time.monotonic()) * 1000 + 1 if times else None

    def check_time(self):
        """Raises TimeoutError when the time is up."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise TimeoutError

    # ---- output

    def on_output(self, fd):
        """Passes on what a channel says; it is done at its end."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b''   # it ended without reading all of our input
        if data:
            self.routes[fd](data)
        else:
            self.watch(fd, 0)

    # ---- input

    def open_input(self):
        """Begins with the window size on a terminal, or with the end if there is no input."""
        if self.terminal():
            self.queue(size_message(*terminal.window_size()))
        if self.stdin is None or not is_open(self.stdin):
            self.stdin = None
            self.queue(end_message())
        self.update_input()

    def update_input(self):
        """Reads on while the guest keeps up."""
        if self.stdin is not None:
            self.watch(self.stdin, select.POLLIN if len(self.to_guest) < INPUT_LIMIT else 0)
        may_send = self.to_guest and self.guest_ready()
        self.watch(self.qemu.input, select.POLLOUT if may_send else 0)

    def guest_ready(self):
        """Whether the console driver takes input."""
        return self.ready in self.log.console or time.monotonic() >= self.ready_by

    def queue(self, data):
        """Puts bytes on the way to the guest."""
        self.to_guest += data
        self.update_input()

    def on_input(self, events):
        """Takes our input. False when the user wants to end."""
        del events
        try:
            data = os.read(self.stdin, CHUNK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            data = b''   # a terminal that hung up
        if not data:
            self.watch(self.stdin, 0)
            self.stdin = None
            self.queue(end_message())
            return True
        wants_end = False
        if self.escape_key:
            data, wants_end = self.escape_key.feed(data)
        self.queue(escape(data))
        return not wants_end

    def send(self):
        """Gives the guest as much as it takes now."""
        try:
            sent = os.write(self.qemu.input, self.to_guest[:PIPE_BUF])
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            sent = len(self.to_guest)   # nobody is there any more
        del self.to_guest[:sent]
        self.update_input()

    # ---- signals

    def on_signals(self, numbers):
        """The window changed, we were continued, or shall end."""
        for number in numbers:
            if number == signal.SIGWINCH:
                self.queue(size_message(*terminal.window_size()))
            elif number == signal.SIGCONT:
                self.raw.apply()
            elif number in SIGNALS:
                raise Interrupted(number)


def is_open(fd):
    """Whether a descriptor is open."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
