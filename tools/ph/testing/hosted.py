"""Tests that need no QEMU: the cmocka programs of the build, and those of ph itself."""

import json
import os
import re
import subprocess
import sys
import time

from .. import paths
from .outcome import FAIL, OK, SKIP, Job, Outcome

LIMIT_SECONDS = 300
# A line of cmocka: "[       OK ] name".
CMOCKA = re.compile(r'^\[\s+(OK|FAILED|SKIPPED)\s+\] (\w+)$', re.MULTILINE)
VERDICTS = {'OK': OK, 'FAILED': FAIL, 'SKIPPED': SKIP}
# A line of unittest -v: "test_x (module.Class.test_x) ... ok".
UNITTEST = re.compile(r"^(\w+) \(([\w.]+)\)(?:\n.*?)? ?\.\.\. .*?(ok|FAIL|ERROR|skipped '.*')$",
                      re.MULTILINE)


def meson_tests():
    """Names of the tests that the build knows."""
    done = subprocess.run(['meson', 'introspect', '--tests', str(paths.BUILD)],
                          capture_output=True, text=True, check=True)
    return [test['name'] for test in json.loads(done.stdout)]


def unit_jobs():
    """One job for each test program."""
    names = meson_tests()
    if not names:
        return [Job('unit', lambda: [Outcome('unit', FAIL, 'the build has no unit tests')])]
    return [Job(f'unit/{name}', lambda name=name: run_unit(name)) for name in names]


def run_unit(name):
    """Runs one test program with meson, and reads from its output which tests there were."""
    start = time.monotonic()
    logs = f'ph-{re.sub(r"[^A-Za-z0-9]+", "-", name)}'
    command = ['meson', 'test', '-C', str(paths.BUILD), '--no-rebuild', '--num-processes', '1',
               '--logbase', logs, name]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_SECONDS, check=False)
    log = paths.BUILD / 'meson-logs' / f'{logs}.json'
    if not log.exists():
        return [Outcome(f'unit/{name}', FAIL, done.stdout + done.stderr)]
    text = ''
    for line in log.read_text(encoding='utf-8').splitlines():
        entry = json.loads(line)
        text += entry.get('stdout', '') + entry.get('stderr', '')
    return unit_outcomes(name, done.returncode, text, time.monotonic() - start)


def unit_outcomes(name, status, text, seconds):
    """The outcome of each test in a program; a crash or a leak is one more that failed."""
    found = {test: VERDICTS[word] for word, test in CMOCKA.findall(text)}
    outcomes = [Outcome(f'unit/{name}/{test}', verdict, text if verdict == FAIL else '')
                for test, verdict in found.items()]
    if not found or (status != 0 and FAIL not in found.values()):
        outcomes.append(Outcome(f'unit/{name}', OK if status == 0 else FAIL, text, seconds))
    return outcomes


def python_jobs():
    """The unittest files of tests/ph and tests/tools."""
    jobs = []
    for folder in ('ph', 'tools'):
        for path in sorted((paths.TREE / 'tests' / folder).glob('test_*.py')):
            name = f'python/{folder}/{path.stem}'
            jobs.append(Job(name, lambda path=path, name=name: run_python(path, name)))
    return jobs


def run_python(path, name):
    """Runs one file of unittests."""
    places = [paths.TREE / 'tools', path.parent]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, places)))
    done = subprocess.run([sys.executable, '-m', 'unittest', '-v', path.stem], cwd=path.parent,
                          env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_SECONDS, check=False)
    return python_outcomes(name, done.returncode, done.stderr)


def python_outcomes(name, status, text):
    """The outcome of each test in the output of unittest."""
    words = {'ok': OK, 'FAIL': FAIL, 'ERROR': FAIL}
    outcomes = []
    for test, _, word in UNITTEST.findall(text):
        verdict = words.get(word, SKIP)
        outcomes.append(Outcome(f'{name}/{test}', verdict,
                                text if verdict == FAIL else word if verdict == SKIP else ''))
    if not outcomes or (status != 0 and all(o.verdict != FAIL for o in outcomes)):
        outcomes.append(Outcome(name, FAIL, text))
    return outcomes
