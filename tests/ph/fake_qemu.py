#!/usr/bin/env python3
"""Stands in for QEMU in tests: acts out the script named by FAKE_QEMU.

Uses the same sockets as QEMU would. Each script is a function below.
"""

import os
import re
import signal
import sys
import time

DONE, PANIC = 67, 71


class Channels:
    """The guest's ends of the pipes."""

    def __init__(self, argv):
        self.out, self.into = {}, {}
        for arg in argv:
            match = re.fullmatch(r'socket,id=(\w+),fd=(\d+)', arg)
            if match:
                self.out[match[1]] = self.into[match[1]] = int(match[2])
        self.wait_for_blocking()

    def wait_for_blocking(self):
        """As QEMU does, makes the sockets non-blocking; ph is expected to undo that."""
        for fd in self.out.values():
            os.set_blocking(fd, False)
        while not all(os.get_blocking(fd) for fd in self.out.values()):
            time.sleep(0.001)

    def say(self, channel, data):
        """Writes everything."""
        while data:
            data = data[os.write(self.out[channel], data):]

    def read_until(self, end):
        """Reads the input up to and including these bytes."""
        data = b''
        while not data.endswith(end):
            data += os.read(self.into['out'], 65536)
        return data


def hello(guest):
    """Both outputs, noise in the log, a status."""
    guest.say('log', b'kernel says\r\nvfs: ready\n@trace getpid() = 1\n@stats a=1\n')
    guest.say('out', b'to stdout\n')
    guest.say('err', b'to stderr\n')
    guest.say('log', b'@exit 42\n')
    return DONE


def flood(guest):
    """A lot of output, then the end at once: nothing may be lost."""
    for number in range(300):
        guest.say('out', bytes([number % 256]) * 10000)
    guest.say('log', b'@exit 0')
    return DONE


def echo(guest):
    """What came as input, with the escapes as they are."""
    guest.say('log', b'console: @console ready\n')
    guest.say('out', guest.read_until(b'\x10E'))
    guest.say('log', b'@exit 0\n')
    return DONE


def panic(guest):
    """The kernel panics."""
    guest.say('log', b'kernel: panic: because\n')
    return PANIC


def refuse(guest):
    """The router can't run the program."""
    guest.say('log', b'router: can not run /x: no such file (error 2)\n@exit 127\n')
    return DONE


def fail(guest):
    """The router gives up."""
    guest.say('log', b'router: no boot/init\n@exit 125\n')
    return DONE


def leak(guest):
    """A loop after which less is free than before."""
    for when in (b'before', b'after'):
        guest.say('log', b'router: @usage when=' + when + b' frames=' + when + b'\n')
        guest.say('log', b'router: @usage when=' + when + b' server=vfs heap=1\n')
    guest.say('log', b'@exit 125\n')
    return DONE


def silent(guest):
    """Ends as if all was well, but without the program's status."""
    del guest
    return DONE


def reset(guest):
    """A triple fault."""
    del guest
    return 0


def hang(guest):
    """Says something and never ends."""
    guest.say('out', b'waiting\n')
    while True:
        time.sleep(60)


def window(guest):
    """Two window sizes: of the start, and of a change."""
    guest.say('log', b'console: @console ready\n')
    for _ in range(2):
        message = os.read(guest.into['out'], 6)
        guest.say('out', b'size ' + repr(message).encode() + b'\n')
    guest.say('log', b'@exit 0\n')
    return DONE


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    script = globals()[os.environ['FAKE_QEMU']]
    sys.exit(script(Channels(sys.argv)))
