"""Our own terminal: raw while the guest has it, and always put back."""

import fcntl
import os
import struct
import termios
import tty

CTRL_A = 0x01


def stdio_bits():
    """Which of our descriptors the guest shall see as terminals (bit n: descriptor n).

    Input counts as one only if output is one too: the guest then edits and echoes lines
    itself. Otherwise our terminal keeps doing that and the guest sees plain input.
    """
    out, err = os.isatty(1), os.isatty(2)
    return (1 if out and os.isatty(0) else 0) | (2 if out else 0) | (4 if err else 0)


def window_size(fd=0):
    """(rows, columns) of a terminal, (24, 80) if it does not know."""
    try:
        packed = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return 24, 80
    rows, columns = struct.unpack('HHHH', packed)[:2]
    return rows or 24, columns or 80


class RawTerminal:
    """Context: descriptor 0 is raw inside if active, and as before afterwards."""

    def __init__(self, active):
        self.active = active
        self.saved = None

    def __enter__(self):
        if self.active:
            self.saved = termios.tcgetattr(0)
            self.apply()
        return self

    def apply(self):
        """Sets raw mode, also again after the job was continued in the foreground."""
        if self.active:
            tty.setraw(0, termios.TCSANOW)

    def __exit__(self, *_):
        if self.saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)


class EscapeKey:
    """Finds Ctrl-A x (end) in the input; Ctrl-A Ctrl-A is Ctrl-A itself."""

    def __init__(self):
        self.pending = False

    def feed(self, data):
        """Returns (what goes to the guest, whether the user wants to end)."""
        passed = bytearray()
        for byte in data:
            if self.pending:
                self.pending = False
                if byte in b'xX':
                    return bytes(passed), True
                if byte != CTRL_A:
                    passed.append(CTRL_A)
                passed.append(byte)
            elif byte == CTRL_A:
                self.pending = True
            else:
                passed.append(byte)
        return bytes(passed), False
