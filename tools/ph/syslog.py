"""The system log of the guest: lines for ph begin with "@", all others are kept."""

from collections import deque

KEPT_LINES = 400
TAIL_LINES = 40
REFUSAL_BY = 'router: '
REFUSAL = REFUSAL_BY + 'can not run '


class SystemLog:
    """Splits the log into lines and sorts them."""

    def __init__(self, on_line=None, file=None):
        self.lines = deque(maxlen=KEPT_LINES)
        self.exit_status = None   # of "@exit N"
        self.usage = []           # of "@usage ...", in order
        self.tests = []           # of "@test ...", in order
        self.console = set()      # "ready" after "@console ready", and so on
        self.refusal = ''         # why the router could not run the program
        self.on_line = on_line    # called with (kind, text) for each "@kind text"
        self.file = file          # gets a copy of everything
        self.partial = b''

    def feed(self, data):
        """Takes in bytes as they come."""
        if self.file:
            self.file.write(data)
            self.file.flush()
        *whole, self.partial = (self.partial + data).split(b'\n')
        for line in whole:
            self.line(line.rstrip(b'\r').decode('utf-8', 'backslashreplace'))

    def finish(self):
        """Takes the last line, if it was not ended."""
        if self.partial:
            self.feed(b'\n')

    def line(self, text):
        """Sorts one line."""
        # A program's own log lines come with "name: " before them.
        at = text.find('@') if not text.startswith('@') else 0
        if at > 0 and not (text[:at].endswith(': ') and ' ' not in text[:at - 2]):
            at = -1
        if at < 0:
            self.lines.append(text)
            if text.startswith(REFUSAL):
                self.refusal = text.removeprefix(REFUSAL_BY)
            return
        kind, _, rest = text[at + 1:].partition(' ')
        self.tell(kind, rest, text)

    def tell(self, kind, rest, text):
        """Acts on a line for ph."""
        if kind == 'exit' and rest.strip().isdigit():
            self.exit_status = int(rest) & 0xff
        elif kind == 'usage':
            self.usage.append(rest)
        elif kind == 'test':
            self.tests.append(rest)
        elif kind == 'console':
            self.console.add(rest.strip())
        elif kind not in ('trace', 'stats'):
            self.lines.append(text)
        if self.on_line:
            self.on_line(kind, rest)

    def tail(self, count=TAIL_LINES):
        """The last lines."""
        return list(self.lines)[-count:]
