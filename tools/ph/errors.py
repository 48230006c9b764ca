"""Failures that end ph with a message, and the exit statuses it uses."""

STATUS_USAGE = 2            # wrong command line
STATUS_TIMEOUT = 124        # --timeout passed
STATUS_SYSTEM = 125         # panic, server crash, no boot, build failed
STATUS_NOT_EXECUTABLE = 126
STATUS_NOT_FOUND = 127
STATUS_SIGNAL = 128         # plus the signal's number


class PhError(Exception):
    """Printed as "ph: message"; ends ph with the status."""

    def __init__(self, message, status=STATUS_SYSTEM):
        super().__init__(message)
        self.status = status


class Interrupted(Exception):
    """ph itself was told to end by a signal."""

    def __init__(self, signum):
        super().__init__(f'signal {signum}')
        self.signum = signum
