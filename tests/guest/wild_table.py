#!/usr/bin/env python3
"""Makes wild_calls.h, the implemented calls and the kinds of their arguments.

usage: wild_table.py SYSCALLS_TBL OUTPUT
"""

import sys

# Kinds of arguments that point to memory.
POINTERS = {'path', 'inbuf', 'outbuf', 'iniov', 'outiov', 'strings', 'vars', 'sigset', 'fds',
            'pollfds', 'ptr'}
KINDS = {'fd': 'FD', 'dirfd': 'DIRFD', 'uint': 'ONE', 'ulong': 'EIGHT', 'octal': 'MODE',
         'signal': 'SIGNAL'}
# These end the program, wait for ever, or replace what the test stands on.
LEFT_OUT = {'exit', 'exit_group', 'pause', 'fork', 'vfork', 'clone', 'clone3', 'rt_sigreturn',
            'rseq'}


def kind(argument):
    """The enum of wild.c for an argument of the table."""
    name = argument.split('(')[0].split(':')[0]
    if name in ('iniov', 'outiov'):
        return 'VECTOR'
    if name == 'path':
        return 'PATH'
    if name in ('strings', 'vars'):
        return 'STRINGS'
    if name in POINTERS or name.endswith(('_in', '_out')):
        return 'POINTER'
    return KINDS.get(name, 'ZERO')


def rows(lines):
    """A C initialiser for each call that is implemented and takes a pointer."""
    for line in lines:
        fields = line.split('#')[0].split()
        if not fields or fields[2] == '-' or fields[1] in LEFT_OUT:
            continue
        kinds = [kind(argument) for argument in fields[5:]]
        if any(k in ('POINTER', 'PATH', 'STRINGS', 'VECTOR') for k in kinds):
            yield f'    {{ {fields[0]}, "{fields[1]}", {{ {", ".join(kinds)} }} }},\n'


def main(argv):
    """Reads the table, writes the header."""
    with open(argv[1], encoding='utf-8') as source, open(argv[2], 'w', encoding='utf-8') as out:
        out.write('/* Made by wild_table.py. */\n')
        out.writelines(rows(source))


if __name__ == '__main__':
    main(sys.argv)
