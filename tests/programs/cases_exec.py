"""execve of good and bad ELF files: the same errno, signal or output as on the host.

exec-it, a program of tests/guest, calls execve and prints the error if that returns.
"""

# Linux kills the program instead of returning an error where execve has already
# given up the old image; which signal then comes differs between its versions.
GIVEN_UP = {'above-user', 'wraps', 'memsz-huge', 'kernel-half', 'overlap'}
# On the host these would take what memory there is, or depend on its settings.
NOT_ON_HOST = {'bss-1g', 'null-page'}
QUICK = {'good', 'empty', 'foreign-machine', 'overlap'}


def cases(make, names):
    """One case for each file; make: the class of a case."""
    found = []
    for name in names:
        if name in NOT_ON_HOST:
            continue
        special = {'host': False, 'status': None, 'stdout': '.*'} if name in GIVEN_UP else {}
        found.append(make(name=name, group='exec', run=f'exec-it /data/elf/{name}', data=['elf'],
                          quick=name in QUICK, timeout=30, **special))
    for name, path in (('folder', '/data/elf'), ('missing', '/data/elf/nothing'),
                       ('not-executable', '/etc/passwd'), ('below-a-file', '/etc/passwd/x'),
                       ('long-name', '/' + 'n' * 300)):
        found.append(make(name=name, group='exec', run=f'exec-it {path}', data=['elf'],
                          timeout=30))
    return found
