"""The test runner itself: what counts as passed."""

import unittest

from ph.testing import hosted, native
from ph.testing.case import Case
from ph.testing.outcome import FAIL, OK, SKIP, Job, Outcome, Tally
from ph.testing.vm import Done


def verdicts(outcomes):
    """Name -> verdict."""
    return {outcome.name: outcome.verdict for outcome in outcomes}


class TallyTest(unittest.TestCase):
    """Counting."""

    def test_closing_line(self):
        tally = Tally()
        tally.add(Outcome('a', OK))
        tally.add(Outcome('b', FAIL))
        self.assertEqual(tally.closing_line(), '1 passed, 1 failed')
        tally.add(Outcome('c', SKIP))
        self.assertEqual(tally.closing_line(), '1 passed, 1 failed, 1 skipped')

    def test_expected_failure_and_unexpected_pass(self):
        tally = Tally({'a': 'known', 'b': 'known'})
        self.assertEqual(tally.add(Outcome('a', FAIL)).verdict, SKIP)
        self.assertEqual(tally.add(Outcome('b', OK)).verdict, FAIL)

    def test_error_in_a_test_is_a_failure(self):
        self.assertEqual(Job('x', lambda: 1 // 0).attempt()[0].verdict, FAIL)


class NativeTest(unittest.TestCase):
    """Logs of native test programs."""

    GOOD = 'noise\nkt: @test plan 2\nkt: @test ok one\nkt: @test skip two: why\n'

    def outcomes(self, text, status=0):
        """Verdicts of a log."""
        return verdicts(native.outcomes('kernel', '@c', text, Done(status, b'', b'')))

    def test_all_is_well(self):
        self.assertEqual(self.outcomes(self.GOOD), {'kernel/one@c': OK, 'kernel/two@c': SKIP})

    def test_no_boot_fails(self):
        self.assertEqual(self.outcomes('', 125), {'kernel@c': FAIL})
        self.assertEqual(self.outcomes('', 0), {'kernel@c': FAIL})

    def test_missing_test_fails(self):
        self.assertEqual(self.outcomes(self.GOOD.replace('plan 2', 'plan 3'))['kernel@c'], FAIL)

    def test_failure_and_crash(self):
        text = '@test plan 2\n@test fail one: 1 != 2\n'
        self.assertEqual(self.outcomes(text, 125), {'kernel/one@c': FAIL, 'kernel@c': FAIL})


class HostedTest(unittest.TestCase):
    """Output of cmocka and unittest."""

    CMOCKA = ('[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n'
              '[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n')

    def test_cmocka(self):
        found = verdicts(hosted.unit_outcomes('t', 1, self.CMOCKA, 0))
        self.assertEqual(found, {'unit/t/a': OK, 'unit/t/b': FAIL})

    def test_crash_or_leak_after_good_tests(self):
        found = verdicts(hosted.unit_outcomes('t', 1, '[       OK ] a\nLeakSanitizer', 0))
        self.assertEqual(found, {'unit/t/a': OK, 'unit/t': FAIL})

    def test_unittest(self):
        text = 'test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b) ... FAIL\n'
        self.assertEqual(verdicts(hosted.python_outcomes('p', 1, text)),
                         {'p/test_a': OK, 'p/test_b': FAIL})
        self.assertEqual(verdicts(hosted.python_outcomes('p', 1, 'ImportError')), {'p': FAIL})


class CaseTest(unittest.TestCase):
    """Comparing."""

    def test_same_and_different(self):
        case = Case('n', 'prog')
        self.assertEqual(case.differences(Done(0, b'a', b''), Done(0, b'a', b'')), '')
        self.assertIn('stdout', case.differences(Done(0, b'a', b''), Done(0, b'b', b'')))
        self.assertIn('stderr', case.differences(Done(0, b'a', b'x'), Done(0, b'a', b'')))
        self.assertIn('status', case.differences(Done(1, b'a', b''), Done(0, b'a', b'')))

    def test_filter_and_order(self):
        case = Case('n', 'prog', filter=[['[0-9]+', 'N']], sort=True)
        self.assertEqual(case.differences(Done(0, b'b1\na2', b''), Done(0, b'a3\nb4', b'')), '')

    def test_fixed_expectation(self):
        case = Case('n', 'prog', host=False, stdout='x+', status=3)
        self.assertEqual(case.differences(Done(3, b'xxx', b''), None), '')
        self.assertIn('stdout', case.differences(Done(3, b'y', b''), None))
        self.assertIn('status', case.differences(Done(0, b'x', b''), None))


if __name__ == '__main__':
    unittest.main()
