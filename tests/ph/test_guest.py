"""Finding programs, boot/init, additions, damage; the command line; symbols."""

import io
import os
import tarfile
import unittest
from unittest import mock

from helpers import FakeQemuTest, fake_program
from ph import cli, guest, qemu, shells, symbols
from ph.errors import PhError
from ph.guest import Guest


class GuestTest(FakeQemuTest):
    """Guest.archive."""

    def archive(self, program, **options):
        """The archive of a guest, opened with tarfile."""
        self.guest = Guest(program, manifest=self.folder / 'manifest', **options)
        file = io.BytesIO()
        self.guest.archive().write(file)
        file.seek(0)
        return tarfile.open(fileobj=file)

    def failure(self, program, **options):
        """The error that comes of it."""
        with self.assertRaises(PhError) as raised:
            self.archive(program, **options)
        return raised.exception

    def test_host_program_has_its_absolute_path(self):
        tar = self.archive(self.program, args=['a', 'b c'], env=['K=V'], trace=True)
        self.assertTrue(tar.getmember(self.program.strip('/')).isfile())
        init = tar.extractfile('boot/init').read().split(b'\0')
        self.assertIn(b'trace=1', init)
        self.assertEqual(init[init.index(b'argv') + 1:init.index(b'envp')],
                         [os.fsencode(self.program), b'a', b'b c'])
        self.assertIn(b'K=V', init)
        self.assertEqual(init[-1], b'')

    def test_link_that_is_named_is_followed(self):
        link = self.folder / 'link'
        link.symlink_to(self.program)
        tar = self.archive(str(link))
        self.assertTrue(tar.getmember(str(link).strip('/')).isfile())

    def test_bare_name_is_looked_up_in_the_guest(self):
        tar = self.archive('tool', added=[f'{self.program}:/usr/bin/tool'])
        self.assertIn(b'argv\0/usr/bin/tool\0', tar.extractfile('boot/init').read())
        self.assertEqual(self.failure('prog').status, 127)

    def test_missing_things_are_named(self):
        self.assertEqual(self.failure('/no/such').status, 127)
        self.assertEqual(self.failure(str(self.folder)).status, 126)
        self.assertIn('/no/file', str(self.failure(self.program, added=['/no/file:/x'])))
        self.assertEqual(self.failure(self.program, env=['novalue']).status, 2)

    def test_folder_is_added_with_what_is_in_it(self):
        data = self.folder / 'data'
        (data / 'sub').mkdir(parents=True)
        (data / 'sub' / 'file').write_text('x')
        tar = self.archive(self.program, added=[f'{data}:/srv'])
        self.assertEqual(tar.extractfile('srv/sub/file').read(), b'x')

    def test_applet_of_busybox_brings_them_all(self):
        fake = str(fake_program(self.folder, 'busybox'))
        with mock.patch.object(shells, 'busybox', lambda: fake), \
                mock.patch.object(shells, 'applets', lambda: ('cat', 'hello', 'sh')):
            tar = self.archive('sh', args=['-c', 'x'], added=[f'{self.program}:/bin/cat'])
            self.assertIn(b'argv\0/bin/sh\0-c\0', tar.extractfile('boot/init').read())
            self.assertEqual(tar.getmember('bin/sh').linkname, 'busybox')
            self.assertTrue(tar.getmember('bin/busybox').isfile())
            self.assertTrue(tar.getmember('bin/cat').isfile())   # what was there stays
            self.assertNotIn('bin/sh', self.archive(self.program).getnames())
            self.assertIn('bin/sh', self.archive(self.program, applets=True).getnames())
            self.assertEqual(self.failure('nosuch').status, 127)
        with mock.patch.object(shells, 'busybox', lambda: None):
            self.assertEqual(self.failure('busybox').status, 127)

    def test_shells(self):
        self.assertFalse(shells.is_static(self.program))
        self.assertEqual(shells.find(self.program), self.program)
        with self.assertRaises(PhError) as raised:
            shells.find('no-such-shell')
        self.assertEqual(raised.exception.status, 127)
        self.assertEqual(shells.prompt('/bin/mksh-static'), shells.prompt('mksh'))

    def test_damage(self):
        path = self.folder / 'file'
        path.write_bytes(bytes(100))
        guest.spoil(path, '10:5')
        self.assertEqual(path.read_bytes(), bytes(10) + b'\xa5' * 5 + bytes(85))
        guest.spoil(path, 'cut:7')
        self.assertEqual(path.stat().st_size, 7)
        self.assertRaises(PhError, guest.spoil, path, 'nonsense')


class CommandLineTest(unittest.TestCase):
    """What becomes of arguments."""

    def parse(self, *argv):
        """The options of ph run."""
        return cli.parser_of().parse_args(['run', *argv])

    def test_options_after_the_program_are_its_own(self):
        options = self.parse('--smp', '4', 'prog', '--smp', '2', '--', '-x')
        self.assertEqual((options.smp, options.program), (4, 'prog'))
        self.assertEqual(options.args, ['--smp', '2', '--', '-x'])

    def test_two_dashes_end_our_options(self):
        options = self.parse('--', '-odd', 'a')
        self.assertEqual((options.program, options.args), ('-odd', ['a']))

    def test_every_command_explains_itself(self):
        for command in ('run', 'boot', 'test', 'debug', 'setup', 'build', 'clean'):
            with mock.patch('sys.stdout', io.StringIO()) as out:
                with self.assertRaises(SystemExit) as raised:
                    cli.main([command, '--help'])
            self.assertEqual(raised.exception.code, 0)
            self.assertIn('usage: ph ' + command, out.getvalue())


class MachineTest(unittest.TestCase):
    """The command line of QEMU."""

    def command(self, **options):
        """As one string."""
        return ' '.join(qemu.Machine(**options).command('archive', dict.fromkeys(qemu.CHANNELS, 'x'))) + ' '

    def test_accelerator_is_always_named(self):
        self.assertIn(' -accel tcg,thread=single ', self.command())
        self.assertIn(' -accel tcg,thread=multi ', self.command(smp=2))
        self.assertIn(' -accel kvm ', self.command(accel='kvm'))
        self.assertIn(' -icount shift=0,sleep=off ', self.command(accel='icount'))

    def test_model_of_the_user_wins(self):
        self.assertIn(' -cpu max ', self.command())
        self.assertIn(' -cpu qemu64 ', self.command(accel='icount', cpu='qemu64'))

    def test_wrong_values(self):
        self.assertRaises(PhError, qemu.Machine(smp=17).check)
        self.assertRaises(PhError, qemu.Machine(machine='toaster').check)


class SymbolsTest(unittest.TestCase):
    """Backtraces."""

    def test_lines_without_a_backtrace_stay_alone(self):
        lines = ['vfs: rip 401000', '@backtrace nothing-like-this 0x1000']
        self.assertEqual(symbols.symbolise(lines), lines)


if __name__ == '__main__':
    unittest.main()
