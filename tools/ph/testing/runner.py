"""Chooses jobs, runs two at a time, prints a line for each test and the closing line."""

import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from .. import build, packages, paths
from ..errors import PhError, STATUS_USAGE
from . import hosted, native, programs
from .outcome import FAIL, OK, Tally, read_expected

PARALLEL = 2
SUITES = {
    'unit': hosted.unit_jobs,         # on the host, cmocka
    'python': hosted.python_jobs,     # ph and the generators
    'kernel': native.kernel_jobs,     # in QEMU, a native program
    'servers': native.server_jobs,    # in QEMU, one server alone
    'programs': programs.jobs,        # in QEMU and on the host
}
EXPECTED = paths.TREE / 'tests' / 'programs' / 'expected-failures'


def test(options):
    """ph test: returns the exit status."""
    check_names(options.suites)
    build.build(packages.BUILD + packages.RUN + packages.TEST)
    jobs = [job for job in all_jobs(options.suites) if job.quick or not options.quick]
    if options.list:
        for job in jobs:
            print('\n'.join(job.tests or [job.name]))
        return 0
    return run(jobs, options.verbose)


def check_names(wanted):
    """A suite that is not there must not pass."""
    for name in wanted:
        if name.split('/')[0] not in SUITES:
            raise PhError(f'no suite {name}; there are {", ".join(SUITES)} and parts of them '
                          'such as programs/busybox', STATUS_USAGE)


def all_jobs(wanted):
    """The jobs of the suites that are wanted; all if none is named."""
    found = []
    for suite, make in SUITES.items():
        names = [name for name in wanted if name.split('/')[0] == suite]
        if names or not wanted:
            found += [job for job in make() if not names or any(chosen(job, n) for n in names)]
    if not found:
        raise PhError(f'no test matches {" ".join(wanted)}', STATUS_USAGE)
    return found


def chosen(job, name):
    """Whether a job belongs to a suite, a group of it, or is the test itself."""
    return job.name == name or job.name.startswith((name + '/', name + '@'))


def run(jobs, verbose):
    """Runs the jobs and tells of them."""
    tally = Tally(read_expected(EXPECTED))
    pool = ThreadPoolExecutor(PARALLEL)
    try:
        for future in as_completed([pool.submit(job.attempt) for job in jobs]):
            for outcome in future.result():
                show(tally.add(outcome), verbose)
    except KeyboardInterrupt:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    print(tally.closing_line())
    return 1 if tally.failed or not tally.passed else 0


def show(outcome, verbose):
    """One line, and the reason below it where there is one."""
    time = f' ({outcome.seconds:.1f} s)' if outcome.seconds >= 0.05 else ''
    print(f'{outcome.verdict:4} {outcome.name}{time}')
    if outcome.detail and (outcome.verdict == FAIL or verbose or outcome.verdict != OK):
        for line in outcome.detail.rstrip().splitlines():
            print(f'     | {line}')
    sys.stdout.flush()
