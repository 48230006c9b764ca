"""--accel icount: the same figures in every run."""

from ph.testing.vm import ph_run


def check_two_runs_are_the_same():
    runs = [ph_run(['--accel', 'icount', 'tsc'], timeout=60) for _ in range(2)]
    for run in runs:
        assert run.status == 0, run.stderr.decode(errors='replace')
    assert runs[0].stdout == runs[1].stdout, f'{runs[0].stdout} and {runs[1].stdout}'
