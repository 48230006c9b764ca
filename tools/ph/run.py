"""ph run and ph boot."""

import sys

from . import accel, build, packages, session, shells, terminal
from .errors import PhError, STATUS_TIMEOUT, STATUS_USAGE
from .guest import Guest
from .qemu import Machine


def prepare(options):
    """Installs and builds what is missing or stale."""
    if not options.no_build:
        build.build(packages.BUILD + packages.RUN)


def machine_of(options):
    """The machine that the options describe."""
    return Machine(smp=options.smp, mem=options.mem, accel=options.accel or accel.default(),
                   cpu=options.cpu, machine=options.machine,
                   console=options.console, kernel=options.kernel, kernel_args=options.kernel_arg)


def guest_of(options, program, args):
    """The guest that the options describe."""
    guest = Guest(program, args, options.add, options.env, options.cwd, terminal.stdio_bits(),
                  options.trace, options.stats, options.loop)
    if options.manifest:
        guest.manifest = options.manifest
    guest.damage = options.damage_archive
    if options.boot_programs:
        guest.natives = build.executables(options.boot_programs)
    elif not program and not options.kernel:
        raise PhError('which program? See ./ph run --help', STATUS_USAGE)
    if guest.loop < 1:
        raise PhError('--loop: at least 1', STATUS_USAGE)
    return guest


def show_line(options, raw):
    """A function that shows the lines for ph that the user asked for."""
    wanted = {'trace': options.trace, 'stats': options.stats, 'usage': options.stats}
    end = '\r\n' if raw else '\n'

    def show(kind, text):
        if wanted.get(kind):
            prefix = '' if kind == 'trace' else f'{kind}: '
            sys.stderr.write(prefix + text + end)
            sys.stderr.flush()
    return show


def run(options):
    """ph run: returns the exit status."""
    prepare(options)
    return run_program(options, options.program, options.args)


def run_program(options, program, args, applets=False):
    """Runs one program of the guest. applets: with busybox's in /bin."""
    guest = guest_of(options, program, args)
    guest.applets = applets
    log_file = open(options.log, 'wb') if options.log else None
    try:
        result = session.run(machine_of(options), guest, options.timeout, log_file=log_file,
                             on_line=show_line(options, guest.stdio & 1))
    finally:
        if log_file:
            log_file.close()
    return finish(options, result)


def finish(options, result):
    """Says what there is to say about a result; returns the exit status."""
    if options.loop > 1 and result.log:
        show_usage(result.log.usage)
    if result.reason:
        session.report(result, sys.stderr, options.kernel)
    elif result.log and result.log.refusal:
        print(f'ph: {result.log.refusal}', file=sys.stderr)
    elif result.status == STATUS_TIMEOUT and options.timeout:
        print(f'ph: stopped after {options.timeout:g} s', file=sys.stderr)
    if options.stats:
        print(f'stats: {result.seconds:.2f} s from the start of QEMU to its end', file=sys.stderr)
    return result.status


def show_usage(usage):
    """After a loop: what was in use before it and is not as before. The router compares."""
    found = {'before': [], 'after': []}
    for line in usage:
        when, _, what = line.partition(' ')
        found.setdefault(when.removeprefix('when='), []).append(what)
    if len(found['before']) != len(found['after']) or not found['after']:
        print('ph: the router did not report its resources', file=sys.stderr)
    for before, after in zip(found['before'], found['after']):
        if before != after:
            print(f'ph: before the loop {before}\n    after it        {after}', file=sys.stderr)


def boot(options):
    """ph boot: a shell on our terminal."""
    prepare(options)
    if options.shell in ('', 'busybox', 'sh'):
        if not shells.busybox():
            raise PhError('no static busybox on the host for a shell (package busybox-static); '
                          'name a program with --shell')
        program, prompt = 'sh', shells.BUSYBOX_PROMPT
    else:
        program, prompt = shells.find(options.shell), shells.prompt(options.shell)
    options.env.insert(0, f'PS1={prompt}')
    return run_program(options, program, options.args, applets=True)
