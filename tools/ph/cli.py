"""The command line of ph."""

import argparse
import sys

from . import build, packages
from .errors import Interrupted, PhError, STATUS_SIGNAL

DESCRIPTION = """\
Builds, runs, tests and debugs Polyhedron.

  ./ph run hello              build what is stale, boot QEMU, run one Linux program
  ./ph run ./a.out x y        the same with a program of the host (static, x86_64)
  ./ph boot                   a shell on your terminal (Ctrl-A x ends it)
  ./ph test --quick           the short test suite

Every command first installs (as root, with apt-get) what is missing on the host."""

RUN_DESCRIPTION = """\
Boots the system in QEMU and runs one Linux program in it. The program's output and
error come out on ours, our input goes to its. A host file (a name with a slash) is
added to the guest under its absolute path; a bare name is looked up in the guest's
/bin, where the programs of apps/ are; failing that, it may be an applet of the host's
static busybox, which then is in the guest with links for all of them.

exit status:
  0-255   the program's own; 128+n if signal n killed it
  124     the time of --timeout was over
  125     the system failed: panic, server crash, no boot, or the build failed;
          the end of the system log is then on standard error
  126     the program is not a file that can be added to the guest
  127     the program was not found"""

RUN_EXAMPLES = """\
examples:
  ./ph run hello
  ./ph run /bin/busybox ls -l /
  ./ph run -- sh -c 'ls -l / | sort'
  ./ph run --add data:/data -- /bin/busybox sha256sum /data/file
  ./ph run --trace --timeout 10 ./a.out
  ./ph run --accel icount --stats hello
  echo 'print "hi"' | ./ph run /bin/mksh-static"""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps our line breaks, and has room for the options."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=26, width=90)


def add_command(commands, name, summary, description=None, examples=None):
    """One sub-command with its help."""
    return commands.add_parser(name, help=summary, description=description or summary,
                               epilog=examples, formatter_class=Formatter)


def add_machine_options(parser):
    """Options that describe the machine."""
    group = parser.add_argument_group('machine')
    group.add_argument('--smp', type=int, default=1, metavar='N', help='CPUs, 1 to 16 (default 1)')
    group.add_argument('--mem', default='512M', metavar='SIZE', help='memory (default 512M)')
    group.add_argument('--accel', choices=('tcg', 'kvm', 'icount'),
                       help='icount: exact, one tick per instruction (default: kvm where our '
                            'kernel is seen to work with it, else tcg)')
    group.add_argument('--cpu', default='', metavar='MODEL',
                       help='as QEMU names it (default max; qemu64,+rdrand with icount)')
    group.add_argument('--machine', choices=('pc', 'q35', 'microvm'), default='pc',
                       help='default pc')
    group.add_argument('--console', choices=('virtio', 'uart'), default='',
                       help='device for input and output (default virtio; uart with icount)')
    group.add_argument('--kernel-arg', action='append', default=[], metavar='ARG',
                       help='word for the kernel command line (repeatable)')


def add_guest_options(parser):
    """Options that describe what is in the guest, and what is told of it."""
    group = parser.add_argument_group('guest')
    group.add_argument('--add', action='append', default=[], metavar='HOST[:GUEST]',
                       help='add a file or folder of the host (repeatable)')
    group.add_argument('--env', action='append', default=[], metavar='K=V',
                       help='environment variable (repeatable)')
    group.add_argument('--cwd', default='/', metavar='DIR', help='working folder (default /; ph boot: /root)')
    group.add_argument('--timeout', type=float, metavar='S', help='end it after S seconds')
    group.add_argument('--trace', action='store_true',
                       help='each system call on standard error, as strace shows it')
    group.add_argument('--stats', action='store_true',
                       help='times and resources on standard error')
    group.add_argument('--loop', type=int, default=1, metavar='N',
                       help='run the program N times in one boot; resources must be as '
                            'before, else the status is 125')
    group.add_argument('--log', metavar='FILE', help='the whole system log into a file')
    group.add_argument('--manifest', metavar='FILE',
                       help='boot with another manifest than boot/manifest')
    group.add_argument('--kernel', metavar='FILE',
                       help='boot another image; PROGRAM may then be left out')
    group.add_argument('--boot-programs', metavar='FOLDER',
                       help='also put the native programs that the build makes in this folder '
                            'into boot/; PROGRAM may then be left out')
    group.add_argument('--damage-archive', metavar='WHAT',
                       help='for tests: OFFSET:BYTES fills so much of the boot archive with '
                            'rubbish, cut:BYTES cuts it there')
    group.add_argument('--no-build', action='store_true', help='use what is built already')


def add_run(commands):
    """ph run."""
    parser = add_command(commands, 'run', 'run one Linux program in the system',
                         RUN_DESCRIPTION, RUN_EXAMPLES)
    parser.usage = 'ph run [options] [--] PROGRAM [ARG ...]'
    add_machine_options(parser)
    add_guest_options(parser)
    parser.add_argument('program', metavar='PROGRAM', nargs='?', default='')
    parser.add_argument('args', metavar='ARG', nargs=argparse.REMAINDER)
    parser.set_defaults(function=run_command)


