"""Runs of a fake QEMU: outputs, input, statuses, time limits, the terminal."""

import io
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import fcntl
from pathlib import Path

from helpers import FakeQemuTest
from ph import session
from ph.guest import Guest
from ph.qemu import Machine

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


class SessionTest(FakeQemuTest):
    """session.run with captured output."""

    def run_script(self, script, **options):
        """Runs one script of the fake."""
        self.act(script)
        guest = Guest(self.program, manifest=self.folder / 'manifest')
        options.setdefault('stdin', None)
        return session.run(Machine(), guest, capture=True, **options)

    def test_outputs_are_apart_and_the_status_is_the_programs(self):
        seen = []
        result = self.run_script('hello', on_line=lambda *line: seen.append(line))
        self.assertEqual((result.status, result.reason), (42, ''))
        self.assertEqual(result.stdout, b'to stdout\n')
        self.assertEqual(result.stderr, b'to stderr\n')
        self.assertEqual(seen, [('trace', 'getpid() = 1'), ('stats', 'a=1'), ('exit', '42')])
        self.assertEqual(result.log.tail(), ['kernel says', 'vfs: ready'])

    def test_nothing_is_lost_at_the_end(self):
        result = self.run_script('flood')
        self.assertEqual(result.status, 0)
        self.assertEqual(result.stdout, b''.join(bytes([n % 256]) * 10000 for n in range(300)))

    def test_input_is_escaped_and_ended(self):
        data = bytes(range(256)) * 2000
        reader, writer = os.pipe()
        thread = threading.Thread(target=lambda: (os.write(writer, data[:60000]),
                                                  write_all(writer, data[60000:])))
        thread.start()
        result = self.run_script('echo', stdin=reader)
        thread.join()
        os.close(reader)
        self.assertEqual(result.stdout, data.replace(b'\x10', b'\x10\x10') + b'\x10E')

    def test_no_input_is_its_end(self):
        self.assertEqual(self.run_script('echo').stdout, b'\x10E')
        self.assertEqual(self.run_script('echo', stdin=session.devnull()).stdout, b'\x10E')

    def test_failures_of_the_system_are_125(self):
        for script, reason in (('panic', 'kernel panic'), ('reset', 'triple fault'),
                               ('silent', 'without the status')):
            result = self.run_script(script)
            self.assertEqual(result.status, 125, script)
            self.assertIn(reason, result.reason)
        out = io.StringIO()
        session.report(self.run_script('panic'), out)
        self.assertIn('kernel: panic: because', out.getvalue())

    def test_time_limit_is_124(self):
        start = time.monotonic()
        result = self.run_script('hang', timeout=0.5)
        self.assertEqual(result.status, 124)
        self.assertEqual(result.stdout, b'waiting\n')
        self.assertLess(time.monotonic() - start, 10)


class CommandTest(FakeQemuTest):
    """A ph process of its own, with our fake."""

    def command(self, script, *options):
        """The command and the environment of a ph that uses the fake."""
        code = ('import sys; sys.path[:0] = {!r}; from pathlib import Path;'
                'from ph import paths, qemu, cli, accel;'
                'qemu.BINARY = {!r}; paths.KERNEL = Path({!r}); paths.NATIVE = {{}};'
                'paths.BUILD = Path({!r}); accel.default = lambda: "tcg";'
                'sys.exit(cli.main(sys.argv[1:]))').format(
                    [str(TOOLS)], str(Path(__file__).with_name('fake_qemu.py')),
                    str(self.folder / 'polyhedron.elf'), str(self.folder))
        return ([sys.executable, '-c', code, 'run', '--no-build', '--manifest',
                 str(self.folder / 'manifest'), *options, self.program],
                dict(os.environ, FAKE_QEMU=script))

    def test_streams_and_status(self):
        command, env = self.command('hello', '--trace')
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (42, b'to stdout\n'))
        self.assertEqual(sorted(done.stderr.split(b'\n')), [b'', b'getpid() = 1', b'to stderr'])

    def errors(self, script, *options):
        """Status and standard error of a run."""
        command, env = self.command(script, *options)
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stderr

    def test_program_that_can_not_run_is_said_in_one_line(self):
        self.assertEqual(self.errors('refuse'),
                         (127, 'ph: can not run /x: no such file (error 2)\n'))

    def test_failure_reported_by_the_system_comes_with_its_log(self):
        status, errors = self.errors('fail')
        self.assertEqual(status, 125)
        self.assertIn('no boot/init', errors)

    def test_leak_after_a_loop_names_what_changed(self):
        status, errors = self.errors('leak', '--loop', '3')
        self.assertEqual(status, 125)
        self.assertIn('before the loop frames=before\n    after it        frames=after', errors)
        self.assertNotIn('heap', errors.replace('@usage', ''))

    def test_reader_that_goes_away_is_death_by_sigpipe(self):
        command, env = self.command('flood')
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.wait(20), 141)

    def test_sigterm_ends_all(self):
        command, env = self.command('hang')
        process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b'waiting\n')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 128 + signal.SIGTERM)
        process.stdin.close()
        process.stdout.close()

    def on_terminal(self, script):
        """Starts ph on a terminal of 30 rows and 90 columns."""
        command, env = self.command(script)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 90, 0, 0))
        process = subprocess.Popen(command, env=env, stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True, preexec_fn=control_terminal)
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        return process, master, slave

    def test_terminal_is_raw_and_put_back_by_ctrl_a_x(self):
        process, master, slave = self.on_terminal('hang')
        before = termios.tcgetattr(slave)
        read_until(master, b'waiting')
        self.assertEqual(termios.tcgetattr(slave)[3] & termios.ICANON, 0)
        os.write(master, b'\x01x')
        self.assertEqual(process.wait(20), 130)
        self.assertEqual(termios.tcgetattr(slave), before)

    def test_terminal_is_put_back_after_sigterm(self):
        process, master, slave = self.on_terminal('hang')
        before = termios.tcgetattr(slave)
        read_until(master, b'waiting')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 128 + signal.SIGTERM)
        self.assertEqual(termios.tcgetattr(slave), before)

    def test_window_size_is_told_and_told_again(self):
        process, master, slave = self.on_terminal('window')
        data = read_until(master, b'size', b'\n')
        self.assertIn(repr(b'\x10W' + bytes([0x20, 0x20 + 30, 0x21, 0x20 + 26])).encode(), data)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 64, 100, 0, 0))
        data = read_until(master, b'size', b'\n')
        self.assertIn(repr(b'\x10W' + bytes([0x21, 0x20, 0x21, 0x20 + 36])).encode(), data)
        self.assertEqual(process.wait(20), 0)


def control_terminal():
    """In a new session: descriptor 0 becomes the controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def write_all(fd, data):
    """Writes everything and closes."""
    while data:
        data = data[os.write(fd, data):]
    os.close(fd)


def read_until(fd, *parts):
    """Reads until all parts have been seen, one after another; at most 20 seconds."""
    data, end = b'', time.monotonic() + 20
    while True:
        rest, found = data, True
        for part in parts:
            before, sep, rest = rest.partition(part)
            found = found and bool(sep)
        if found:
            return data
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f'waited for {parts}, got {data}')
        data += os.read(fd, 1000)
