"""The result of a test, and the jobs that yield results."""

from dataclasses import dataclass, field
from typing import Callable

OK, FAIL, SKIP = 'ok', 'FAIL', 'skip'


@dataclass
class Outcome:
    """One test and how it went."""

    name: str            # suite/group/test[@configuration]
    verdict: str         # OK, FAIL, SKIP
    detail: str = ''     # why, for FAIL and SKIP
    seconds: float = 0.0


@dataclass
class Job:
    """Something to run that yields the outcomes of one or more tests.

    tests: the names known beforehand, for --list; weight: processors that it keeps busy.
    """

    name: str
    run: Callable[[], list]
    tests: list = field(default_factory=list)
    quick: bool = True

    def attempt(self):
        """Runs it; what goes wrong in the test code itself is a failure as well."""
        try:
            return self.run()
        except Exception as error:  # pylint: disable=broad-except
            return [Outcome(self.name, FAIL, f'{type(error).__name__}: {error}')]


@dataclass
class Tally:
    """Counts outcomes and knows which failures are expected."""

    expected: dict = field(default_factory=dict)   # name -> why
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, outcome):
        """Counts an outcome; returns it as it is to be shown."""
        why = self.expected.get(outcome.name)
        if why is not None and outcome.verdict == FAIL:
            outcome = Outcome(outcome.name, SKIP, f'expected failure: {why}', outcome.seconds)
        elif why is not None and outcome.verdict == OK:
            outcome = Outcome(outcome.name, FAIL, 'passes, but is listed as an expected failure',
                              outcome.seconds)
        if outcome.verdict == OK:
            self.passed += 1
        elif outcome.verdict == SKIP:
            self.skipped += 1
        else:
            self.failed += 1
        return outcome

    def closing_line(self):
        """"N passed, N failed", and what was skipped if anything was."""
        line = f'{self.passed} passed, {self.failed} failed'
        return line + (f', {self.skipped} skipped' if self.skipped else '')


def read_expected(path):
    """Reads a list of expected failures: a name and, after "#", the reason on each line."""
    expected = {}
    for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else []:
        name, _, why = line.partition('#')
        if name.strip():
            expected[name.strip()] = why.strip() or 'no reason given'
    return expected