def add_boot(commands):
    """ph boot."""
    parser = add_command(
        commands, 'boot', 'a shell of the system on your terminal',
        'Boots the system with your terminal connected to a shell, in /root: that of the static\n'
        'busybox of the host, unless --shell names another: bash, mksh, zsh, sash, or a file of\n'
        'the host. /bin has busybox and its applets. Ctrl-C and the like go to the guest;\n'
        'Ctrl-A x ends it, Ctrl-A Ctrl-A sends Ctrl-A. The terminal is put back whatever happens.',
        'examples:\n  ./ph boot\n  ./ph boot --shell bash\n  ./ph boot --shell /bin/mksh-static -- -c \'echo $0\'\n'
        '  ./ph boot --smp 4 --trace')
    parser.usage = 'ph boot [options] [--shell SHELL] [--] [ARG ...]'
    add_machine_options(parser)
    add_guest_options(parser)
    parser.add_argument('--shell', metavar='SHELL', default='',
                        help='bash, mksh, zsh, sash or a static program of the host (default: '
                             'busybox sh)')
    parser.add_argument('args', metavar='ARG', nargs=argparse.REMAINDER)
    parser.set_defaults(function=boot_command, cwd='/root')


def add_test(commands):
    """ph test."""
    parser = add_command(
        commands, 'test', 'run the tests',
        'Runs all suites, or those that are named, two QEMUs at a time; prints a line for\n'
        'each test and at the end "N passed, N failed". The status is 0 if none failed.\n\n'
        'suites:\n'
        '  unit      parts on the host, with cmocka under the address and UB sanitizers\n'
        '  python    ph and the generators\n'
        '  kernel    a native test program in QEMU\n'
        '  servers   one server alone in QEMU, over real IPC\n'
        '  programs  Linux programs, in QEMU and on the host, with one expected result',
        'examples:\n  ./ph test\n  ./ph test --quick\n  ./ph test unit python\n'
        '  ./ph test programs/busybox programs/faults/panic')
    parser.add_argument('--quick', action='store_true',
                        help='one configuration, and of the programs only the quick cases')
    parser.add_argument('--list', action='store_true', help='name the tests, run none')
    parser.add_argument('-v', '--verbose', action='store_true', help='say more about each test')
    parser.add_argument('suites', metavar='SUITE', nargs='*', help='suite, group or test')
    parser.set_defaults(function=test_command)


def add_debug(commands):
    """ph debug."""
    parser = add_command(
        commands, 'debug', 'gdb on the kernel, with the symbols of everything',
        'Starts QEMU, stopped before the first instruction, and gdb connected to it, with\n'
        'the symbols of the kernel; the commands add-servers and add-program load those of\n'
        'the roottask and the servers, and of the program. What the program prints goes\n'
        'to the file named at the start.',
        'examples:\n  ./ph debug hello\n  ./ph debug --smp 2 ./a.out x')
    parser.usage = 'ph debug [options] [--] PROGRAM [ARG ...]'
    add_machine_options(parser)
    add_guest_options(parser)
    parser.add_argument('program', metavar='PROGRAM', nargs='?', default='hello')
    parser.add_argument('args', metavar='ARG', nargs=argparse.REMAINDER)
    parser.set_defaults(function=debug_command)


def add_small_commands(commands):
    """ph setup, build, clean."""
    parser = add_command(commands, 'setup', 'install the packages that are missing',
                         'Installs with apt-get what building, running, testing and debugging\n'
                         'need; without root it prints the command. Also forgets whether KVM\n'
                         'works here.\n\npackages: ' + ' '.join(packages.ALL))
    parser.set_defaults(function=setup_command)
    parser = add_command(commands, 'build', 'build what is stale',
                         'Configures build/ with meson if needed and runs ninja; its output is\n'
                         'shown only when something fails. PH_BUILD=FOLDER names another folder.')
    parser.set_defaults(function=build_command)
    parser = add_command(commands, 'clean', 'remove build/ and .cache/')
    parser.set_defaults(function=lambda options: build.clean() or 0)


def parser_of():
    """The whole parser."""
    parser = argparse.ArgumentParser('ph', description=DESCRIPTION, formatter_class=Formatter,
                                     epilog='./ph COMMAND --help explains a command.')
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    add_run(commands)
    add_boot(commands)
    add_test(commands)
    add_debug(commands)
    add_small_commands(commands)
    return parser


# Modules are loaded when their command runs: ph starts faster.

def run_command(options):
    """ph run."""
    from . import run
    return run.run(options)


def boot_command(options):
    """ph boot."""
    from . import run
    if options.args[:1] == ['--']:
        del options.args[0]
    return run.boot(options)


def test_command(options):
    """ph test."""
    from .testing import runner
    return runner.test(options)


def debug_command(options):
    """ph debug."""
    from . import debug
    return debug.debug(options)


def setup_command(options):
    """ph setup."""
    del options
    from . import accel
    packages.ensure(packages.ALL)
    accel.forget()
    print('ph: everything is there')
    return 0


def build_command(options):
    """ph build."""
    del options
    build.build()
    return 0


def main(argv):
    """Runs a command; returns the exit status."""
    options = parser_of().parse_args(argv)
    try:
        return options.function(options)
    except PhError as error:
        print(f'ph: {error}', file=sys.stderr)
        return error.status
    except (KeyboardInterrupt, Interrupted):
        return STATUS_SIGNAL + 2
