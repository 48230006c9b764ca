"""Suites kernel and servers: native programs in QEMU that report tests in the log.

The kernel's tests are a root program of their own, in an image with the kernel. For a
server, a folder with a manifest is one boot; the programs that the build makes for the same
folder are in its boot/. The log has "@test plan N" first, then for each test
"@test ok NAME", "@test fail NAME: why" or "@test skip NAME: why".
"""

import re
import tempfile
from pathlib import Path

from .. import build, paths
from . import vm
from .outcome import FAIL, OK, SKIP, Job, Outcome

LIMIT_SECONDS = 120
LINE = re.compile(r'(ok|fail|skip) ([^:]+?)(?:: (.*))?$')
VERDICTS = {'ok': OK, 'fail': FAIL, 'skip': SKIP}
# Name -> options of ph run; the quick run has the first only.
CONFIGURATIONS = {
    '': [],
    '@smp4': ['--smp', '4'],
    '@qemu64': ['--cpu', 'qemu64'],
    '@q35': ['--machine', 'q35', '--smp', '2'],
    '@icount': ['--accel', 'icount'],
}
KERNEL_TEST = 'kernel-test.elf'


def kernel_jobs():
    """The kernel with its tests, in several configurations."""
    image = build.executables('tests/native/kernel').get(KERNEL_TEST)
    if image is None:
        return [absent('kernel')]
    return jobs_of('kernel', ['--kernel', image], CONFIGURATIONS)


def server_jobs():
    """tests/servers/NAME/manifest."""
    jobs = []
    for manifest in sorted((paths.TREE / 'tests' / 'servers').glob('*/manifest')):
        jobs += jobs_of(f'servers/{manifest.parent.name}',
                        ['--manifest', manifest,
                         '--boot-programs', manifest.parent.relative_to(paths.TREE)],
                        {'': [], '@smp4': ['--smp', '4']})
    return jobs or [absent('servers')]


def absent(suite):
    """A suite without tests does not pass."""
    return Job(suite, lambda: [Outcome(suite, FAIL, 'there are no tests')])


def jobs_of(name, options, configurations):
    """One job for each configuration."""
    return [Job(name + suffix, lambda s=suffix, o=more: run(name, s, [*options, *o]),
                quick=not suffix)
            for suffix, more in configurations.items()]


def run(name, suffix, options):
    """Boots and reads the log."""
    with tempfile.TemporaryDirectory(prefix='ph-test-') as place:
        log = Path(place) / 'log'
        done = vm.ph_run(['--log', log, *options], timeout=LIMIT_SECONDS)
        text = log.read_text(encoding='utf-8', errors='backslashreplace') if log.exists() else ''
    return outcomes(name, suffix, text, done)


def outcomes(name, suffix, text, done):
    """The outcomes that a log tells of, and one more if something is wrong with the whole."""
    planned, found = None, []
    for line in text.splitlines():
        _, mark, rest = line.rstrip().partition('@test ')
        if mark and rest.startswith('plan '):
            planned = int(rest[5:]) + (planned or 0)
        elif mark and LINE.match(rest):
            verdict, test, why = LINE.match(rest).groups()
            found.append(Outcome(f'{name}/{test}{suffix}', VERDICTS[verdict], why or ''))
    wrong = []
    if done.status != 0:
        wrong.append(f'status {done.status}\n' + done.stderr.decode(errors='replace'))
    if planned is None:
        wrong.append('no "@test plan" in the log')
    elif planned != len(found):
        wrong.append(f'{planned} tests were planned, {len(found)} reported')
    if wrong and (done.status != 1 or all(o.verdict != FAIL for o in found)):
        found.append(Outcome(name + suffix, FAIL, '\n'.join(wrong), done.seconds))
    return found
