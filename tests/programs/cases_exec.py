"""execve of good and bad ELF files: the same errno, signal or output as on the host.

exec-it, a program of tests/guest, calls execve and prints the error if that returns.
"""

# Linux notices these when it has already given up the old image, and then kills the
# program; class-32 it takes for a good one. We refuse them while that is still possible.
NOTICED_LATE = {'above-user', 'wraps', 'memsz-huge', 'kernel-half', 'overlap', 'entry-kernel',
                'filesz-over-memsz', 'misaligned', 'class-32'}
REFUSED, KILLED = 126, [128 + 9, 128 + 11]
# On the host these would take what memory there is, or depend on its settings.
NOT_ON_HOST = {'bss-1g', 'null-page'}
QUICK = {'good', 'empty', 'foreign-machine', 'overlap'}


def cases(make, names):
    """One case for each file; make: the class of a case."""
    found = []
    for name in names:
        if name in NOT_ON_HOST:
            continue
        special = {}
        if name in NOTICED_LATE:
            special = {'host': False, 'status': [REFUSED, *KILLED],
                       'stdout': '(execve: (Exec format error|Invalid argument|Out of memory)\n)?'}
        found.append(make(name=name, group='exec', run=f'exec-it /data/elf/{name}', data=['elf'],
                          quick=name in QUICK, timeout=30, **special))
    for name, path in (('folder', '/data/elf'), ('missing', '/data/elf/nothing'),
                       ('not-executable', '/etc/passwd'), ('below-a-file', '/etc/passwd/x'),
                       ('long-name', '/' + 'n' * 300)):
        found.append(make(name=name, group='exec', run=f'exec-it {path}', data=['elf'],
                          timeout=30))
    return found
