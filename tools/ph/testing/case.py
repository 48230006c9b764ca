"""A program test: what is run, and what must come of it. Read from tests/programs/*.toml."""

import re
import shlex
import tomllib
from dataclasses import dataclass, field

STREAMS = ('stdout', 'stderr')


@dataclass
class Case:
    """One [[case]] of a file; docs/testing.md describes the fields."""

    name: str
    run: str                                      # command line, split as a shell does
    group: str = ''
    data: list = field(default_factory=list)      # names of test data, found under /data
    add: list = field(default_factory=list)       # HOST[:GUEST]
    env: dict = field(default_factory=dict)
    cwd: str = '/'
    stdin: str = ''
    options: list = field(default_factory=list)   # further options of ph run
    host: bool = True                             # run it on the host as well and compare
    compare: list = field(default_factory=lambda: ['stdout', 'stderr', 'status'])
    filter: list = field(default_factory=list)    # [regular expression, replacement] on lines
    sort: bool = False                            # compare the sorted lines
    stdout: str | None = None                     # regular expressions that must match the whole
    stderr: str | None = None
    status: int | list | None = None              # a list: any of these
    keys: list = field(default_factory=list)      # on a terminal: [wait for, type]
    quick: bool = False
    timeout: int = 60

    def argv(self):
        """The command line in words."""
        return shlex.split(self.run)

    def normal(self, data):
        """Output with the filters applied."""
        for pattern, replacement in self.filter:
            data = re.sub(pattern.encode(), replacement.encode(), data, flags=re.MULTILINE)
        return b'\n'.join(sorted(data.split(b'\n'))) if self.sort else data

    def differences(self, ours, theirs):
        """What is not as it should be, as text; empty if all is well. theirs: None without host."""
        wrong = []
        for stream in STREAMS:
            mine = self.normal(getattr(ours, stream))
            wanted = getattr(self, stream)
            if wanted is not None and not re.fullmatch(wanted.encode(), mine, re.DOTALL):
                wrong.append(f'{stream} does not match {wanted!r}:\n{excerpt(mine)}')
            if theirs and wanted is None and stream in self.compare:
                wrong += difference(stream, mine, self.normal(getattr(theirs, stream)))
        status = self.status
        if status is None and theirs and 'status' in self.compare:
            status = theirs.status
        if status is not None and ours.status not in (status if isinstance(status, list)
                                                      else [status]):
            wrong.append(f'status {ours.status}, expected {status}')
        if wrong and ours.stderr:
            wrong.append('standard error:\n' + excerpt(ours.stderr, tail=True))
        return '\n'.join(wrong)


def difference(stream, ours, theirs):
    """Where two outputs begin to differ."""
    if ours == theirs:
        return []
    mine, yours = ours.split(b'\n'), theirs.split(b'\n')
    at = next((n for n, pair in enumerate(zip(mine, yours)) if pair[0] != pair[1]),
              min(len(mine), len(yours)))
    return [f'{stream} differs from the host\'s ({len(ours)} bytes, host {len(theirs)}) '
            f'in line {at + 1}:\n  ours: {excerpt(b" / ".join(mine[at:at + 3]))}\n'
            f'  host: {excerpt(b" / ".join(yours[at:at + 3]))}']


def excerpt(data, tail=False, limit=2000):
    """Bytes as text, not too many."""
    text = data.decode('utf-8', 'backslashreplace')
    if len(text) <= limit:
        return text
    return '…' + text[-limit:] if tail else text[:limit] + '…'


def read_cases(path):
    """The cases of a file; fields before the first [[case]] are defaults for all."""
    with open(path, 'rb') as file:
        content = tomllib.load(file)
    defaults = {key: value for key, value in content.items() if key != 'case'}
    return [Case(**{**defaults, 'group': path.stem, **entry}) for entry in content['case']]
